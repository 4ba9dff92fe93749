package patch

import (
	"context"
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/vit"
)

// A Replacement is what stands in for the output of a head that is knocked out.
type Replacement string

const (
	// Zero is nothing: zero ablation. The model has never met a head that is silent, so
	// part of what happens may be due to that.
	Zero Replacement = ""
	// Mean is the head's mean output over the experiment's images, at each token: the
	// blocks above find what they usually find, and learn nothing of this image.
	Mean Replacement = "mean"
	// Resample is the head's output on another image of the experiment, at the same
	// token: a possible output, of the wrong image. Which one depends on the seed.
	Resample Replacement = "resample"
)

// Replacements are all there are.
var Replacements = []Replacement{Zero, Mean, Resample}

// String returns "zero", "mean" or "resample".
func (r Replacement) String() string {
	if r == Zero {
		return "zero"
	}
	return string(r)
}

// A KnockOut is heads whose output is replaced, at every token. Its zero value leaves the
// model as it is.
type KnockOut struct {
	Heads []vit.Head  `json:"heads,omitempty"`
	By    Replacement `json:"by,omitempty"`
	Seed  uint64      `json:"seed,omitempty"` // of Resample
}

// KnockOut returns the model's answers under a knock-out. Which heads are off is an input
// of the compiled program, so that of all choices of heads, and of a sweep over all heads,
// only the first compiles.
func (e *Experiment) KnockOut(ctx context.Context, k KnockOut, report progress.Func) (Answers, error) {
	keep, err := e.m.Config.HeadMask(k.Heads...)
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	switch k.By {
	case Zero:
		return run(ctx, e, silence, struct{}{}, 0, report, nil, keep)
	case Mean:
		means, err := e.headMeans(ctx, report)
		if err != nil {
			return nil, err
		}
		return run(ctx, e, replace, struct{}{}, 0, report, nil, keep, means)
	case Resample:
		sources, err := e.others(k.Seed)
		if err != nil {
			return nil, err
		}
		more := func(items []int) ([]any, error) {
			x, err := e.pixels(fmt.Sprintf("others %d", k.Seed), e.set, sources, items)
			return []any{x}, err
		}
		c := e.m.Config
		return run(ctx, e, resample, struct{}{}, 4*c.Blocks*c.Tokens()*c.Width, report, more, keep)
	}
	return nil, fmt.Errorf("patch: heads replaced by %q: expected \"\" (zero), %q or %q", k.By, Mean, Resample)
}

// Base returns the model's answers without an intervention.
func (e *Experiment) Base(ctx context.Context, report progress.Func) (Answers, error) {
	return e.KnockOut(ctx, KnockOut{}, report)
}

// silence multiplies the heads' outputs by a mask [L, H].
var silence = runner.New("knock out heads", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	logits, _ := vit.Forward(c, w, in[0], vit.Heads(in[1]), vit.LogitsOnly())
	return []*Node{margin(logits)}
})

// replace puts given values [L, T, H, d] in place of the outputs of the heads whose entry of a mask [L, H] is 0.
var replace = runner.New("replace heads", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	keep, instead := in[1], in[2]
	opts := []vit.Option{vit.LogitsOnly()}
	for l := range c.Blocks {
		opts = append(opts, editHeads(l, keep, func(z *Node) *Node {
			return BroadcastToDims(Slice(instead, AxisElem(l)), z.Shape().Dimensions...) // [1, T, H, d] for all images
		}))
	}
	logits, _ := vit.Forward(c, w, in[0], opts...)
	return []*Node{margin(logits)}
})

// resample puts the outputs on other images in place of those of the heads whose entry of a mask [L, H] is 0.
// Its inputs are the pixels, those of the other images, and the mask.
var resample = runner.New("resample heads", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	keep := in[2]
	_, other := vit.Forward(c, w, in[1], vit.Want("block*/attn/heads"))
	opts := []vit.Option{vit.LogitsOnly()}
	for l := range c.Blocks {
		opts = append(opts, editHeads(l, keep, func(*Node) *Node { return other.Get(vit.BlockNode(l, "attn/heads")) }))
	}
	logits, _ := vit.Forward(c, w, in[0], opts...)
	return []*Node{margin(logits)}
})

