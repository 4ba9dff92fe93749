package das

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/vit"
)

// Above a block tokens differ in nothing but their states. So the order of the source's tokens changes no answer where
// the edited tokens hold one state, as patches without content and place do, and none where everything is swapped. It
// does where a part of them is swapped and the rest differs.
func TestPermutedSource(t *testing.T) {
	be, m, blank := fixture.Go(t), lively(t, small, 1), lively(t, small, 1)
	for _, w := range []*tensors.Tensor{blank.Weights.Patch.W, blank.Weights.Pos} {
		tensors.MustMutableFlatData(w, func(x []float32) { clear(x) })
	}
	const block = 0
	D := small.Width
	for _, c := range []struct {
		name       string
		m          *vit.Model
		everything bool
		same       bool
	}{
		{"blank patches", blank, false, true},
		{"everything swapped", m, true, true},
		{"a part swapped", m, false, false},
	} {
		s := streams(t, be, c.m)
		v := some(s, block)
		if c.everything {
			v = random(s, block, true)
		}
		apply := func(reverse bool) [][]float32 {
			got, err := v.Apply(t.Context(), be, c.m, s, Swap{K: s.P, Tokens: s.Edited(), Source: func(pair int, row []float32) {
				rng := rand.New(rand.NewPCG(1, uint64(pair)))
				for i := range row {
					row[i] = float32(3 * rng.NormFloat64())
				}
				if reverse {
					tokens := slices.Collect(slices.Chunk(slices.Clone(row), D))
					slices.Reverse(tokens)
					copy(row, slices.Concat(tokens...))
				}
			}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		aligned, reversed := apply(false), apply(true)
		if c.same {
			near(t, c.name, reversed, aligned, 1e-4)
		} else if farthest(reversed, aligned) < 1e-2 {
			t.Errorf("%s: the order of the source's tokens changes nothing, so that this tests nothing", c.name)
		}
		if farthest(aligned, logits(t, be, c.m, s.Pairs.Base())) < 1e-2 {
			t.Errorf("%s: swapping changes nothing", c.name)
		}
	}
}

// farthest is the largest difference between two tables of logits.
func farthest(a, b [][]float32) (d float64) {
	for i := range a {
		for k := range a[i] {
			d = max(d, math.Abs(float64(a[i][k]-b[i][k])))
		}
	}
	return d
}
