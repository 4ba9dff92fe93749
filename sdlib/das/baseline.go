package das

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"

	"samediff/sdlib/stimuli"
)

// Baseline returns an intervention that needs no search, by one of the methods that do not learn,
// from the streams of the pairs that a search would learn from. Rank is the number of directions to
// swap, such as that of a search's to compare with; [Whole] has them all. Of the search's recipe
// nothing is used.
func Baseline(ctx context.Context, s *Streams, q Search) (*Intervention, error) {
	if err := checkBlock(s.Config, q.Block); err != nil {
		return nil, err
	}
	D, rank := s.Config.Width, q.Rank
	v := &Intervention{Model: s.Model, Config: s.Config, Pairs: s.Pairs.Config(), Search: q, Rotation: make([]float32, D*D), Mask: make([]float32, D)}
	C := mat.NewSymDense(D, nil)
	if q.Method == Whole {
		rank = D
		for i := range D {
			C.SetSym(i, i, 1)
		}
	} else {
		vectors, err := s.spanning(ctx, q)
		if err != nil {
			return nil, err
		}
		if most := min(D, len(vectors)-1); rank < 1 || rank > most {
			return nil, fmt.Errorf("das: %d directions by %s, expected 1 to %d", rank, q.Method, most)
		}
		scatter(C, vectors)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(C, true) {
		return nil, fmt.Errorf("das: the directions by %s could not be computed: are the streams finite?", q.Method)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors) // the eigenvalues rise
	for j := range D {
		for i := range D {
			v.Rotation[i*D+j] = float32(vectors.At(i, D-1-j))
		}
		if v.Mask[j] = -1; j < rank {
			v.Mask[j] = 1
		}
	}
	return v, nil
}

// spanning returns vectors [n][D] whose differences span the directions of a method.
func (s *Streams) spanning(ctx context.Context, q Search) ([][]float64, error) {
	switch q.Method {
	case PCA, Means:
		return s.grouped(q.Block, q.Method == Means)
	case Probe:
		return s.probed(ctx, q.Block)
	}
	return nil, fmt.Errorf("das: there is no baseline %q, expected %q, %q, %q or %q", q.Method, Probe, Whole, PCA, Means)
}

// grouped returns the states of source tokens after a block, one for each token, or their means for
// each value of the property.
func (s *Streams) grouped(block int, byValue bool) (states [][]float64, err error) {
	cf, err := s.Sources(block)
	if err != nil {
		return nil, err
	}
	D := s.Config.Width
	sums, counts := map[int][]float64{}, map[int]float64{}
	for pair := range s.Pairs.Len() {
		value := s.value(pair)
		for state := range slices.Chunk(s.source(cf, pair, NoControl), D) {
			if !byValue {
				value = len(sums) // a group of its own
			}
			if sums[value] == nil {
				sums[value] = make([]float64, D)
			}
			for i, x := range state {
				sums[value][i] += float64(x)
			}
			counts[value]++
		}
	}
	for _, value := range slices.Sorted(maps.Keys(sums)) {
		for i := range D {
			sums[value][i] /= counts[value]
		}
		states = append(states, sums[value])
	}
	return states, nil
}

// value is that of the property which a pair's source object has.
func (s *Streams) value(pair int) int {
	r := s.Pairs.Record(pair)
	if s.Pairs.Config().Property == stimuli.ShapeProperty {
		return r.CF.Objects[r.Source].Shape
	}
	return r.CF.Objects[r.Source].Color
}

// scatter adds Σ (x - μ)(x - μ)ᵀ of states x to C.
func scatter(C *mat.SymDense, states [][]float64) {
	mean := make([]float64, C.SymmetricDim())
	for _, x := range states {
		for i := range x {
			mean[i] += x[i] / float64(len(states))
		}
	}
	for _, x := range states {
		for i := range x {
			x[i] -= mean[i]
		}
		C.SymRankOne(C, 1, mat.NewVecDense(len(x), x))
	}
}
