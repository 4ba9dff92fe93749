package paper

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// A Correlation is Pearson's r of two measures over models, and what it rests on.
type Correlation struct {
	N int
	R float64 // NaN where there are fewer than three models, or one measure is the same for all
	// Low and High are the 95 % interval by Fisher's transform, tanh(atanh r ± 1.96/√(n-3)); NaN for fewer than four models. It is
	// that of independent models of a normal population, which six models are not: take it as a lower bound of the doubt.
	Low, High float64
	// Without is the r that is left when one model is left out: of all models the one whose absence lowers |r| the most, Carrier,
	// an index. NaN is none: the others do not differ.
	Without float64
	Carrier int
}

// Correlate returns the correlation of two measures, one number for each model.
func Correlate(x, y []float64) (Correlation, error) {
	if len(x) != len(y) {
		return Correlation{}, fmt.Errorf("paper: a correlation of %d and %d numbers, expected as many", len(x), len(y))
	}
	c := Correlation{N: len(x), R: pearson(x, y), Low: math.NaN(), High: math.NaN(), Without: math.NaN(), Carrier: -1}
	if c.N > 3 && !math.IsNaN(c.R) {
		z, half := math.Atanh(c.R), 1.96/math.Sqrt(float64(c.N-3))
		c.Low, c.High = math.Tanh(z-half), math.Tanh(z+half)
	}
	for i := range x {
		left := pearson(without(x, i), without(y, i))
		switch {
		case math.IsNaN(c.R) || c.N < 4:
		case c.Carrier < 0, math.IsNaN(left) && !math.IsNaN(c.Without), math.Abs(left) < math.Abs(c.Without):
			c.Carrier, c.Without = i, left
		}
	}
	return c, nil
}

func without(x []float64, i int) []float64 {
	return append(append([]float64{}, x[:i]...), x[i+1:]...)
}

// pearson is r, NaN where it is not defined.
func pearson(x, y []float64) float64 {
	if len(x) < 3 {
		return math.NaN()
	}
	r := stat.Correlation(x, y, nil)
	if math.IsInf(r, 0) {
		return math.NaN()
	}
	return max(min(r, 1), -1)
}

// String is the correlation in a legend: "r = .95 (.60 to .99), .48 without one".
func (c Correlation) String() string {
	if math.IsNaN(c.R) {
		return fmt.Sprintf("n = %d", c.N)
	}
	s := fmt.Sprintf("r = %.2f", c.R)
	if !math.IsNaN(c.Low) {
		s += fmt.Sprintf(" (%.2f to %.2f)", c.Low, c.High)
	}
	switch {
	case c.Carrier < 0:
	case math.IsNaN(c.Without):
		s += ", none without one"
	default:
		s += fmt.Sprintf(", %.2f without one", c.Without)
	}
	return s
}
