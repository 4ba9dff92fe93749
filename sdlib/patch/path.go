package patch

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/vit"
)

// A Path is a way from one head to others that read what it writes (path patching: Wang et al.
// 2022, Goldowsky-Dill et al. 2023).
type Path struct {
	From vit.Head   `json:"from"`
	To   []vit.Head `json:"to,omitempty"` // in later blocks; none for the answer itself
	// Through are heads on the way that pass on what reaches them. All others keep the output
	// that they have on the image, as do the MLPs, unless MLPs pass it on, too.
	Through []vit.Head `json:"through,omitempty"`
	MLPs    bool       `json:"mlps,omitempty"`
}

// Path returns the model's answers to the experiment's images when what From has on the source,
// at every token, reaches To alone: what the receivers then hand on is put into the image,
// and the pass goes on from there. The change against the base is what the path carries; that
// of [Experiment.Interchange] at From is what all its paths carry together. Of all paths to
// heads only the first compiles, and likewise of those to the answer.
func (e *Experiment) Path(ctx context.Context, from *Sources, p Path, report progress.Func) (Answers, error) {
	for _, h := range p.To {
		if h.Block <= p.From.Block {
			return nil, fmt.Errorf("patch: no path leads from %s to %s: expected heads of later blocks", p.From, h)
		}
	}
	var masks [3][][]float32 // 0 at the heads, as HeadMask has it
	for i, heads := range [][]vit.Head{{p.From}, p.To, p.Through} {
		var err error
		if masks[i], err = e.m.Config.HeadMask(heads...); err != nil {
			return nil, fmt.Errorf("patch: %w", err)
		}
	}
	return e.path(ctx, from, masks, p.MLPs, len(p.To) == 0, report)
}

// path is Path with masks [L, H] of the heads From, To and Through.
func (e *Experiment) path(ctx context.Context, from *Sources, masks [3][][]float32, mlps, answer bool, report progress.Func) (Answers, error) {
	more, err := e.sourcesOf(from, AllTokens)
	if err != nil {
		return nil, err
	}
	keep := float32(1) // MLPs keep their output
	if mlps {
		keep = 0
	}
	c := e.m.Config
	return run(ctx, e, followPath, answer, 16*c.Blocks*c.Tokens()*c.Width, report, more, masks[0], masks[1], masks[2], keep)
}

// followPath computes margins along a path; answer says that it ends at the answer. Its inputs are the pixels, those of
// the sources, which token each takes its value from [B, T], the masks [L, H] of sender,
// receivers and heads that pass on, 0 at them, and 1 where MLPs keep their output.
var followPath = runner.New("patch paths", func(c vit.Config, answer bool, w *vit.Weights[*Node], in []*Node) []*Node {
	tokens, sender, receivers, through, mlpsKeep := in[2], in[3], in[4], in[5], in[6]
	const heads, mlp = "attn/heads", "mlp/out"
	_, source := vit.Forward(c, w, in[1], vit.Want("block*/"+heads))
	_, base := vit.Forward(c, w, in[0], vit.Want("block*/"+heads, "block*/"+mlp))

	// Everything keeps its value but the sender and what passes on; what would follow at each head is heard.
	heard := make([]*Node, c.Blocks)
	var frozen []vit.Option
	for l := range c.Blocks {
		name := vit.BlockNode(l, heads)
		frozen = append(frozen,
			vit.Edit(name, func(_ string, z *Node) *Node {
				heard[l] = Where(others(sender, l, z), z, moved(source.Get(name), tokens))
				kept := LogicalAnd(others(sender, l, z), others(through, l, z))
				return Where(kept, base.Get(name), heard[l])
			}),
			vit.Edit(vit.BlockNode(l, mlp), func(name string, x *Node) *Node {
				keep := Reshape(mlpsKeep, 1, 1, 1)
				return Where(broadcast(NotEqual(keep, ZerosLike(keep)), x), base.Get(name), x)
			}))
	}
	logits, _ := vit.Forward(c, w, in[0], frozen...)
	if answer {
		return []*Node{margin(logits)}
	}
	var opts []vit.Option
	for l := range c.Blocks {
		opts = append(opts, editHeads(l, receivers, func(*Node) *Node { return heard[l] }))
	}
	logits, _ = vit.Forward(c, w, in[0], opts...)
	return []*Node{margin(logits)}
})
