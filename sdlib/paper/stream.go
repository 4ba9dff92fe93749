package paper

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// StreamFigure follows one image of a set through the residual stream. On the left, how
// long the vectors are at CLS, at each object and elsewhere, from the embedding on; on
// the right, what the answer would be if it were read after each block: the final norm
// and the head are put on the stream as it is there (the logit lens, nostalgebraist
// 2020). Above 0 the answer is same.
func StreamFigure(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, image int) (*figure.Figure, error) {
	if err := suits(m.Config, set, image); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, s := m.Config, set.Stimulus(image)
	rows, err := stream(be, m, set.Images([]int{image}))
	if err != nil {
		return nil, err
	}
	norms := figure.Lines{Title: "Length of the vectors", XLabel: "blocks passed", YLabel: "norm"}
	add := func(name string, tokens []int) {
		line := figure.Series{Name: name}
		for _, row := range rows {
			sum := 0.0
			for _, t := range tokens {
				sum += float64(row[t])
			}
			line.Values = append(line.Values, sum/float64(len(tokens)))
		}
		norms.Series = append(norms.Series, line)
	}
	if c.Family.Traits().CLS {
		add("CLS", []int{0})
	}
	covered := map[int]bool{}
	for _, o := range s.Objects {
		var tokens []int
		for _, p := range o.Tokens {
			tokens = append(tokens, c.Prefix()+p)
			covered[c.Prefix()+p] = true
		}
		add(string(o.Role), tokens)
	}
	var background []int
	for t := c.Prefix(); t < c.Tokens(); t++ {
		if !covered[t] {
			background = append(background, t)
		}
	}
	if len(background) > 0 {
		add("background", background)
	}
	lens := figure.Lines{
		Title: "Answer, if it were read here", XLabel: "blocks passed", YLabel: "logits: same − different",
		Series: []figure.Series{{}}, NoLegend: true, Guides: []figure.Guide{{}},
	}
	for _, row := range rows {
		lens.Series[0].Values = append(lens.Series[0].Values, float64(row[c.Tokens()]))
	}
	return checked(figure.Grid{Figures: []*figure.Figure{norms.Figure(), lens.Figure()}, NoLetters: true}.Figure())
}

// stream returns a row for the embedding and one for each block: the norms of an image's
// T vectors there, and the difference of the logits that the head would read. [L+1][T+1]
func stream(be *backend.Backend, m *vit.Model, pixels []uint8) ([][]float32, error) {
	c := m.Config
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		_, trace := vit.Forward(c, w, in[0], vit.Want("embed", "block*/resid_post"))
		var rows []*Node
		for _, x := range trace.All() { // [1, T, D]
			logits, _ := vit.ForwardFrom(c, w, c.Blocks-1, x)
			norms := Reshape(L2Norm(x, -1), 1, c.Tokens())
			rows = append(rows, Concatenate([]*Node{norms, sameMinusDifferent(logits)}, 1))
		}
		return []*Node{Concatenate(rows, 0)}
	})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return rowsOf(p, m, pixels)
}