// editHeads replaces the outputs z [B, T, H, d] of the heads of block l whose entry of keep [L, H] is 0.
func editHeads(l int, keep *Node, instead func(z *Node) *Node) vit.Option {
	return vit.Edit(vit.BlockNode(l, "attn/heads"), func(_ string, z *Node) *Node {
		return Where(others(keep, l, z), z, instead(z))
	})
}

// others is true at the outputs z [B, T, H, d] of the heads of block l whose entry of a mask [L, H] is not 0.
func others(mask *Node, l int, z *Node) *Node {
	on := Reshape(Slice(mask, AxisElem(l)), 1, 1, z.Shape().Dim(2), 1)
	return broadcast(NotEqual(on, ZerosLike(on)), z)
}

// broadcast repeats x along its axes of size 1 to the shape of y.
func broadcast(x, y *Node) *Node { return BroadcastToDims(x, y.Shape().Dimensions...) }

// headSums adds up the heads' outputs over the images of a batch, each times its weight: [L, T, H, d].
var headSums = runner.New("mean outputs of heads", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	_, trace := vit.Forward(c, w, in[0], vit.Want("block*/attn/heads"))
	var sums []*Node
	for _, z := range trace.All() {
		sums = append(sums, ReduceSum(Mul(z, Reshape(in[1], -1, 1, 1, 1)), 0))
	}
	return []*Node{Stack(sums, 0)}
})

// headMeans returns the heads' mean outputs over the experiment's images, [L][T][H][d].
func (e *Experiment) headMeans(ctx context.Context, report progress.Func) ([][][][]float32, error) {
	if e.means != nil {
		return e.means, nil
	}
	c := e.m.Config
	sums := make([]float64, c.Blocks*c.Tokens()*c.Width)
	err := headSums.Run(ctx, e.be, e.m, struct{}{}, runner.Work{
		N: len(e.images),
		Feed: func(items []int) ([]any, error) {
			x, err := e.pixels("base", e.set, e.images, items)
			once := make([]float32, len(items)) // the last item may be repeated
			for i := range items {
				if i == 0 || items[i] != items[i-1] {
					once[i] = 1
				}
			}
			return []any{x, once}, err
		},
		Hold:  e.hold,
		Bytes: 4 * c.Blocks * c.Tokens() * c.Width,
		Take: func(_ []int, out []*tensors.Tensor) error {
			flat, err := tensors.CopyFlatData[float32](out[0])
			for i, v := range flat {
				sums[i] += float64(v)
			}
			return err
		},
		Report: report,
	})
	if err != nil {
		return nil, err
	}
	means := make([][][][]float32, c.Blocks)
	at := 0
	for l := range means {
		means[l] = make([][][]float32, c.Tokens())
		for t := range means[l] {
			means[l][t] = make([][]float32, c.Heads)
			for h := range means[l][t] {
				means[l][t][h] = make([]float32, c.HeadDim())
				for i := range means[l][t][h] {
					means[l][t][h][i] = float32(sums[at] / float64(len(e.images)))
					at++
				}
			}
		}
	}
	e.means = means
	return means, nil
}

// others returns for each image of the experiment another one of its images, each once:
// the next in a random order, which the seed decides.
func (e *Experiment) others(seed uint64) ([]int, error) {
	n := len(e.images)
	if n < 2 {
		return nil, fmt.Errorf("patch: an output on another image needs two images or more, the experiment has %d", n)
	}
	order := rand.New(rand.NewPCG(seed, 0x07e5)).Perm(n)
	other := make([]int, n)
	for i, at := range order {
		other[at] = e.images[order[(i+1)%n]]
	}
	return other, nil
}
