package patch

import (
	"context"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/vit"
)

// Attribution estimates [Experiment.Interchange] at all points of a site at once, by a
// gradient (attribution patching: Nanda 2023; Syed, Rager and Conmy 2023): if v is a value in
// the image and v' the source's,
//
//	margin(v') ≈ margin(v) + (v' - v) · ∂margin/∂v
//
// It returns for each image of the experiment the estimated change at every point, [n][points].
// One forward pass of the source and one forward and backward pass of the image replace two
// forward passes for each point. The estimate is good where the way from v to v' is short or
// straight, as for single heads, and poor where it leads through a softmax that saturates or a
// norm, as for whole streams.
func (e *Experiment) Attribution(ctx context.Context, from *Sources, site Site, g Group, report progress.Func) ([][]float64, error) {
	if err := site.known(); err != nil {
		return nil, err
	}
	more, err := e.sourcesOf(from, g)
	if err != nil {
		return nil, err
	}
	var all [][]float64
	err = attribute.Run(ctx, e.be, e.m, site, runner.Work{
		N: len(e.images),
		Feed: func(items []int) ([]any, error) {
			x, err := e.pixels("base", e.set, e.images, items)
			if err != nil {
				return nil, err
			}
			rest, err := more(items)
			return append([]any{x}, rest...), err
		},
		Hold:  e.hold,
		Bytes: 12*site.values(e.m.Config) + 8*e.m.Config.Blocks*e.m.Config.Heads*e.m.Config.Tokens()*e.m.Config.Tokens(), // what the backward pass keeps
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float64](out[0], len(items))
			all = append(all, rows...)
			return err
		},
		Report: report,
	})
	return all, err
}

// attribute computes the estimates [B, points] in float64. Its inputs are those of interchange but the last.
var attribute = runner.New("attribution patching", func(c vit.Config, site Site, w *vit.Weights[*Node], in []*Node) []*Node {
	nodes := site.nodes(c)
	_, source := vit.Forward(c, w, in[1], vit.Want(nodes...))
	logits, base := vit.Forward(c, w, in[0], vit.Want(nodes...))
	slopes := Gradient(ReduceAllSum(margin(logits)), base.All()...) // an image's margin depends on its own values alone
	var estimates []*Node
	for l, name := range nodes {
		v := base.Get(name)
		change := Where(taken(in[2], v), Sub(moved(source.Get(name), in[2]), v), ZerosLike(v))
		estimate := ConvertDType(Mul(change, slopes[l]), dtypes.Float64)
		if site == HeadSite {
			estimates = append(estimates, ReduceSum(estimate, 1, 3)) // [B, H]
		} else {
			estimates = append(estimates, ExpandAxes(ReduceSum(estimate, 1, 2), -1)) // [B, 1]
		}
	}
	return []*Node{Concatenate(estimates, 1)}
})
