package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Points is one group of a [Scatter] plot.
type Points struct {
	Name  string // in the legend; empty for none
	X, Y  []float64
	Color color.Color // nil for [SeriesColor] of its position
	// Hollow points are drawn as outlines and left out of the fit; nil for none, or one for each point.
	Hollow []bool
}

// Scatter plots groups of points with the least-squares line through all of them
// and Pearson's r, written above the data where it hides nothing.
type Scatter struct {
	Groups                []Points
	Title, XLabel, YLabel string
	NoFit                 bool // neither line nor r
	// Line is drawn in place of the fit through the points, with its r and n: that of means of groups, say.
	Line *Fit

	// XMin to YMax bound the axes; both of an axis zero for the range of the data.
	XMin, XMax, YMin, YMax float64

	Width, Height float64 // inches; 0 for 3.3 (4.4 with a legend) and 2.9
	Alt           string  // alternative text; empty for one made of title, labels and r
}

// Fit is the least-squares line y = Intercept + Slope·x through N points and
// Pearson's correlation R.
type Fit struct {
	N                   int
	Intercept, Slope, R float64
}

// Fit returns the fit through the points of all groups that are not hollow. It fails
// where there is none: fewer than three points, or no spread in x or y.
func (s Scatter) Fit() (Fit, error) {
	x, y := s.points()
	if len(x) != len(y) {
		return Fit{}, fmt.Errorf("figure: fit: %d x and %d y, expected as many", len(x), len(y))
	}
	if len(x) < 3 {
		return Fit{}, fmt.Errorf("figure: fit: %d points, expected 3 or more", len(x))
	}
	r := stat.Correlation(x, y, nil)
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return Fit{}, errors.New("figure: fit: x or y is constant, the correlation is not defined")
	}
	alpha, beta := stat.LinearRegression(x, y, nil, false)
	return Fit{N: len(x), Intercept: alpha, Slope: beta, R: r}, nil
}

func (s Scatter) points() (x, y []float64) {
	for _, g := range s.Groups {
		if len(g.X) != len(g.Y) { // Fit says so
			return append(x, g.X...), append(y, g.Y...)
		}
		for i := range g.X {
			if !g.hollow(i) {
				x, y = append(x, g.X[i]), append(y, g.Y[i])
			}
		}
	}
	return x, y
}

func (g Points) hollow(i int) bool { return i < len(g.Hollow) && g.Hollow[i] }

// Figure returns the plot as a figure. Where there is no fit, the note above the
// data says how many points there are and nothing else.
func (s Scatter) Figure() *Figure {
	const kind = "scatter"
	a := emptyAxes()
	a.integers = false
	n := 0
	for i, g := range s.Groups {
		if len(g.X) != len(g.Y) {
			return failed(kind, fmt.Errorf("group %d (%q) has %d x and %d y, expected as many", i, g.Name, len(g.X), len(g.Y)))
		}
		if g.Hollow != nil && len(g.Hollow) != len(g.X) {
			return failed(kind, fmt.Errorf("group %d (%q) has %d points and %d values of Hollow, expected as many", i, g.Name, len(g.X), len(g.Hollow)))
		}
		for axis, values := range [2][]float64{g.X, g.Y} {
			if err := finite(values); err != nil {
				return failed(kind, fmt.Errorf("group %d (%q): %c: %w", i, g.Name, "XY"[axis], err))
			}
		}
		for k := range g.X {
			a.includeX(g.X[k])
			a.includeY(g.Y[k])
			n++
		}
	}
	if n == 0 {
		return failed(kind, errors.New("no points"))
	}
	if s.XMin != 0 || s.XMax != 0 {
		if !(s.XMin < s.XMax) {
			return failed(kind, fmt.Errorf("limit XMin is %g and XMax %g, expected XMin below XMax", s.XMin, s.XMax))
		}
		a.xMin, a.xMax = s.XMin, s.XMax
	}
	a, err := a.finish(s.YMin, s.YMax)
	if err != nil {
		return failed(kind, err)
	}

	ch := chart{kind: kind, title: s.Title}
	fit, err := s.Fit()
	if s.Line != nil {
		fit, err = *s.Line, nil
	}
	hasFit := err == nil && !s.NoFit
	alt := fmt.Sprintf("%sScatter plot of %s against %s, %d points", sentence(s.Title), or(s.YLabel, "y"), or(s.XLabel, "x"), n)
	switch {
	case hasFit:
		r := number(fit.R, 2)
		ch.note = fmt.Sprintf("r = %s, n = %d", r, fit.N)
		alt += ", correlation r = " + r
	case !s.NoFit:
		x, _ := s.points()
		ch.note = fmt.Sprintf("n = %d", len(x))
	}
	var names legend
	for i, g := range s.Groups {
		if g.Name != "" {
			names = append(names, legendEntry{g.Name, dots{g, i}.sample})
		}
	}
	width := 3.3
	if len(names) > 0 {
		ch.side, width = names, 4.4
	}
	ch.plot = func(size vg.Point) *plot.Plot {
		p := newPlot()
		p.X.Label.Text, p.Y.Label.Text = s.XLabel, s.YLabel
		a.apply(p, size)
		p.Add(gridLines{})
		if hasFit {
			p.Add(fitLine(fit))
		}
		for i, g := range s.Groups {
			p.Add(dots{g, i})
		}
		return p
	}
	w, h := orSize(s.Width, width), orSize(s.Height, 2.9)
	return ch.figure(vg.Length(w)*vg.Inch, vg.Length(h)*vg.Inch, or(s.Alt, alt+"."))
}

// dots draws a group. It implements plot.Plotter.
type dots struct {
	Points
	index int
}

func (d dots) style() draw.GlyphStyle {
	clr := d.Color
	if clr == nil {
		clr = SeriesColor(d.index)
	}
	return markerStyle(d.index, clr, 3)
}

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i := range d.X {
		sty := d.style()
		if d.hollow(i) {
			sty.Shape = outline(sty.Shape.(marker))
		}
		c.DrawGlyph(sty, vg.Point{X: x(d.X[i]), Y: y(d.Y[i])})
	}
}

func (d dots) sample(c draw.Canvas, middle vg.Point) { c.DrawGlyphNoClip(d.style(), middle) }

// fitLine draws the regression line across the plot. It implements plot.Plotter.
type fitLine Fit

func (f fitLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var ends []vg.Point
	for _, v := range []float64{p.X.Min, p.X.Max} {
		ends = append(ends, vg.Point{X: x(v), Y: y(f.Intercept + f.Slope*v)})
	}
	c.StrokeLines(stroke(guide, 1.1), c.ClipLinesXY(ends)...)
}
