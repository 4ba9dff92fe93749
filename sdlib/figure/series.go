package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is one line of a [Lines] chart.
type Series struct {
	Name   string    // in the legend; empty for none
	X      []float64 // positions of its values; nil for those of the chart
	Values []float64 // y, one per position

	// Lo and Hi bound a shaded band, for example a confidence interval; both or
	// neither, one per value, Lo not above Hi.
	Lo, Hi []float64

	Color  color.Color // nil for [SeriesColor] of its position
	Dashed bool
	NoMark bool // no marker at the values

	// Star puts a star at the largest value, the first of equals; Stars at chosen
	// positions (indices into Values).
	Star  bool
	Stars []int
}

// check reports what is wrong with a series that must have n values.
func (s Series) check(n int) error {
	if len(s.Values) != n {
		return fmt.Errorf("has %d values, expected %d", len(s.Values), n)
	}
	for _, part := range []struct {
		name   string
		values []float64
	}{{"X", s.X}, {"Values", s.Values}, {"Lo", s.Lo}, {"Hi", s.Hi}} {
		if err := finite(part.values); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if s.Lo != nil || s.Hi != nil {
		if len(s.Lo) != n || len(s.Hi) != n {
			return fmt.Errorf("has a band of %d lower and %d upper bounds, expected %d of each, or none", len(s.Lo), len(s.Hi), n)
		}
		for i := range s.Lo {
			if s.Lo[i] > s.Hi[i] {
				return fmt.Errorf("has Lo[%d] = %g above Hi[%d] = %g", i, s.Lo[i], i, s.Hi[i])
			}
		}
	}
	for _, i := range s.Stars {
		if i < 0 || i >= n {
			return fmt.Errorf("has a star at position %d, expected 0 to %d", i, n-1)
		}
	}
	return nil
}

// stars returns the positions that get one.
func (s Series) stars() []int {
	stars := slices.Clone(s.Stars)
	if s.Star {
		peak := 0
		for i, v := range s.Values {
			if v > s.Values[peak] {
				peak = i
			}
		}
		stars = append(stars, peak)
	}
	return stars
}

func finite(values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("number %d is %v, expected a finite number", i, v)
		}
	}
	return nil
}

const (
	markRadius = 2.6
	starRadius = 6
)

// trace draws a series. It implements plot.Plotter.
type trace struct {
	Series
	x     []float64
	index int // position among the series: gives color and marker where Color does not
}

func (t trace) color() color.Color {
	if t.Color != nil {
		return t.Color
	}
	return SeriesColor(t.index)
}

func (t trace) line() draw.LineStyle {
	sty := stroke(t.color(), lineWidth)
	if t.Dashed {
		sty.Dashes = []vg.Length{4.5, 2.5}
	}
	return sty
}

// every returns the step between marks: long series are marked here and there.
func (t trace) every() int { return (len(t.x) + 24) / 25 }

func (t trace) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, len(t.x))
	for i := range t.x {
		points[i] = vg.Point{X: x(t.x[i]), Y: y(t.Values[i])}
	}
	if t.Lo != nil {
		t.band(c, x, y)
	}
	c.StrokeLines(t.line(), c.ClipLinesXY(points)...)
	stars := t.stars()
	if !t.NoMark || len(points) == 1 {
		for i := 0; i < len(points); i += t.every() {
			if !slices.Contains(stars, i) {
				c.DrawGlyph(markerStyle(t.index, t.color(), markRadius), points[i])
			}
		}
	}
	for _, i := range stars {
		c.DrawGlyph(draw.GlyphStyle{Color: t.color(), Radius: starRadius, Shape: starMarker}, points[i])
	}
}

func (t trace) band(c draw.Canvas, x, y func(float64) vg.Length) {
	var outline []vg.Point
	for i := range t.x {
		outline = append(outline, vg.Point{X: x(t.x[i]), Y: y(t.Hi[i])})
	}
	for i := len(t.x) - 1; i >= 0; i-- {
		outline = append(outline, vg.Point{X: x(t.x[i]), Y: y(t.Lo[i])})
	}
	shade := color.NRGBAModel.Convert(t.color()).(color.NRGBA)
	shade.A = 0x38
	c.FillPolygon(shade, c.ClipPolygonXY(outline))
}

// sample draws the series' legend entry.
func (t trace) sample(c draw.Canvas, middle vg.Point) {
	c.StrokeLine2(t.line(), middle.X-sampleWidth/2, middle.Y, middle.X+sampleWidth/2, middle.Y)
	if !t.NoMark {
		c.DrawGlyphNoClip(markerStyle(t.index, t.color(), markRadius), middle)
	}
}

// gridLines draws faint lines at the ticks of the y axis. It implements
// plot.Plotter.
type gridLines struct{}

func (gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); c.ContainsY(at) {
			c.StrokeLine2(stroke(faint, axisWidth), c.Min.X, at, c.Max.X, at)
		}
	}
}

// widen returns the range with a share added at both ends, so that no mark sits
// on the edge; a range that is empty but for rounding becomes one around its
// value.
func widen(low, high, share float64) (float64, float64, error) {
	span := high - low
	switch {
	case math.IsInf(span, 0):
		return 0, 0, errors.New("the values span more than a float64 can hold")
	case span < 1e-290 || span < 1e-9*max(math.Abs(low), math.Abs(high)):
		half := max(math.Abs(low)*0.1, 0.5)
		return low - half, high + half, nil
	}
	return low - share*span, high + share*span, nil
}
