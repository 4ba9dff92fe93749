package figure

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Lines is a chart of marked lines over common positions, with optional bands,
// stars at peaks, reference lines, and a legend outside the data. The paper's
// Figure 2 shows attention per layer so.
type Lines struct {
	// X holds the positions, one per value of each series; nil for 0, 1, 2...
	// Where all are whole numbers, so are the ticks.
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
	x := l.X
	if x == nil {
		for i := range l.Series[0].Values {
			x = append(x, float64(i))
		}
	}
	if len(x) == 0 {
		return failed(kind, errors.New("no values"))
	}
	if err := finite(x); err != nil {
		return failed(kind, fmt.Errorf("in X %w", err))
	}
	for i, s := range l.Series {
		if err := s.check(len(x)); err != nil {
			return failed(kind, fmt.Errorf("series %d (%q) %w", i, s.Name, err))
		}
	}
	for _, g := range l.Guides {
		if err := finite([]float64{g.Value}); err != nil {
			return failed(kind, fmt.Errorf("guide %q: %w", g.Name, err))
		}
	}
	axes, err := l.axes(x)
	if err != nil {
		return failed(kind, err)
	}

	ch := chart{kind: kind, title: l.Title}
	traces := make([]trace, len(l.Series))
	var names legend
	for i, s := range l.Series {
		traces[i] = trace{s, x, i}
		if s.Name != "" && !l.NoLegend {
			names = append(names, legendEntry{s.Name, traces[i].sample})
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
	return ch.figure(vg.Length(w)*vg.Inch, vg.Length(h)*vg.Inch, or(l.Alt, l.alt(x)))
}

// axes returns the ranges of both axes.
func (l Lines) axes(x []float64) (axes, error) {
	a := emptyAxes()
	for _, v := range x {
		a.includeX(v)
	}
	for _, s := range l.Series {
		for _, part := range [][]float64{s.Values, s.Lo, s.Hi} {
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

func (l Lines) alt(x []float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sLine chart of %s over %s.", sentence(l.Title), or(l.YLabel, "values"), or(l.XLabel, "position"))
	for i, s := range l.Series {
		peak := (Series{Values: s.Values, Star: true}).stars()[0]
		fmt.Fprintf(&b, " %s: largest value %.3g at %.4g.", or(s.Name, fmt.Sprintf("Line %d", i+1)), s.Values[peak], x[peak])
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
