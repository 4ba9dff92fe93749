package patch

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/vit"
)

// A Site is a kind of value that is taken from one image and put into another.
type Site string

const (
	Stream    Site = "stream"    // the residual stream, at the points 0 (the embedding) to L (what the last block leaves)
	Attention Site = "attention" // what a block's attention adds to the stream
	MLP       Site = "mlp"       // what a block's MLP adds to the stream
	HeadSite  Site = "heads"     // what a head hands on, before the output layer
)

// Sites are all there are.
var Sites = []Site{Stream, Attention, MLP, HeadSite}

// Points returns the number of places of a site: L+1 for the stream, L for attention and
// MLPs, and L·H for heads, block by block.
func (s Site) Points(c vit.Config) int {
	switch s {
	case Stream:
		return c.Blocks + 1
	case HeadSite:
		return c.Blocks * c.Heads
	}
	return c.Blocks
}

// Name returns a point's name: "2", or for a head "L3H1".
func (s Site) Name(c vit.Config, point int) string {
	if s == HeadSite {
		return fmt.Sprintf("L%dH%d", point/c.Heads, point%c.Heads)
	}
	return fmt.Sprint(point)
}

// known returns an error for a site that there is not.
func (s Site) known() error {
	for _, known := range Sites {
		if s == known {
			return nil
		}
	}
	return fmt.Errorf("patch: there is no site %q: expected one of %q", s, Sites)
}

// nodes returns the names of a site's values, in the order of its points; those of heads hold all heads of a block.
func (s Site) nodes(c vit.Config) []string {
	var all []string
	if s == Stream {
		all = append(all, "embed")
	}
	name := map[Site]string{Stream: "resid_post", Attention: "attn/out", MLP: "mlp/out", HeadSite: "attn/heads"}[s]
	for l := range c.Blocks {
		all = append(all, vit.BlockNode(l, name))
	}
	return all
}

// values is how many numbers a site has in an image.
func (s Site) values(c vit.Config) int { return len(s.nodes(c)) * c.Tokens() * c.Width }

// A Swap says which values to put into an image: those of a site at a point, at the tokens of a group.
type Swap struct {
	Site  Site  `json:"site"`
	Point int   `json:"point"`
	Group Group `json:"group"`
}

// Interchange returns the model's answers to the experiment's images with values taken from
// their sources (interchange intervention, activation patching). Of all points and groups
// of a site only the first compiles.
func (e *Experiment) Interchange(ctx context.Context, from *Sources, s Swap, report progress.Func) (Answers, error) {
	c := e.m.Config
	if err := s.Site.known(); err != nil {
		return nil, err
	}
	if n := s.Site.Points(c); s.Point < 0 || s.Point >= n {
		return nil, fmt.Errorf("patch: point %d of %s, expected 0 to %d", s.Point, s.Site, n-1)
	}
	more, err := e.sourcesOf(from, s.Group)
	if err != nil {
		return nil, err
	}
	at := make([]float32, s.Site.Points(c))
	at[s.Point] = 1
	return run(ctx, e, interchange, s.Site, 4*s.Site.values(c), report, more, at)
}

// sourcesOf returns the inputs behind an experiment's pixels: those of the sources, and
// which token each takes its value from, int32 [B, T].
func (e *Experiment) sourcesOf(s *Sources, g Group) (func(items []int) ([]any, error), error) {
	if err := s.check(e); err != nil {
		return nil, err
	}
	if err := runner.Fits(e.m.Config, s.Set); err != nil {
		return nil, fmt.Errorf("patch: sources: %w", err)
	}
	if _, err := runner.Choose(s.Set, s.Images); err != nil {
		return nil, fmt.Errorf("patch: sources: %w", err)
	}
	return func(items []int) ([]any, error) {
		x, err := e.pixels(fmt.Sprintf("sources %p", s), s.Set, s.Images, items)
		if err != nil {
			return nil, err
		}
		tokens := make([][]int32, len(items))
		for b, i := range items {
			if tokens[b], err = s.from(e.m.Config, e.set.Stimulus(e.images[i]), i, g); err != nil {
				return nil, err
			}
		}
		return []any{x, tokens}, nil
	}, nil
}

// interchange computes margins of images with a site's values from other images. Its inputs are
// the pixels, those of the sources, which token of the source each takes its value from
// [B, T] (-1: none), and at which points [points].
var interchange = runner.New("interchange", func(c vit.Config, site Site, w *vit.Weights[*Node], in []*Node) []*Node {
	nodes := site.nodes(c)
	_, source := vit.Forward(c, w, in[1], vit.Want(nodes...))
	var opts []vit.Option
	for l, name := range nodes {
		opts = append(opts, vit.Edit(name, func(_ string, x *Node) *Node {
			return Where(LogicalAnd(taken(in[2], x), site.at(in[3], l, x)), moved(source.Get(name), in[2]), x)
		}))
	}
	logits, _ := vit.Forward(c, w, in[0], opts...)
	return []*Node{margin(logits)}
})

// at is true at the values x of the l-th node of a site, [B, T, D] or [B, T, H, d], whose point is 1 in points.
func (s Site) at(points *Node, l int, x *Node) *Node {
	if s == HeadSite {
		H := x.Shape().Dim(2)
		on := Reshape(Slice(points, AxisRange(l*H, (l+1)*H)), 1, 1, H, 1)
		return broadcast(NotEqual(on, ZerosLike(on)), x)
	}
	on := Slice(points, AxisElem(l))
	for on.Rank() < x.Rank() {
		on = ExpandAxes(on, 0)
	}
	return broadcast(NotEqual(on, ZerosLike(on)), x)
}

// taken is true at the tokens of x [B, T, ...] that take a value from a source: those whose from [B, T] is not -1.
func taken(from, x *Node) *Node {
	on := GreaterOrEqual(from, ZerosLike(from))
	for on.Rank() < x.Rank() {
		on = ExpandAxes(on, -1)
	}
	return broadcast(on, x)
}

// moved returns x [B, T, ...] with each token's value taken from the token that from [B, T] names; -1 names token 0.
func moved(x, from *Node) *Node {
	image := Iota(x.Graph(), from.Shape(), 0)
	return Gather(x, Stack([]*Node{image, Max(from, ZerosLike(from))}, -1)) // [B, T, ...] by [B, T, 2]
}
