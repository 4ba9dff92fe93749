package paper

import (
	"context"
	"errors"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Contribution takes the answer to one image apart, or its mean over several: what
// each part of the model writes directly into the difference of the logits, same minus
// different,
//
//	Logit = Embed + Σ_l (Σ_h Heads[l][h] + MLP[l]) + Rest
//
// Directly means by the head that reads the answer, and not by way of what later blocks
// make of it: a part may matter much that writes nothing here.
type Contribution struct {
	Logit float64
	Embed float64     // patches, special tokens and positions
	Heads [][]float64 // [L][H]
	MLP   []float64   // [L]
	Rest  float64     // biases: of attention's output layers, of the final norm, of the head
}

// HeadSum adds up the heads' contributions, MLPSum those of the MLPs.
func (c Contribution) HeadSum() float64 {
	sum := 0.0
	for _, heads := range c.Heads {
		sum += total(heads)
	}
	return sum
}

func (c Contribution) MLPSum() float64 { return total(c.MLP) }

// Strongest is the head that contributes most, either way.
func (c Contribution) Strongest() attention.Head {
	var best attention.Head
	largest := -1.0
	for l, heads := range c.Heads {
		for h, v := range heads {
			if v = math.Abs(v); v > largest {
				largest, best = v, attention.Head{Block: l, Head: h}
			}
		}
	}
	return best
}

// Minus is the difference of two contributions, part by part: what tells one image, or
// the mean over some, from another.
func (c Contribution) Minus(o Contribution) Contribution {
	d := Contribution{Logit: c.Logit - o.Logit, Embed: c.Embed - o.Embed, Rest: c.Rest - o.Rest}
	for l := range c.MLP {
		d.MLP = append(d.MLP, c.MLP[l]-o.MLP[l])
		d.Heads = append(d.Heads, make([]float64, len(c.Heads[l])))
		for h := range c.Heads[l] {
			d.Heads[l][h] = c.Heads[l][h] - o.Heads[l][h]
		}
	}
	return d
}

func total(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

// MeanContribution averages contributions of one model over images.
func MeanContribution(all []Contribution) Contribution {
	var mean Contribution
	n := float64(len(all))
	for i, c := range all {
		if i == 0 {
			mean.MLP = make([]float64, len(c.MLP))
			mean.Heads = make([][]float64, len(c.Heads))
		}
		mean.Logit += c.Logit / n
		mean.Embed += c.Embed / n
		mean.Rest += c.Rest / n
		for l := range c.MLP {
			mean.MLP[l] += c.MLP[l] / n
			if i == 0 {
				mean.Heads[l] = make([]float64, len(c.Heads[l]))
			}
			for h, v := range c.Heads[l] {
				mean.Heads[l][h] += v / n
			}
		}
	}
	return mean
}

// Contributions takes the model's answers to some images of a set apart, in their order.
//
// With x the residual stream as the last block leaves it and u the direction in which
// the head reads same against different, the logits differ by Σ u · LayerNorm(x) + bias.
// The norm divides by the standard deviation of x, which here is that of the image as it
// is: so it acts as a linear map, and the parts of x that [vit.Decompose] finds give the
// parts of the answer. This is known as direct logit attribution (Elhage et al. 2021).
func Contributions(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) ([]Contribution, error) {
	if len(images) == 0 {
		return nil, errors.New("paper: the contributions to no image were asked for")
	}
	if err := suits(m.Config, set, images...); err != nil {
		return nil, err
	}
	c := m.Config
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node { return []*Node{contributions(c, w, in[0])} })
	if err != nil {
		return nil, err
	}
	defer p.Close()
	meter := progress.New("contributions", "images", len(images), report)
	defer meter.Finish("")
	var all []Contribution
	size := min(contributionBatch, len(images))
	for at := 0; at < len(images); at += size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch := make([]int, size) // filled up with the last image, so that one compiled program serves all
		for i := range batch {
			batch[i] = images[min(at+i, len(images)-1)]
		}
		rows, err := rowsOf(p, m, set.Images(batch))
		if err != nil {
			return nil, err
		}
		for _, row := range rows[:min(size, len(images)-at)] {
			all = append(all, newContribution(c, row))
		}
		meter.Set(len(all), "")
	}
	return all, nil
}

// contributionBatch is the number of images per pass. In a ViT-B/16 the heads' writings take 90 MB for each.
const contributionBatch = 10

// contributions returns, for each image, the numbers of a Contribution in a row:
// Logit, Embed, Rest, then for each block its heads and its MLP. [B, 3 + L(H+1)]
func contributions(c vit.Config, w *vit.Weights[*Node], images *Node) *Node {
	last := vit.BlockNode(c.Blocks-1, "resid_post")
	logits, trace := vit.Forward(c, w, images, vit.Want(vit.PartNodes...), vit.Want(last, "final"))
	logit := sameMinusDifferent(logits)

	// The head is linear: its direction is the gradient of the difference by what it reads.
	u := Gradient(ReduceAllSum(logit), trace.Get("final"))[0] // [B, T, D]

	// LayerNorm(x) = (x - mean x)/σ ⊙ γ + β, so u · LayerNorm(x) = v · x + u · β with
	// v = (γ⊙u - mean(γ⊙u))/σ.
	x := trace.Get(last)
	σ := Sqrt(AddScalar(ReduceAndKeep(Square(Sub(x, mean(x))), ReduceMean, -1), c.NormEps)) // [B, T, 1]
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
	return Concatenate(append([]*Node{logit, written(parts.Embed), rest}, blocks...), -1)
}

// mean is that of each token's vector: [B, T, D] to [B, T, 1].
func mean(x *Node) *Node { return ReduceAndKeep(x, ReduceMean, -1) }

// newContribution gives the numbers of a row their names.
func newContribution(c vit.Config, row []float32) Contribution {
	next := func() float64 {
		v := float64(row[0])
		row = row[1:]
		return v
	}
	out := Contribution{Logit: next(), Embed: next(), Rest: next()}
	for range c.Blocks {
		var heads []float64
		for range c.Heads {
			heads = append(heads, next())
		}
		out.Heads, out.MLP = append(out.Heads, heads), append(out.MLP, next())
	}
	return out
}
