package attribution

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Contributions takes a model's answers to images of a set apart, in the order of their
// indices; nil stands for all images. The package's documentation has the definition.
//
// It fails for a model that does not have two classes (different and same), for a set of
// another geometry than the model's, and for an index outside the set.
func Contributions(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) ([]Contribution, error) {
	c := m.Config
	if err := m.Answers(); err != nil {
		return nil, fmt.Errorf("attribution: %w", err)
	}
	images, err := choose(c, set, images)
	if err != nil {
		return nil, err
	}
	all := make([]Contribution, 0, len(images))
	err = contribute.Run(ctx, be, m, struct{}{}, runner.Work{
		N:     len(images),
		Feed:  runner.Images(c, set, images),
		Bytes: 4 * c.Blocks * c.Heads * c.Tokens() * c.Width, // what the heads write: 87 MB for an image in a ViT-B/16
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := finite(out[0], len(items), images[items[0]:])
			for _, row := range rows {
				all = append(all, newContribution(c, row))
			}
			return err
		},
		Report: report,
	})
	return all, err
}

// contribute computes, for each image, the numbers of a Contribution in a row: Logit,
// Embed, Rest, then for each block its heads and its MLP. [B, 3 + L(H+1)]
var contribute = runner.New("contributions", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	last := vit.BlockNode(c.Blocks-1, "resid_post")
	logits, trace := vit.Forward(c, w, in[0], vit.Want(vit.PartNodes...), vit.Want(last, "final"))
	of := func(label int) *Node { return Slice(logits, AxisRange(), AxisElem(label)) } // [B, 1]
	logit := Sub(of(1), of(0))

	// The head is linear: u is the gradient of the difference with respect to what it reads.
	u := Gradient(ReduceAllSum(logit), trace.Get("final"))[0] // [B, T, D]

	// v = (γ⊙u - mean(γ⊙u))/σ
	x := trace.Get(last)
	σ := Sqrt(AddScalar(mean(Square(Sub(x, mean(x)))), c.NormEps)) // [B, T, 1]
	v := Mul(u, ExpandLeftToRank(w.Norm.Scale, u.Rank()))
	v = Div(Sub(v, mean(v)), σ) // [B, T, D]

	parts := vit.Decompose(w, trace)
	written := func(x *Node) *Node { return ExpandAxes(Einsum("btd,btd->b", x, v), -1) } // [B, 1]
	rest := ExpandAxes(ReduceSum(Mul(u, ExpandLeftToRank(w.Norm.Shift, u.Rank())), 1, 2), -1)
	if b := w.Head.B; b != nil {
		rest = Add(rest, ExpandLeftToRank(Sub(Slice(b, AxisElem(1)), Slice(b, AxisElem(0))), 2))
	}
	var blocks []*Node
	for l := range parts.Heads {
		rest = Add(rest, written(BroadcastToShape(ExpandLeftToRank(parts.Bias[l], x.Rank()), x.Shape())))
		blocks = append(blocks, Einsum("bhtd,btd->bh", parts.Heads[l], v), written(parts.MLP[l]))
	}
	return []*Node{Concatenate(append([]*Node{logit, written(parts.Embed), rest}, blocks...), -1)}
})

// mean is that of each token's vector: [B, T, D] to [B, T, 1].
func mean(x *Node) *Node { return ReduceAndKeep(x, ReduceMean, -1) }

// newContribution gives the numbers of a row their names.
func newContribution(c vit.Config, row []float64) Contribution {
	out := Contribution{Logit: row[0], Embed: row[1], Rest: row[2]}
	row = row[3:]
	for range c.Blocks {
		out.Heads, out.MLP = append(out.Heads, row[:c.Heads:c.Heads]), append(out.MLP, row[c.Heads])
		row = row[c.Heads+1:]
	}
	return out
}
