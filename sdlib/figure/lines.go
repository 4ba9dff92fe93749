package figure

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Lines is a chart of marked lines, over common positions or each over its own, with
// optional bands, stars at peaks, reference lines, and a legend outside the data. The
// paper's Figure 2 shows attention per layer so.
type Lines struct {
	// X holds the positions, one per value of each series that has none of its own; nil for
	// 0, 1, 2... Where all are whole numbers, so are the ticks.
	X      []float64
	Series []Series
	Guides []Guide

	Title, XLabel, YLabel string

	// YMin and YMax bound the y axis; both zero for the range of the data. Lines
	// are cut off where they leave it.
	YMin, YMax float64

	NoLegend bool

	Width, Height float64 // inches; 0 for 4.4 (3.2 without a legend) and 2.6
	Alt           string  // alternative text; empty for one made of title, labels and peaks
}

// Figure returns the chart as a figure.
func (l Lines) Figure() *Figure {
	const kind = "lines"
	if len(l.Series) == 0 {
		return failed(kind, errors.New("no lines: Series is empty"))
	}
	common := l.common()
	if err := finite(common); err != nil {
		return failed(kind, fmt.Errorf("in X %w", err))
	}
	traces := make([]trace, len(l.Series))
	for i, s := range l.Series {
		traces[i] = trace{s, common, i}
		if s.X != nil {
			traces[i].x = s.X
		}
		if len(traces[i].x) == 0 {
			return failed(kind, errors.New("no values"))
		}
		if err := s.check(len(traces[i].x)); err != nil {
			return failed(kind, fmt.Errorf("series %d (%q) %w", i, s.Name, err))
		}
	}
	for _, g := range l.Guides {
		if err := finite([]float64{g.Value}); err != nil {
			return failed(kind, fmt.Errorf("guide %q: %w", g.Name, err))
		}
	}
	axes, err := l.axes(traces)
	if err != nil {
		return failed(kind, err)
	}

	ch := chart{kind: kind, title: l.Title}
	var names legend
	for _, t := range traces {
		if t.Name != "" && !l.NoLegend {
			names = append(names, legendEntry{t.Name, t.sample})
		}
	}
	width := 3.2
	if len(names) > 0 {
		ch.side, width = names, 4.4
	}
	ch.plot = func(size vg.Point) *plot.Plot {
		p := newPlot()
		p.X.Label.Text, p.Y.Label.Text = l.XLabel, l.YLabel
		axes.apply(p, size)
		p.Add(gridLines{}, guides{l.Guides, traces})
		for _, t := range traces {
			p.Add(t)
		}
		return p
	}
	w, h := orSize(l.Width, width), orSize(l.Height, 2.6)
	return ch.figure(vg.Length(w)*vg.Inch, vg.Length(h)*vg.Inch, or(l.Alt, l.alt(traces)))
}

// common returns the positions of the series that have none of their own.
func (l Lines) common() []float64 {
	if l.X != nil {
		return l.X
	}
	for _, s := range l.Series {
		if s.X == nil {
			x := make([]float64, len(s.Values))
			for i := range x {
				x[i] = float64(i)
			}
			return x
		}
	}
	return nil
}

// axes returns the ranges of both axes.
func (l Lines) axes(traces []trace) (axes, error) {
	a := emptyAxes()
	for _, t := range traces {
		for _, v := range t.x {
			a.includeX(v)
		}
		for _, part := range [][]float64{t.Values, t.Lo, t.Hi} {
			for _, v := range part {
				a.includeY(v)
			}
		}
	}
	for _, g := range l.Guides {
		a.includeY(g.Value)
	}
	return a.finish(l.YMin, l.YMax)
}

func (l Lines) alt(traces []trace) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sLine chart of %s over %s.", sentence(l.Title), or(l.YLabel, "values"), or(l.XLabel, "position"))
	for i, t := range traces {
		peak := (Series{Values: t.Values, Star: true}).stars()[0]
		fmt.Fprintf(&b, " %s: largest value %.3g at %.4g.", or(t.Name, fmt.Sprintf("Line %d", i+1)), t.Values[peak], t.x[peak])
	}
	return b.String()
}

// axes is the range of a chart with two number axes.
type axes struct {
	xMin, xMax, yMin, yMax float64
	integers               bool // all x are whole numbers
}

func emptyAxes() axes {
	inf := math.Inf(1)
	return axes{inf, -inf, inf, -inf, true}
}

func (a *axes) includeX(v float64) {
	a.xMin, a.xMax = min(a.xMin, v), max(a.xMax, v)
	a.integers = a.integers && v == math.Trunc(v)
}

func (a *axes) includeY(v float64) { a.yMin, a.yMax = min(a.yMin, v), max(a.yMax, v) }

// finish sets the y range where the user gives one and adds room at the edges.
func (a axes) finish(yMin, yMax float64) (axes, error) {
	share := 0.05
	if yMin != 0 || yMax != 0 {
		if !(yMin < yMax) || math.IsInf(yMax-yMin, 0) {
			return a, fmt.Errorf("limit YMin is %g and YMax %g, expected YMin below YMax, both finite", yMin, yMax)
		}
		a.yMin, a.yMax, share = yMin, yMax, 0.02
	}
	var err error
	if a.xMin, a.xMax, err = widen(a.xMin, a.xMax, 0.035); err != nil {
		return a, err
	}
	a.yMin, a.yMax, err = widen(a.yMin, a.yMax, share)
	return a, err
}

// apply sets a plot's ranges and ticks; size is that of the canvas it gets.
func (a axes) apply(p *plot.Plot, size vg.Point) {
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = a.xMin, a.xMax, a.yMin, a.yMax
	p.X.Tick.Marker = numberTicks{count: max(3, int((size.X-40)/26)), integer: a.integers}
	p.Y.Tick.Marker = numberTicks{count: max(3, int((size.Y-30)/22))}
}
