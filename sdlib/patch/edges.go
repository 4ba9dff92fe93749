package patch

import (
	"context"
	"fmt"
	"math"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// An Edge is a way that information takes through attention: the tokens of To read those of
// From. (So From are keys and To are queries; package attention writes mass(query → key), the
// other way round.)
type Edge struct {
	From Group `json:"from"`
	To   Group `json:"to"`
}

// String returns "objects → CLS".
func (e Edge) String() string { return string(e.From) + " → " + string(e.To) }

// ParseEdge reads an edge as "objects>CLS" or as its String.
func ParseEdge(text string) (Edge, error) {
	from, to, ok := strings.Cut(strings.ReplaceAll(text, "→", ">"), ">")
	e := Edge{Group(strings.TrimSpace(from)), Group(strings.TrimSpace(to))}
	if !ok || e.From == "" || e.To == "" {
		return e, fmt.Errorf("patch: %q is no edge: expected two groups of tokens, FROM>TO, such as %q", text, "objects>CLS")
	}
	return e, nil
}

// Edges are those that the way of an answer is made of: from object to object, from the
// objects over the background, and to CLS, which the answer is read from. For RMTS
// the edges between pairs come behind those within a pair.
func Edges(task stimuli.Task) []Edge {
	all := []Edge{{Own, Objects}, {Partner, Objects}}
	if task == stimuli.RMTS {
		all = append(all, Edge{Others, Objects})
	}
	return append(all, Edge{Objects, Background}, Edge{Background, Objects}, Edge{Background, Background},
		Edge{Objects, CLS}, Edge{Background, CLS}, Edge{CLS, Objects}, Edge{CLS, Background})
}

// mark sets cut[q*T+k] to 1 for every query q and key k of the edge in an image.
func (e Edge) mark(c vit.Config, s stimuli.Stimulus, cut []uint8) error {
	T, found := c.Tokens(), false
	join := func(from, to []int) {
		for _, q := range to {
			for _, k := range from {
				cut[q*T+k], found = 1, true
			}
		}
	}
	switch {
	case e.From.relative() && e.To == Objects, e.To.relative() && e.From == Objects:
		for i := range s.Objects {
			own := Own.seenFrom(c, s, i)
			if e.From.relative() {
				join(e.From.seenFrom(c, s, i), own)
			} else {
				join(own, e.To.seenFrom(c, s, i))
			}
		}
		if !found {
			group := e.From
			if e.To.relative() {
				group = e.To
			}
			return group.missing(s)
		}
		return nil
	}
	from, err := e.From.tokens(c, s)
	if err != nil {
		return err
	}
	to, err := e.To.tokens(c, s)
	if err != nil {
		return err
	}
	join(from, to)
	return nil
}

// Blocks is a range of blocks, both ends included.
type Blocks struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// String returns "4-6", or "4" for a single block.
func (b Blocks) String() string {
	if b.First == b.Last {
		return fmt.Sprint(b.First)
	}
	return fmt.Sprintf("%d-%d", b.First, b.Last)
}

// check returns an error unless a model has the blocks.
func (b Blocks) check(c vit.Config) error {
	if b.First < 0 || b.First > b.Last || b.Last >= c.Blocks {
		return fmt.Errorf("patch: blocks %d to %d, expected a range within 0 to %d", b.First, b.Last, c.Blocks-1)
	}
	return nil
}

// Sliding returns all ranges of so many blocks in a model, from the lowest to the highest.
func Sliding(c vit.Config, width int) ([]Blocks, error) {
	if width < 1 || width > c.Blocks {
		return nil, fmt.Errorf("patch: ranges of %d blocks, expected 1 to %d, all of the model", width, c.Blocks)
	}
	var all []Blocks
	for l := range c.Blocks - width + 1 {
		all = append(all, Blocks{l, l + width - 1})
	}
	return all, nil
}

// A Cut is edges that are removed from the attention of all heads in a range of blocks.
type Cut struct {
	Edges  []Edge `json:"edges,omitempty"`
	Blocks Blocks `json:"blocks"`
	// AfterSoftmax removes the weights and leaves the others as they are, so that rows no
	// longer sum to 1. Otherwise the scores are removed before the softmax, and what is left
	// is renormalized: the tokens read as much as before, elsewhere. A token whose every
	// edge is cut reads nothing.
	AfterSoftmax bool `json:"after_softmax,omitempty"`
}

// Cut returns the model's answers with edges removed. Which tokens an edge joins differs
// from image to image; it is an input of the compiled program, as are the blocks.
func (e *Experiment) Cut(ctx context.Context, cut Cut, report progress.Func) (Answers, error) {
	c := e.m.Config
	if err := cut.Blocks.check(c); err != nil {
		return nil, err
	}
	in := make([]float32, c.Blocks) // 1 in the blocks whose edges are cut
	for l := cut.Blocks.First; l <= cut.Blocks.Last; l++ {
		in[l] = 1
	}
	T := c.Tokens()
	more := func(items []int) ([]any, error) {
		joined := make([][]uint8, len(items)) // [B][T*T]
		for i, image := range runner.Pick(e.images, items) {
			joined[i] = make([]uint8, T*T)
			for _, edge := range cut.Edges {
				if err := edge.mark(c, e.set.Stimulus(image), joined[i]); err != nil {
					return nil, fmt.Errorf("edge %s: %w", edge, err)
				}
			}
		}
		return []any{joined}, nil
	}
	return run(ctx, e, cutEdges, cut.AfterSoftmax, 4*c.Heads*T*T, report, more, in)
}

// cutEdges computes margins without the attention from query q to key k where cut [B, T*T] is 1
// and the block's entry of blocks [L] is 1. Its inputs are pixels, cut and blocks.
var cutEdges = runner.New("cut edges", func(c vit.Config, afterSoftmax bool, w *vit.Weights[*Node], in []*Node) []*Node {
	T := c.Tokens()
	cut := Reshape(in[1], -1, 1, T, T) // [B, 1, T, T]
	var opts []vit.Option
	for l := range c.Blocks {
		here := Reshape(Slice(in[2], AxisElem(l)), 1, 1, 1, 1)
		remove := func(x *Node, value float64) *Node {
			cond := LogicalAnd(broadcast(NotEqual(cut, ZerosLike(cut)), x), broadcast(NotEqual(here, ZerosLike(here)), x))
			return Where(cond, Scalar(x.Graph(), x.DType(), value), x)
		}
		if !afterSoftmax {
			opts = append(opts, vit.Edit(vit.BlockNode(l, "attn/scores"), func(_ string, s *Node) *Node { return remove(s, lowest) }))
		}
		// Before the softmax this is for rows without any key left, whose weights are not 0.
		opts = append(opts, vit.Edit(vit.BlockNode(l, "attn/weights"), func(_ string, A *Node) *Node { return remove(A, 0) }))
	}
	logits, _ := vit.Forward(c, w, in[0], opts...)
	return []*Node{margin(logits)}
})

// lowest is a score that a softmax makes nothing of, and that is finite.
const lowest = -math.MaxFloat32 / 4
