package finetune

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/vit"
)

// relationValues are the two relations of a pair, different and same.
const relationValues = 2

// Relation is an auxiliary loss that the paper lacks: a linear probe, trained jointly
// with the model, reads from the tokens of each pair whether its objects are the same.
// In RMTS that is the intermediate judgment, whose absence the paper finds behind
// failures (section 7); in discrimination it is the answer, asked for earlier than by
// the head. The zero value switches it off.
type Relation struct {
	// Weight multiplies the probe's cross-entropy; 0 is off.
	Weight float64 `json:"weight"`
	// After is the block whose output the probe reads, counted from 0.
	After int `json:"after"`
}

func (r Relation) on() bool { return r.Weight != 0 }

func (r Relation) validate(c vit.Config) error {
	switch {
	case !r.on():
		return nil
	case !(r.Weight > 0):
		return fmt.Errorf("finetune: the weight of the relation loss is %g, expected a positive number, or 0 for none", r.Weight)
	case r.After < 0 || r.After >= c.Blocks:
		return fmt.Errorf("finetune: the relation loss reads after block %d, expected 0 to %d", r.After, c.Blocks-1)
	}
	return nil
}

// loss returns the weighted loss, and puts into seen the share of pairs that the probe judges right.
func (r Relation) loss(probes map[string]probe[*Node], trace *vit.Trace, b batch, seen map[string]*Node) *Node {
	resid := trace.Get(vit.BlockNode(r.After, "resid_post"))     // [B, T, D]
	rows := meanRows(b.tokens(), trace.Config())                 // [B, O, T]
	ends := OneHot(b.pairs(), rows.Shape().Dim(1), rows.DType()) // [B, Q, 2, O]
	x := Einsum("bqo,bot->bqt", ReduceMean(ends, 2), rows)
	x = Einsum("bqt,btd->bqd", x, resid) // the mean of a pair's two objects, each the mean of its tokens
	B, Q, D := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2)
	logits, labels := probes["relation"].read(Reshape(x, B*Q, D)), Reshape(b.relations(), B*Q)
	seen["relation"] = DivScalar(hits(logits, labels), float64(B*Q))
	return MulScalar(crossEntropy(logits, labels), r.Weight)
}
