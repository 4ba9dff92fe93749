package finetune

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/vit"
)

// loss returns what is minimized on one batch, and what was measured of it.
// θ are the model's weights followed by the probes'.
func (r Recipe) loss(c vit.Config, θ []*Node, b batch) (total *Node, seen map[string]*Node) {
	n := len(c.Names())
	w, probes := vit.Unflatten(c, θ[:n]), r.probeNodes(θ[n:])
	logits, trace := vit.Forward(c, w, b.images(), vit.LogitsOnly(), vit.Compute(r.Precision), vit.Want(r.wants()...))
	task := crossEntropy(logits, b.labels())
	seen = map[string]*Node{
		"task":    task,
		"correct": DivScalar(hits(logits, b.labels()), float64(b.size())),
	}
	var aux *Node
	add := func(x *Node) {
		if aux == nil {
			aux = x
		} else {
			aux = Add(aux, x)
		}
	}
	if r.Disentangle.on() {
		add(r.Disentangle.loss(probes, trace, b, seen))
	}
	if r.Pipeline.on() {
		add(r.Pipeline.loss(c, trace, b, seen))
	}
	if r.Relation.on() {
		add(r.Relation.loss(probes, trace, b, seen))
	}
	if aux == nil {
		aux = ZerosLike(task)
	}
	total = Add(task, aux)
	seen["aux"] = aux
	return total, seen
}

// wants names the values of the forward pass that the auxiliary losses read.
func (r Recipe) wants() []string {
	var names []string
	if r.Disentangle.on() {
		names = append(names, vit.BlockNode(r.Disentangle.After, "resid_post"))
	}
	if r.Relation.on() {
		names = append(names, vit.BlockNode(r.Relation.After, "resid_post"))
	}
	if r.Pipeline.on() {
		for _, k := range r.Pipeline.kinds() {
			for _, l := range k.blocks {
				names = append(names, vit.BlockNode(l, "attn/weights"))
			}
		}
	}
	return names
}

// measures names what loss measures beside itself, each averaged over its batch.
func (r Recipe) measures() []string {
	names := []string{"task", "aux", "correct"}
	for _, p := range r.probes(vit.Config{}) {
		names = append(names, p.name)
	}
	if r.Pipeline.on() {
		for _, k := range r.Pipeline.kinds() {
			names = append(names, k.name)
		}
	}
	return names
}

// crossEntropy is the mean of -log softmax(logits)[label], over all but the last axis
// of logits [..., C]; labels are integers of the shape before it. A label of -1 adds
// nothing to the sum and counts in the mean.
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
// tokens int32 [B, O, P] count patches from 0, without the prefix of CLS and other
// tokens in front of them (vit.Config.Prefix), and are -1 where an object covers fewer
// than P. The result is [B, O, P, D], 0 for a token of -1.
//
// It is written as a product with a one-hot matrix: on a CPU its gradient is several
// times faster than a gather's, whose gradient is a scatter.
func objectTokens(resid, tokens *Node, prefix int) *Node {
	patches := Slice(resid, AxisRange(), AxisRangeToEnd(prefix)) // [B, g², D]
	oneHot := OneHot(tokens, patches.Shape().Dim(1), resid.DType())
	return Einsum("bopt,btd->bopd", oneHot, patches)
}

// meanRows returns for each object the weights that average over its tokens: [B, O, T],
// 1/|o| at the object's tokens and 0 at all others, those in front of the patches among them.
// tokens is int32 [B, O, P], -1 where an object covers fewer than P.
func meanRows(tokens *Node, c vit.Config) *Node {
	of := ReduceSum(OneHot(tokens, c.Tokens()-c.Prefix(), dtypes.Float32), 2) // [B, O, g²]
	of = Div(of, MaxScalar(ReduceAndKeep(of, ReduceSum, -1), 1))
	front := Zeros(of.Graph(), shapes.Make(of.DType(), of.Shape().Dim(0), of.Shape().Dim(1), c.Prefix()))
	return Concatenate([]*Node{front, of}, -1)
}
