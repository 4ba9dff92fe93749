package finetune

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/vit"
)

// Values of an attribute that a probe tells apart: 16 shapes, 16 colors (docs/paper.md 1.2, 1.3).
const attributeValues = 16

// Disentangle is the paper's disentanglement loss (section 7, App. L): two linear
// probes, trained jointly with the model, read an object's shape from the first half
// of the residual stream and its color from the second half, at every token of the
// object. The model so learns to keep the two apart. The zero value switches it off.
type Disentangle struct {
	// Weight multiplies the sum of the two probes' cross-entropies; the paper's code has 1, 0 is off.
	Weight float64 `json:"weight"`
	// After is the block whose output the probes read, counted from 0. The paper's
	// "layer 3" of 12 is the output of the third block, After = 2 (docs/paper.md D11).
	After int `json:"after"`
}

func (d Disentangle) on() bool { return d.Weight != 0 }

func (d Disentangle) validate(c vit.Config) error {
	switch {
	case !d.on():
		return nil
	case d.Weight < 0:
		return fmt.Errorf("finetune: the weight of the disentanglement loss is %g, expected a positive number, or 0 for none", d.Weight)
	case d.After < 0 || d.After >= c.Blocks:
		return fmt.Errorf("finetune: the disentanglement loss reads after block %d, expected 0 to %d", d.After, c.Blocks-1)
	case c.Width%2 != 0:
		return fmt.Errorf("finetune: the disentanglement loss halves the residual stream, but its width %d is odd", c.Width)
	}
	return nil
}

// A probe is a linear classifier that is trained along with the model.
type probe[T any] struct{ W, B T } // [values, inputs], [values]

// crossEntropy is the mean of -log softmax(logits)[label], over all but the last axis
// of logits [..., C]; labels are integers of the shape before it.
func crossEntropy(logits, labels *Node) *Node {
	C := logits.Shape().Dim(-1)
	picked := Mul(OneHot(labels, C, logits.DType()), LogSoftmax(logits, -1))
	return Neg(DivScalar(ReduceAllSum(picked), float64(labels.Shape().Size())))
}

// hits counts where the largest logit is the label's.
func hits(logits, labels *Node) *Node {
	return ReduceAllSum(ConvertDType(Equal(ArgMax(logits, -1, labels.DType()), labels), dtypes.Float32))
}

// objectTokens picks the residual stream at the objects' tokens: resid is [B, T, D],
// tokens int32 [B, O, P] count patches from 0, without CLS, and are -1 where an object
// covers fewer than P. The result is [B, O, P, D], 0 for a token of -1.
//
// It is written as a product with a one-hot matrix: on a CPU its gradient is several
// times faster than a gather's, whose gradient is a scatter.
func objectTokens(resid, tokens *Node) *Node {
	patches := Slice(resid, AxisRange(), AxisRangeToEnd(1)) // [B, T-1, D], without CLS
	oneHot := OneHot(tokens, patches.Shape().Dim(1), resid.DType())
	return Einsum("bopt,btd->bopd", oneHot, patches)
}

// loss returns the weighted loss and the share of object tokens whose shape and
// color the probes tell. resid is the residual stream after block d.After, shapes
// and colors are int32 [B, O].
func (d Disentangle) loss(shape, color probe[*Node], resid, tokens, shapes, colors *Node) (loss, shapeHits, colorHits *Node) {
	x := objectTokens(resid, tokens) // [B, O, P, D]
	B, O, P, D := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), x.Shape().Dim(3)
	x = Reshape(x, B*O*P, D)
	read := func(p probe[*Node], half *Node, values *Node) (ce, right *Node) {
		logits := Add(Einsum("nd,vd->nv", half, p.W), ExpandLeftToRank(p.B, 2))
		labels := Reshape(BroadcastToDims(ExpandAxes(values, -1), B, O, P), B*O*P)
		return crossEntropy(logits, labels), DivScalar(hits(logits, labels), float64(B*O*P))
	}
	ceShape, shapeHits := read(shape, Slice(x, AxisRange(), AxisRangeFromStart(D/2)), shapes)
	ceColor, colorHits := read(color, Slice(x, AxisRange(), AxisRangeToEnd(D/2)), colors)
	return MulScalar(Add(ceShape, ceColor), d.Weight), shapeHits, colorHits
}
