package delta

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"samediff/sdlib/progress"
)

// A matrix is a weight whose difference, which is not 0, is to be cut to low rank.
type matrix struct {
	weight
	from, to *tensors.Tensor // before and after fine-tuning
	norm2    float64         // ‖difference‖², Frobenius
	svd      svd
	eight    bool // A and B are kept in 8 bits
	asked    int  // components that the decomposition was asked for; it has fewer where there are no more
}

// difference returns to - from. It is made anew each time: those of all matrices together take a model's memory.
func (m *matrix) difference() ([]float32, error) {
	x, err := tensors.CopyFlatData[float32](m.to)
	if err != nil {
		return nil, fmt.Errorf("delta: %s: %w", m.name, err)
	}
	y, err := tensors.CopyFlatData[float32](m.from)
	if err != nil {
		return nil, fmt.Errorf("delta: %s: %w", m.name, err)
	}
	for j := range x {
		x[j] -= y[j]
	}
	return x, nil
}

// decompose finds the r largest components of the difference.
func (m *matrix) decompose(r int) error {
	diff, err := m.difference()
	if err != nil {
		return err
	}
	A := mat.NewDense(m.rows, m.cols, nil)
	for j, v := range diff {
		A.RawMatrix().Data[j] = float64(v)
	}
	m.asked, m.svd = r, decompose(A, r)
	return nil
}

// bytesPer is the size in the file of a number that is kept in 16 bits.
const bytesPer = 2

// component is the size of one component: a column of A and a row of B, and their step in 8 bits.
func (m *matrix) component() int {
	if m.eight {
		return m.rows + m.cols + 4
	}
	return bytesPer * (m.rows + m.cols)
}

// check returns an error unless a method is one.
func (m Method) check() error {
	set := 0
	for _, given := range []bool{m.Rank != 0, m.Error != 0, m.Bytes != 0} {
		if given {
			set++
		}
	}
	switch {
	case m.Bits != 0 && m.Bits != 8 && m.Bits != 16:
		return fmt.Errorf("delta: %d bits, expected 8 or 16", m.Bits)
	case set > 1:
		return fmt.Errorf("delta: rank %d, error %g and bytes %d are given, expected one of them", m.Rank, m.Error, m.Bytes)
	case m.Rank < 0 || m.Bytes < 0:
		return fmt.Errorf("delta: rank %d and bytes %d, expected 1 or more", m.Rank, m.Bytes)
	case !(m.Error >= 0 && m.Error <= 1):
		return fmt.Errorf("delta: error %g, expected more than 0, at most 1", m.Error)
	}
	return nil
}

// choose decomposes the matrices and returns how many components of each are kept. One more than the limit stands for the whole
// difference. room is the size that the components may have together.
func choose(ctx context.Context, all []*matrix, m Method, room int, report progress.Func) (ranks []int, err error) {
	if m.Rank > 0 {
		if err := decomposeAll(ctx, all, report, func(i int) int {
			if m.Rank > all[i].limit() {
				return 0
			}
			return m.Rank
		}); err != nil {
			return nil, err
		}
		for _, x := range all {
			r := len(x.svd.sigma)
			if m.Rank > x.limit() {
				r = x.limit() + 1
			}
			ranks = append(ranks, r)
		}
		return ranks, nil
	}
	// How many components there have to be to choose from is not known before: so a few, and twice as many of those matrices of
	// which all were chosen.
	want := slices.Repeat([]int{16}, len(all))
	for more := true; more; {
		if err := decomposeAll(ctx, all, report, func(i int) int { return want[i] }); err != nil {
			return nil, err
		}
		ranks, more = allocate(all, m, room), false
		for i, x := range all {
			if r := ranks[i]; r == x.asked && r < x.limit() && r > 0 {
				want[i], more = 2*r, true
			}
		}
	}
	return ranks, nil
}

// decomposeAll decomposes those matrices of which more components are wanted than were asked for.
func decomposeAll(ctx context.Context, all []*matrix, report progress.Func, want func(i int) int) error {
	meter := progress.New("pack", "matrices", len(all), report)
	defer meter.Finish("")
	return each(len(all), func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r := min(want(i), all[i].limit()); r > all[i].asked {
			if err := all[i].decompose(r); err != nil {
				return err
			}
		}
		meter.Add(1)
		return nil
	})
}

// A step is one more component of a matrix, or at the end all that is left of it.
type step struct {
	matrix       int
	energy, cost float64
	value        float64 // energy for each byte
}

// allocate chooses components by what they say for each byte, σ²/(m + n), until enough of the difference is kept or the room
// is used up. As the singular values of a matrix fall, no other choice of the size that it comes to keeps more.
func allocate(all []*matrix, m Method, room int) []int {
	var steps []step
	total := 0.
	for i, x := range all {
		total += x.norm2
		left, last := x.norm2, math.Inf(1)
		for _, s := range x.svd.sigma {
			last = s * s / float64(x.component())
			steps = append(steps, step{i, s * s, float64(x.component()), last})
			left -= s * s
		}
		if r := len(x.svd.sigma); r == x.limit() && left > 0 {
			cost := float64(bytesPer*x.size() - r*x.component())
			steps = append(steps, step{i, left, cost, min(last, left/cost)}) // after the components
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(b.value, a.value) })
	ranks, cut, used := make([]int, len(all)), total, 0.
	for _, s := range steps {
		if m.Bytes > 0 && used+s.cost > float64(room) || m.Error > 0 && cut <= m.Error*m.Error*total {
			break
		}
		ranks[s.matrix]++
		cut -= s.energy
		used += s.cost
	}
	return ranks
}
