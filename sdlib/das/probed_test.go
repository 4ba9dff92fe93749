package das

import (
	"math"
	"slices"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// The directions of a probe span its rows' differences: there are as many as values, but one, and each row has no
// part outside of them. Reading along them tells values apart.
func TestProbed(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	rows, err := s.probed(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != colors(s) {
		t.Fatalf("%d rows, expected one for each of %d colors", len(rows), colors(s))
	}
	rank := min(len(rows)-1, small.Width)
	v, err := Baseline(t.Context(), s, Search{Block: 1, Method: Probe, Rank: rank})
	if err != nil {
		t.Fatal(err)
	}
	checkOrthogonal(t, v.Rotation)
	if v.Dims() != rank || v.Name() != "block01-color-probe" {
		t.Errorf("%s has %d directions, expected %d", v.Name(), v.Dims(), rank)
	}
	longest := 0.
	for _, row := range rows {
		longest = max(longest, length(row))
	}
	for i, row := range rows {
		rest := slices.Clone(row)
		for j, first := range rows[0] {
			rest[j] -= first
		}
		for _, d := range v.Directions() {
			along := 0.
			for j, x := range d {
				along += rest[j] * float64(x)
			}
			for j, x := range d {
				rest[j] -= along * float64(x)
			}
		}
		if far := length(rest); far > 1e-4*longest {
			t.Errorf("row %d lies %g outside of the directions, rows are up to %g long", i, far, longest)
		}
	}
	if s.Pairs.Config().Property != stimuli.ColorProperty {
		t.Error("expected pairs of colors")
	}
}

func length(x []float64) float64 {
	sum := 0.
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}
