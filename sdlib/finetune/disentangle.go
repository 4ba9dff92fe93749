package finetune

import (
	"fmt"

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
	// Identity is the control of the paper's code: one probe reads which of the 256
	// objects a token belongs to, from the whole stream. It asks for the same knowledge
	// but lets shape and color share all dimensions.
	Identity bool `json:"identity,omitempty"`
}

func (d Disentangle) on() bool { return d.Weight != 0 }

func (d Disentangle) validate(c vit.Config) error {
	switch {
	case !d.on():
		return nil
	case !(d.Weight > 0):
		return fmt.Errorf("finetune: the weight of the disentanglement loss is %g, expected a positive number, or 0 for none", d.Weight)
	case d.After < 0 || d.After >= c.Blocks:
		return fmt.Errorf("finetune: the disentanglement loss reads after block %d, expected 0 to %d", d.After, c.Blocks-1)
	case c.Width%2 != 0 && !d.Identity:
		return fmt.Errorf("finetune: the disentanglement loss halves the residual stream, but its width %d is odd", c.Width)
	}
	return nil
}

// loss returns the weighted loss, and puts into seen the share of object tokens whose
// shape and color (or identity) the probes read.
func (d Disentangle) loss(probes map[string]probe[*Node], trace *vit.Trace, b batch, seen map[string]*Node) *Node {
	x := objectTokens(trace.Get(vit.BlockNode(d.After, "resid_post")), b.tokens(), trace.Config().Prefix()) // [B, O, P, D]
	B, O, P, D := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), x.Shape().Dim(3)
	x = Reshape(x, B*O*P, D)
	// Where an object covers fewer than P tokens, the label is -1, which is no logit's, and
	// the mean over all B·O·P becomes one over those that there are.
	missing := Reshape(LessThan(b.tokens(), ZerosLike(b.tokens())), B*O*P)
	there := OneMinus(ReduceAllMean(ConvertDType(missing, x.DType())))
	read := func(name string, x *Node, values *Node) (crossentropy *Node) {
		logits := probes[name].read(x)
		labels := Reshape(BroadcastToDims(ExpandAxes(values, -1), B, O, P), B*O*P)
		labels = Where(missing, Scalar(labels.Graph(), labels.DType(), -1), labels)
		seen[name] = Div(DivScalar(hits(logits, labels), float64(B*O*P)), there)
		return Div(crossEntropy(logits, labels), there)
	}
	if d.Identity {
		object := Add(MulScalar(b.shapes(), attributeValues), b.colors()) // [B, O] 0..255
		return MulScalar(read("identity", x, object), d.Weight)
	}
	ceShape := read("shape", Slice(x, AxisRange(), AxisRangeFromStart(D/2)), b.shapes())
	ceColor := read("color", Slice(x, AxisRange(), AxisRangeToEnd(D/2)), b.colors())
	return MulScalar(Add(ceShape, ceColor), d.Weight)
}
