package patch

import (
	"math"
	"testing"
)

// The interval of a ratio of means, against numbers worked out by hand: R = 6/12 = .5, residuals
// (-.5, .5, -1, 1), s² = 2.5 / (4·3·9).
func TestRatio(t *testing.T) {
	x, y := []float64{3, 1, 4, 4}, []float64{1, 1, 1, 3}
	r, low, high := ratio(y, x)
	s := math.Sqrt(2.5 / 108)
	if r != .5 || math.Abs(low-(.5-1.959963984540054*s)) > 1e-12 || math.Abs(high-(.5+1.959963984540054*s)) > 1e-12 {
		t.Errorf("the ratio is %g in %g to %g", r, low, high)
	}
	if r, low, high := ratio([]float64{1}, []float64{4}); r != .25 || low != .25 || high != .25 {
		t.Errorf("of one pair the ratio is %g in %g to %g, expected .25 alone", r, low, high)
	}
}
