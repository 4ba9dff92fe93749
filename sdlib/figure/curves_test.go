package figure

import (
	"math"
	"testing"
)

// The ranges of the panels: loss from 0, accuracy up to 1, unless the data say otherwise.
func TestRangeOf(t *testing.T) {
	series := []Series{{Values: []float64{2, 3}}, {Values: []float64{1, 2}, Lo: []float64{0, 1}, Hi: []float64{4, 5}}}
	if low, high := rangeOf(series); low != 0 || high != 5 {
		t.Errorf("the range is %g to %g, expected 0 to 5: bands count", low, high)
	}
	for name, none := range map[string][]Series{"nothing": nil, "NaN": {{Values: []float64{1, math.NaN()}}}} {
		if low, high := rangeOf(none); !math.IsNaN(low) || !math.IsNaN(high) {
			t.Errorf("the range of %s is %g to %g, expected NaN", name, low, high)
		}
	}
}

// A curve that stays within noise of chance lies at the bottom, and strange values are drawn all the same.
func TestCurvesRange(t *testing.T) {
	draw := func(loss, accuracy []float64) *Figure {
		return Curves{Loss: []Series{{Values: loss}}, Accuracy: []Series{{Values: accuracy}}, Chance: .5}.Figure()
	}
	for name, f := range map[string]*Figure{
		"flat":          draw([]float64{.693, .694}, []float64{.499, .502}),
		"perfect":       draw([]float64{0, 0}, []float64{1, 1}),
		"negative loss": draw([]float64{-1, -2}, []float64{.5, .6}),
		"percent":       draw([]float64{1, 2}, []float64{50, 99}),
	} {
		if err := f.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
