package das

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"samediff/sdlib/stimuli"
)

// A Method says how an intervention's subspace was found.
type Method string

const (
	// Trained means by [Train].
	Trained Method = ""
	// Whole swaps the whole state of a token.
	Whole Method = "whole"
	// PCA swaps the directions along which the states of source objects vary most.
	PCA Method = "pca"
	// Means swaps the directions in which the mean states of objects with different values of
	// the property differ most. Of 16 values there are 15.
	Means Method = "means"
)

// Methods are the methods, the search first.
var Methods = []Method{Trained, Whole, PCA, Means}

// String is the method's name, "das" for Trained.
func (m Method) String() string {
	if m == Trained {
		return "das"
	}
	return string(m)
}

// ParseMethod returns the method of a name.
func ParseMethod(name string) (Method, error) {
	var names []string
	for _, m := range Methods {
		if m.String() == name {
			return m, nil
		}
		names = append(names, m.String())
	}
	return Trained, fmt.Errorf("there is no method %q, expected one of %s", name, strings.Join(names, ", "))
}

// Baseline returns an intervention that needs no training, by one of the methods but Trained,
// from the streams of the pairs that a search would learn from. rank is the number of directions to
// swap, such as that of a search's to compare with; Whole has them all.
func Baseline(s *Streams, block int, method Method, rank int) (*Intervention, error) {
	D := s.Config.Width
	v := &Intervention{Model: s.Model, Config: s.Config, Pairs: s.Pairs.Config(), Method: method, Search: Search{Block: block},
		Rotation: make([]float32, D*D), Mask: make([]float32, D)}
	if err := checkBlock(s.Config, block); err != nil {
		return nil, err
	}
	C := mat.NewSymDense(D, nil)
	switch method {
	case Whole:
		rank = D
		for i := range D {
			C.SetSym(i, i, 1)
		}
	case PCA, Means:
		states, err := s.grouped(block, method == Means)
		if err != nil {
			return nil, err
		}
		if most := min(D, len(states)-1); rank < 1 || rank > most {
			return nil, fmt.Errorf("das: %d directions by %s, expected 1 to %d", rank, method, most)
		}
		scatter(C, states)
	default:
		return nil, fmt.Errorf("das: there is no baseline %q, expected %q, %q or %q", string(method), Whole, PCA, Means)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(C, true) {
		return nil, fmt.Errorf("das: the directions by %s could not be computed: are the streams finite?", method)
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
		r := s.Pairs.Record(pair)
		value := r.CF.Objects[r.Source].Color
		if s.Pairs.Config().Property == stimuli.ShapeProperty {
			value = r.CF.Objects[r.Source].Shape
		}
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
