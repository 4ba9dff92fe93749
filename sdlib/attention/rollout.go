package attention

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// AllHeads is the head of a [Map] that no head alone made.
const AllHeads = -1

// Rollout follows attention through all blocks of a model for one image of a set (Abnar &
// Zuidema 2020, "Quantifying Attention Flow in Transformers"): with Aₗ the mean of block l's
// heads,
//
//	R = ½(A_{L-1} + I) ··· ½(A₁ + I) ½(A₀ + I)
//
// where ½I stands for the residual stream, which hands each token on to itself. R[q, k] is read
// as the share of token k's patch in token q after the last block; its rows sum to 1.
//
// It is a single map where heads number 144, and for that it is popular; it is worth little here.
// What it cannot tell:
//
//   - which head, or which block, did something: their mean has no stages;
//   - what a head does with what it reads. A head that reads much and writes nothing counts as
//     much as one that decides the answer; values, MLPs and norms are left out;
//   - how much the stream and a block weigh against each other: one half each is a convention;
//   - relations: for each block averages over tokens, so after a dozen of them the rows of R are
//     nearly alike, and all of them look like the columns that everybody reads.
//
// That a patch has a large share is no evidence that the answer depends on it. To find out,
// one has to change something (see [vit.Heads] and [vit.Edit]).
func Rollout(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, image int) (Map, error) {
	c := m.Config
	var heads []Head
	for l := range c.Blocks {
		for h := range c.Heads {
			heads = append(heads, Head{Block: l, Head: h})
		}
	}
	maps, err := Maps(ctx, be, m, set, image, heads...)
	if err != nil {
		return Map{}, err
	}
	T := c.Tokens()
	rolled := mat.NewDense(T, T, nil)
	for t := range T {
		rolled.Set(t, t, 1)
	}
	for l := range c.Blocks {
		step := make([]float64, T*T)
		for _, head := range maps[l*c.Heads : (l+1)*c.Heads] {
			for i, a := range head.Weights {
				step[i] += float64(a) / float64(2*c.Heads)
			}
		}
		for t := range T {
			step[t*T+t] += .5
		}
		next := mat.NewDense(T, T, nil)
		next.Mul(mat.NewDense(T, T, step), rolled)
		rolled = next
	}
	r := Map{Head: Head{Block: c.Blocks - 1, Head: AllHeads}, Image: image, Tokens: T, Prefix: c.Prefix()}
	for _, v := range rolled.RawMatrix().Data {
		r.Weights = append(r.Weights, float32(v))
	}
	return r, nil
}
