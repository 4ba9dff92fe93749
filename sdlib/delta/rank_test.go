package delta

import (
	"math"
	"testing"
)

// matricesOf makes matrices [rows, cols] of these singular values, which are all they have.
func matricesOf(rows, cols int, spectra ...[]float64) []*matrix {
	var all []*matrix
	for _, sigma := range spectra {
		x := &matrix{weight: weight{rows: rows, cols: cols}, svd: svd{sigma: sigma}, asked: len(sigma)}
		for _, s := range sigma {
			x.norm2 += s * s
		}
		all = append(all, x)
	}
	return all
}

// cutOff is what is cut off of all matrices together, ‖cut off‖ / ‖difference‖.
func cutOff(all []*matrix, ranks []int) float64 {
	total, cut := 0., 0.
	for i, x := range all {
		for k, s := range x.svd.sigma {
			if total += s * s; k >= ranks[i] {
				cut += s * s
			}
		}
	}
	return math.Sqrt(cut / total)
}

// choices calls try for every choice of ranks from 0 to most.
func choices(n, most int, try func(ranks []int)) {
	ranks := make([]int, n)
	for {
		try(ranks)
		i := 0
		for ; i < n && ranks[i] == most; i++ {
			ranks[i] = 0
		}
		if i == n {
			return
		}
		ranks[i]++
	}
}

// Against all choices there are: none of the same size loses less, and none that is smaller keeps to the bound.
func TestAllocateIsBest(t *testing.T) {
	all := matricesOf(20, 30, []float64{5, 4, 1, .1}, []float64{3, 2.9, 2.8, 2.7}, []float64{10, .2, .1, .05})
	component := all[0].component()
	for n := range 13 {
		ranks := allocate(all, Method{Bytes: 1}, n*component)
		sum := ranks[0] + ranks[1] + ranks[2]
		if sum != n {
			t.Fatalf("room for %d components, %v were chosen", n, ranks)
		}
		choices(3, 4, func(other []int) {
			if other[0]+other[1]+other[2] <= n && cutOff(all, other) < cutOff(all, ranks)-1e-12 {
				t.Errorf("%v cut off %.4f of it, %v of no larger size %.4f", ranks, cutOff(all, ranks), other, cutOff(all, other))
			}
		})
	}
	for _, bound := range []float64{.9, .5, .3, .1, .03} {
		ranks := allocate(all, Method{Error: bound}, 0)
		if got := cutOff(all, ranks); got > bound {
			t.Errorf("bound %g: %v cut off %g", bound, ranks, got)
		}
		choices(3, 4, func(other []int) {
			if other[0]+other[1]+other[2] < ranks[0]+ranks[1]+ranks[2] && cutOff(all, other) <= bound {
				t.Errorf("bound %g: %v were chosen, %v are fewer and keep to it", bound, ranks, other)
			}
		})
	}
}

// A byte is spent where it says most: of two equal spectra on the smaller matrix.
func TestAllocateBySize(t *testing.T) {
	sigma := []float64{2, 1, .5}
	all := append(matricesOf(20, 80, sigma), matricesOf(20, 20, sigma)...)
	if ranks := allocate(all, Method{Bytes: 1}, all[1].component()); ranks[0] != 0 || ranks[1] != 1 {
		t.Errorf("room for one component went to %v, expected the smaller matrix", ranks)
	}
}

func TestMethodCheck(t *testing.T) {
	for _, m := range []Method{{}, {Rank: 1}, {Error: .5}, {Error: 1}, {Bytes: 1000}, {Bits: 8}, {Rank: 1, Bits: 16}} {
		if err := m.check(); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
	for _, m := range []Method{{Rank: -1}, {Error: -.1}, {Error: 1.1}, {Error: math.NaN()}, {Bytes: -1}, {Rank: 1, Error: .5}, {Rank: 4, Bytes: 9}, {Bits: 4}} {
		if err := m.check(); err == nil {
			t.Errorf("%+v: no error", m)
		}
	}
}
