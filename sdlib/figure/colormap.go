package figure

import (
	"fmt"
	"image/color"
	"math"
	"sync"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/brewer"
	"gonum.org/v1/plot/palette/moreland"
)

// ColorMap turns numbers of a range into colors by linear interpolation between
// evenly spaced control colors. It implements [palette.ColorMap], so gonum/plot
// accepts it everywhere. The range of a new map is [0, 1].
type ColorMap struct {
	controls        []color.NRGBA
	min, max, alpha float64
}

var _ palette.ColorMap = (*ColorMap)(nil)

// NewColorMap returns a map over [0, 1] that passes evenly through the given
// colors, of which there must be two or more.
func NewColorMap(controls ...color.Color) (*ColorMap, error) {
	if len(controls) < 2 {
		return nil, fmt.Errorf("figure: a color map needs at least 2 colors, came %d", len(controls))
	}
	return newColorMap(controls), nil
}

func newColorMap(controls []color.Color) *ColorMap {
	m := &ColorMap{min: 0, max: 1, alpha: 1}
	for _, c := range controls {
		m.controls = append(m.controls, color.NRGBAModel.Convert(c).(color.NRGBA))
	}
	return m
}

// coolwarmControls samples Moreland's map densely enough that straight lines
// between the samples stay within one level of it.
var coolwarmControls = sync.OnceValue(func() []color.Color {
	m := moreland.SmoothBlueRed()
	m.SetMin(0)
	m.SetMax(1)
	return m.Palette(65).Colors()
})

// Coolwarm returns the diverging map of Moreland, "Diverging color maps for
// scientific visualization" (2009), known as coolwarm in matplotlib: blue, light
// gray, red. For quantities with two ends, such as local to global attention.
func Coolwarm() *ColorMap { return newColorMap(coolwarmControls()) }

// RdBu returns ColorBrewer's diverging blue, white, red: low values are blue as in
// matplotlib's RdBu_r. For signed quantities; give it a range from -a to a.
func RdBu() *ColorMap {
	colors := brewed(brewer.TypeDiverging, "RdBu", 11)
	for i, j := 0, len(colors)-1; i < j; i, j = i+1, j-1 {
		colors[i], colors[j] = colors[j], colors[i]
	}
	return newColorMap(colors)
}

// Sequential returns ColorBrewer's oranges starting at white, so that zero is the
// color of paper. For amounts, and for attention laid over an image.
func Sequential() *ColorMap {
	return newColorMap(append([]color.Color{color.White}, brewed(brewer.TypeSequential, "Oranges", 9)[1:]...))
}

// brewed returns a copy of a ColorBrewer palette, which the brewer package holds
// in its source.
func brewed(kind brewer.PaletteType, name string, n int) []color.Color {
	p, err := brewer.GetPalette(kind, name, n)
	if err != nil {
		panic("figure: " + err.Error()) // a misspelled name in this file
	}
	return append([]color.Color(nil), p.Colors()...)
}

// At returns the color of v. Values outside [Min, Max] and NaN are errors, as the
// interface demands; heat maps clamp before they ask.
func (m *ColorMap) At(v float64) (color.Color, error) {
	switch {
	case math.IsNaN(v):
		return nil, palette.ErrNaN
	case v < m.min:
		return nil, palette.ErrUnderflow
	case v > m.max:
		return nil, palette.ErrOverflow
	case !(m.max > m.min):
		return nil, fmt.Errorf("figure: color map's range is [%g, %g], expected Min below Max", m.min, m.max)
	}
	return m.at((v - m.min) / (m.max - m.min)), nil
}

// at returns the color at a fraction of the range.
func (m *ColorMap) at(t float64) color.NRGBA {
	x := t * float64(len(m.controls)-1)
	i := min(int(x), len(m.controls)-2)
	a, b, f := m.controls[i], m.controls[i+1], x-float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-f) + float64(b)*f)) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), uint8(math.Round(m.alpha * float64(mix(a.A, b.A))))}
}

// Min and Max return the range.
func (m *ColorMap) Min() float64 { return m.min }

// Max returns the upper end of the range.
func (m *ColorMap) Max() float64 { return m.max }

// SetMin sets the lower end of the range.
func (m *ColorMap) SetMin(v float64) { m.min = v }

// SetMax sets the upper end of the range.
func (m *ColorMap) SetMax(v float64) { m.max = v }

// Alpha returns the opacity.
func (m *ColorMap) Alpha() float64 { return m.alpha }

// SetAlpha sets the opacity from 0 to 1. Another value panics, as the interface
// demands.
func (m *ColorMap) SetAlpha(alpha float64) {
	if !(alpha >= 0 && alpha <= 1) {
		panic(fmt.Sprintf("figure: opacity %g is not between 0 and 1", alpha))
	}
	m.alpha = alpha
}

// Palette returns n colors from one end of the map to the other.
func (m *ColorMap) Palette(n int) palette.Palette {
	colors := make(colorList, max(n, 0))
	for i := range colors {
		t := 0.5
		if n > 1 {
			t = float64(i) / float64(n-1)
		}
		colors[i] = m.at(t)
	}
	return colors
}

type colorList []color.Color

func (l colorList) Colors() []color.Color { return l }

// scale maps values linearly from [low, high] into a color map's own range and
// clamps what lies outside, so that a map given by a user is never changed.
type scale struct {
	low, high float64
	colors    palette.ColorMap
}

// newScale checks that the map can answer and that the range is one. A nil map
// means otherwise.
func newScale(low, high float64, colors, otherwise palette.ColorMap) (scale, error) {
	if colors == nil {
		colors = otherwise
	}
	s := scale{low, high, colors}
	if !(low < high) || math.IsInf(high-low, 0) {
		return s, fmt.Errorf("color range is [%g, %g], expected Min below Max, both finite", low, high)
	}
	if !(colors.Min() < colors.Max()) {
		return s, fmt.Errorf("color map's own range is [%g, %g]: call SetMin and SetMax, for example with 0 and 1", colors.Min(), colors.Max())
	}
	_, err := colors.At((colors.Min() + colors.Max()) / 2)
	return s, err
}

// color returns the color of v, which must not be NaN.
func (s scale) color(v float64) color.NRGBA {
	t := (min(max(v, s.low), s.high) - s.low) / (s.high - s.low)
	low, high := s.colors.Min(), s.colors.Max()
	c, err := s.colors.At(min(max(low+t*(high-low), low), high))
	if err != nil { // a map that answers in its middle but not at its end: leave the cell blank
		return color.NRGBA{}
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}
