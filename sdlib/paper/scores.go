package paper

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// ScoreFigure shows how a head of a model comes to look where it looks, on one image of a
// set: on the left the scores q·k/√d of the first object's tokens (their mean) with every
// patch, on the right the attention weights that the softmax makes of them. CLS and other
// tokens in front have scores too, but no place in the image.
func ScoreFigure(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, image int, h attention.Head) (*figure.Figure, error) {
	if err := suits(m.Config, set, image); err != nil {
		return nil, err
	}
	if h.Block < 0 || h.Block >= m.Config.Blocks || h.Head < 0 || h.Head >= m.Config.Heads {
		return nil, fmt.Errorf("paper: there is no %s: the model has blocks 0 to %d with heads 0 to %d", h, m.Config.Blocks-1, m.Config.Heads-1)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	img, s := set.Image(image), set.Stimulus(image)
	first, second := s.Objects[s.Pairs[0].First], s.Objects[s.Pairs[0].Second]
	rows, err := scores(be, m, set.Images([]int{image}), h, first.Tokens)
	if err != nil {
		return nil, err
	}
	overlay := func(title string, row []float32) figure.Overlay {
		o := figure.Overlay{Image: img, Title: title, Size: 2, Boxes: []figure.Box{
			{Name: "from " + string(first.Role), Patches: first.Tokens},
			{Name: string(second.Role), Patches: second.Tokens, Color: figure.SeriesColor(2), Dashed: true},
		}}
		for _, v := range row[m.Config.Prefix():] {
			o.Weights = append(o.Weights, float64(v))
		}
		return o
	}
	before, after := overlay("Scores\n"+h.String(), rows[0]), overlay("Weights\n"+h.String(), rows[1])
	for _, v := range before.Weights {
		before.Max = max(before.Max, v, -v)
	}
	before.Min, before.Map = -before.Max, figure.RdBu()
	return checked(figure.Grid{Figures: []*figure.Figure{before.Figure(), after.Figure()}, NoLetters: true}.Figure())
}

// scores returns a head's scores and weights of all tokens, averaged over the rows of some patches: [2][T].
func scores(be *backend.Backend, m *vit.Model, pixels []uint8, h attention.Head, patches []int) ([][]float32, error) {
	c := m.Config
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		_, trace := vit.Forward(c, w, in[0], vit.Want(vit.BlockNode(h.Block, "attn/scores"), vit.BlockNode(h.Block, "attn/weights")))
		var rows []*Node
		for _, A := range trace.All() { // [1, H, T, T]
			A = Reshape(Slice(A, AxisElem(0), AxisElem(h.Head)), c.Tokens(), c.Tokens())
			var from []*Node
			for _, patch := range patches {
				from = append(from, Slice(A, AxisElem(c.Prefix()+patch)))
			}
			rows = append(rows, ReduceAndKeep(Concatenate(from, 0), ReduceMean, 0))
		}
		return []*Node{Concatenate(rows, 0)}
	})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return rowsOf(p, m, pixels)
}
