package figure_test

import (
	"errors"
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot/palette"
	"samediff/sdlib/figure"
)

// End and middle colors, from the maps' sources: Moreland 2009 (and matplotlib's
// coolwarm), ColorBrewer's RdBu with 11 classes, matplotlib's viridis.
func TestColorMaps(t *testing.T) {
	for name, c := range map[string]struct {
		m                 *figure.ColorMap
		low, middle, high color.NRGBA
	}{
		"coolwarm":   {figure.Coolwarm(), color.NRGBA{59, 76, 192, 255}, color.NRGBA{221, 221, 221, 255}, color.NRGBA{180, 4, 38, 255}},
		"RdBu":       {figure.RdBu(), color.NRGBA{5, 48, 97, 255}, color.NRGBA{247, 247, 247, 255}, color.NRGBA{103, 0, 31, 255}},
		"viridis":    {viridis(), color.NRGBA{68, 1, 84, 255}, color.NRGBA{33, 145, 140, 255}, color.NRGBA{253, 231, 37, 255}},
		"sequential": {figure.Sequential(), color.NRGBA{255, 255, 255, 255}, color.NRGBA{253, 141, 60, 255}, color.NRGBA{127, 39, 4, 255}},
	} {
		c.m.SetMin(-2)
		c.m.SetMax(2)
		for v, want := range map[float64]color.NRGBA{-2: c.low, 0: c.middle, 2: c.high} {
			got, err := c.m.At(v)
			if err != nil {
				t.Fatal(err)
			}
			// Viridis is interpolated from ten colors: two levels off in the middle.
			if g := got.(color.NRGBA); far(g.R, want.R) || far(g.G, want.G) || far(g.B, want.B) || g.A != want.A {
				t.Errorf("%s at %g is %v, expected %v", name, v, g, want)
			}
		}
	}
}

func far(a, b uint8) bool { return math.Abs(float64(a)-float64(b)) > 2 }

func TestColorMapInterface(t *testing.T) {
	m := viridis()
	for v, want := range map[float64]error{-0.1: palette.ErrUnderflow, 1.1: palette.ErrOverflow} {
		if _, err := m.At(v); !errors.Is(err, want) {
			t.Errorf("At(%g): error is %v, expected %v", v, err, want)
		}
	}
	if _, err := m.At(math.NaN()); !errors.Is(err, palette.ErrNaN) {
		t.Errorf("At(NaN): error is %v", err)
	}
	m.SetAlpha(0.5)
	if c, err := m.At(1); err != nil || c.(color.NRGBA).A != 128 {
		t.Errorf("half opaque color is %v (%v)", c, err)
	}
	for _, n := range []int{-1, 0, 1, 7} {
		if got := len(m.Palette(n).Colors()); got != max(n, 0) {
			t.Errorf("Palette(%d) has %d colors", n, got)
		}
	}
	if _, err := figure.NewColorMap(color.White); err == nil {
		t.Error("a map of one color was made")
	}
}

// A user's map is only read: two figures may share one.
func TestHeatMapLeavesMapAlone(t *testing.T) {
	m := viridis()
	m.SetMin(-3)
	m.SetMax(5)
	f := figure.HeatMap{Values: [][]float64{{0, 10}}, Map: m}.Figure()
	if _, err := f.PNG(48); err != nil {
		t.Fatal(err)
	}
	if m.Min() != -3 || m.Max() != 5 || m.Alpha() != 1 {
		t.Errorf("the map's range is now [%g, %g], alpha %g", m.Min(), m.Max(), m.Alpha())
	}
}
