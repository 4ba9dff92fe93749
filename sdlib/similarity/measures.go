package similarity

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// A Measure says how alike two representations are.
type Measure string

// The measures.
const (
	CKA         Measure = "cka"
	DebiasedCKA Measure = "cka-debiased"
	RSA         Measure = "rsa"
)

// Measures lists them.
var Measures = []Measure{CKA, DebiasedCKA, RSA}

// A Representation is what a model makes of n images: a vector of F numbers of each.
type Representation struct {
	Name string    // such as "block03/resid_post"
	N, F int       // images, numbers of each
	X    []float32 // [N, F], row-major
}

// Compare returns the measure between any representation of a and any of b, all of the same
// images in the same order, [len(a)][len(b)].
func Compare(measure Measure, a, b []Representation) ([][]float64, error) {
	of, err := formsOf(measure)
	if err != nil {
		return nil, err
	}
	if len(a) == 0 || len(b) == 0 {
		return nil, fmt.Errorf("similarity: %d and %d representations, expected one or more of each", len(a), len(b))
	}
	forms := map[*float32]form{} // of each once
	get := func(r Representation) (form, error) {
		if err := r.check(a[0].N); err != nil {
			return form{}, err
		}
		f, ok := forms[&r.X[0]]
		if !ok {
			f = of(r)
			forms[&r.X[0]] = f
		}
		if !(f.size > 0) {
			return f, fmt.Errorf("similarity: %s is the same for all %d images: there is nothing to compare", r.Name, r.N)
		}
		return f, nil
	}
	var grid [][]float64
	for _, r := range a {
		x, err := get(r)
		if err != nil {
			return nil, err
		}
		var row []float64
		for _, q := range b {
			y, err := get(q)
			if err != nil {
				return nil, err
			}
			row = append(row, floats.Dot(x.values, y.values)/math.Sqrt(x.size*y.size))
		}
		grid = append(grid, row)
	}
	return grid, nil
}

func (r Representation) check(n int) error {
	const fewest = 4 // of which the debiased measure is defined
	switch {
	case r.N < fewest:
		return fmt.Errorf("similarity: %s is of %d images, expected %d or more", r.Name, r.N, fewest)
	case r.N != n:
		return fmt.Errorf("similarity: %s is of %d images, others are of %d: expected the same images", r.Name, r.N, n)
	case len(r.X) != r.N*r.F || r.F < 1:
		return fmt.Errorf("similarity: %s has %d numbers, expected %d images of %d", r.Name, len(r.X), r.N, r.F)
	}
	for i, v := range r.X {
		if v != v || math.IsInf(float64(v), 0) {
			return fmt.Errorf("similarity: image %d of %s has %v: the model's weights are damaged or too large", i/r.F, r.Name, v)
		}
	}
	return nil
}

// A form is a representation as a vector over pairs of images; a measure is the cosine of two.
type form struct {
	values []float64
	size   float64 // its square
}

// formsOf returns what makes the form of a measure.
func formsOf(m Measure) (func(Representation) form, error) {
	switch m {
	case CKA:
		return func(r Representation) form { return newForm(center(gram(r), r.N)) }, nil
	case DebiasedCKA:
		return func(r Representation) form { return newForm(ucenter(gram(r), r.N)) }, nil
	case RSA:
		return func(r Representation) form { return newForm(ranks(dissimilarities(r))) }, nil
	}
	return nil, fmt.Errorf("similarity: no measure %q: expected one of %q", m, Measures)
}

func newForm(values []float64) form { return form{values, floats.Dot(values, values)} }

// gram returns XXᵀ, [N, N].
func gram(r Representation) []float64 {
	x := blas64.General{Rows: r.N, Cols: r.F, Stride: r.F, Data: make([]float64, len(r.X))}
	mean := make([]float64, r.F) // taken away for exactness: all measures center anyhow
	for i, v := range r.X {
		mean[i%r.F] += float64(v) / float64(r.N)
	}
	for i, v := range r.X {
		x.Data[i] = float64(v) - mean[i%r.F]
	}
	k := blas64.General{Rows: r.N, Cols: r.N, Stride: r.N, Data: make([]float64, r.N*r.N)}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, x, x, 0, k)
	return k.Data
}

// center makes the mean of every row and column of a symmetric matrix 0: HKH with H = I - 1/n.
func center(k []float64, n int) []float64 {
	means := make([]float64, n)
	for i := range n {
		means[i] = floats.Sum(k[i*n:(i+1)*n]) / float64(n)
	}
	all := floats.Sum(means) / float64(n)
	for i := range n {
		for j := range n {
			k[i*n+j] += all - means[i] - means[j]
		}
	}
	return k
}

// ucenter is the centering of the unbiased estimate, without the diagonal (Székely & Rizzo 2014).
func ucenter(k []float64, n int) []float64 {
	sums := make([]float64, n)
	for i := range n {
		k[i*n+i] = 0
		sums[i] = floats.Sum(k[i*n : (i+1)*n])
	}
	all := floats.Sum(sums) / float64((n-1)*(n-2))
	for i := range n {
		for j := range n {
			if k[i*n+j] += all - (sums[i]+sums[j])/float64(n-2); i == j {
				k[i*n+j] = 0
			}
		}
	}
	return k
}

// dissimilarities returns 1 - the correlation of the vectors of any two images, i < j.
func dissimilarities(r Representation) []float64 {
	x := make([][]float64, r.N)
	for i := range x {
		x[i] = make([]float64, r.F)
		for k, v := range r.X[i*r.F : (i+1)*r.F] {
			x[i][k] = float64(v)
		}
		floats.AddConst(-stat.Mean(x[i], nil), x[i])
		if n := floats.Norm(x[i], 2); n > 0 {
			floats.Scale(1/n, x[i])
		}
	}
	var all []float64
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			all = append(all, 1-floats.Dot(x[i], x[j]))
		}
	}
	return all
}

// ranks replaces numbers by their ranks, the mean of those of equals, and takes the mean of
// all ranks away, so that the cosine of two is Spearman's correlation.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	out := make([]float64, len(x))
	middle := float64(len(x)-1) / 2
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+j-1)/2 - middle
		}
		i = j
	}
	return out
}
