package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Dots is a strip chart: every single value as a dot, by category and group, with their
// mean as a short bar. It is the chart for few repeats, such as three seeds, where a bar
// with an error bar would hide how few they are and how they lie.
type Dots struct {
	Categories []string // along x; broken at spaces where they are long
	Groups     []DotGroup
	Guides     []Guide

	Title, XLabel, YLabel string

	// YMin and YMax bound the y axis; both zero for the range of the data. Dots
	// outside are left out.
	YMin, YMax float64

	NoLegend bool

	Width, Height float64 // inches; 0 for a width that leaves the dots apart, and 2.8
	Alt           string  // alternative text; empty for one made of title, labels and means
}

// DotGroup is one group of a [Dots] chart, in a column of its own within every category.
type DotGroup struct {
	Name   string      // in the legend; empty for none
	Values [][]float64 // one list per category, of any length; empty where there is nothing
	Color  color.Color // nil for [SeriesColor] of its position
}

// check reports what is wrong with a group of a chart with n categories.
func (g DotGroup) check(n int) error {
	if len(g.Values) != n {
		return fmt.Errorf("has %d lists of values, expected %d, one per category", len(g.Values), n)
	}
	for i, values := range g.Values {
		if err := finite(values); err != nil {
			return fmt.Errorf("category %d: %w", i, err)
		}
	}
	return nil
}

const (
	dotRadius = 2
	groupRoom = 0.9 // of a category's width, for all its groups together
)

// Figure returns the chart as a figure.
func (d Dots) Figure() *Figure {
	const kind = "dots"
	if len(d.Categories) == 0 || len(d.Groups) == 0 {
		return failed(kind, errors.New("nothing to show: Categories and Groups must both hold something"))
	}
	a := emptyAxes()
	n, repeats := 0, false
	for i, g := range d.Groups {
		if err := g.check(len(d.Categories)); err != nil {
			return failed(kind, fmt.Errorf("group %d (%q) %w", i, g.Name, err))
		}
		for _, values := range g.Values {
			for _, v := range values {
				a.includeY(v)
			}
			n += len(values)
			repeats = repeats || len(values) > 1
		}
	}
	if n == 0 {
		return failed(kind, errors.New("no values"))
	}
	for _, g := range d.Guides {
		if err := finite([]float64{g.Value}); err != nil {
			return failed(kind, fmt.Errorf("guide %q: %w", g.Name, err))
		}
		a.includeY(g.Value)
	}
	a.includeX(0)
	a, err := a.finish(d.YMin, d.YMax)
	if err != nil {
		return failed(kind, err)
	}
	a.xMin, a.xMax = -.5, float64(len(d.Categories))-.5

	ch := chart{kind: kind, title: d.Title}
	if repeats {
		ch.note = "bars: means"
	}
	strips := make([]strip, len(d.Groups))
	var names legend
	for i, g := range d.Groups {
		strips[i] = strip{g, i, len(d.Groups)}
		if g.Name != "" && !d.NoLegend {
			names = append(names, legendEntry{g.Name, strips[i].sample})
		}
	}
	width := 0.9 + float64(len(d.Categories))*max(.75, .24*float64(len(d.Groups)))
	if len(names) > 0 {
		ch.side, width = names, width+1
	}
	ch.plot = func(size vg.Point) *plot.Plot {
		p := newPlot()
		p.X.Label.Text, p.Y.Label.Text = d.XLabel, d.YLabel
		a.apply(p, size)
		d.nameCategories(p, size)
		p.Add(gridLines{}, fences(len(d.Categories)), guides{d.Guides, d.traces()})
		for _, s := range strips {
			p.Add(s)
		}
		return p
	}
	w, h := orSize(d.Width, min(max(width, 3.2), 7)), orSize(d.Height, 2.8)
	return ch.figure(vg.Length(w)*vg.Inch, vg.Length(h)*vg.Inch, or(d.Alt, d.alt()))
}

// nameCategories writes the categories below the axis: broken into lines as wide as a
// category, or turned where a single word is wider.
func (d Dots) nameCategories(p *plot.Plot, size vg.Point) {
	label := &p.X.Tick.Label
	room := (size.X-40)/vg.Length(len(d.Categories)) - 4
	names := make([]string, len(d.Categories))
	fits, most := true, 0
	for i, name := range d.Categories {
		names[i] = wrap(name, *label, room)
		fits = fits && label.Width(names[i]) <= room+4
		most = max(most, strings.Count(names[i], "\n"))
	}
	for i, name := range names { // lines of their own for all, so that the first ones stand on one line
		names[i] += strings.Repeat("\n ", most-strings.Count(name, "\n"))
	}
	if !fits {
		label.Rotation = math.Pi / 4
		label.XAlign, label.YAlign = draw.XRight, draw.YCenter
		for i, name := range d.Categories {
			names[i] = name + " " // keeps the turned text off the axis
		}
	}
	p.X.Tick.Length = 0
	p.X.Tick.Marker = nameTicks{names: names, at: func(i int) float64 { return float64(i) }}
}

// traces are the dots as series of one value, which the names of guides keep clear of.
func (d Dots) traces() []trace {
	var all []trace
	for i, g := range d.Groups {
		for c, values := range g.Values {
			for _, v := range values {
				at := strip{g, i, len(d.Groups)}.at(c)
				all = append(all, trace{Series: Series{Values: []float64{v}}, x: []float64{at}})
			}
		}
	}
	return all
}

func (d Dots) alt() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sStrip chart of %s by %s.", sentence(d.Title), or(d.YLabel, "values"), or(d.XLabel, "category"))
	for i, g := range d.Groups {
		var means []string
		for c, values := range g.Values {
			if len(values) > 0 {
				means = append(means, fmt.Sprintf("%s %.3g", strings.Join(strings.Fields(d.Categories[c]), " "), stat.Mean(values, nil)))
			}
		}
		if len(means) > 0 {
			fmt.Fprintf(&b, " %s, means: %s.", or(g.Name, fmt.Sprintf("Group %d", i+1)), strings.Join(means, "; "))
		}
	}
	return b.String()
}

// strip draws a group. It implements plot.Plotter.
type strip struct {
	DotGroup
	index, groups int // position among so many groups: gives column, color and marker
}

// at returns where the group's column stands in a category.
func (s strip) at(category int) float64 {
	return float64(category) + groupRoom*((float64(s.index)+.5)/float64(s.groups)-.5)
}

func (s strip) style() draw.GlyphStyle {
	clr := s.Color
	if clr == nil {
		clr = SeriesColor(s.index)
	}
	return markerStyle(s.index, clr, dotRadius)
}

func (s strip) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	room := groupRoom / vg.Length(s.groups) * (x(1) - x(0))
	sty := s.style()
	for category, values := range s.Values {
		middle := x(s.at(category))
		var heights []vg.Length
		for _, v := range values {
			if at := y(v); c.ContainsY(at) {
				heights = append(heights, at)
			}
		}
		if at := y(stat.Mean(values, nil)); len(values) > 1 && c.ContainsY(at) {
			half := min(0.46*room, 4*dotRadius)
			c.StrokeLine2(stroke(ink, 1.1), middle-half, at, middle+half, at)
		}
		slices.Sort(heights)
		for i, dx := range swarm(heights, 1.8*dotRadius, room-2*dotRadius) {
			c.DrawGlyph(sty, vg.Point{X: middle + dx, Y: heights[i]})
		}
	}
}

func (s strip) sample(c draw.Canvas, middle vg.Point) { c.DrawGlyphNoClip(s.style(), middle) }

// swarm moves marks at rising heights aside, within room, the width there is, so that
// none is closer to another than apart. Where not all find a place they are let closer,
// as little as it takes.
func swarm(heights []vg.Length, apart, room vg.Length) []vg.Length {
	for ; apart > 0.1; apart *= 0.8 {
		if moved, ok := spreadOut(heights, apart, room); ok {
			return moved
		}
	}
	return make([]vg.Length, len(heights))
}

// spreadOut moves each mark to the nearest free place beside the middle, if all find one.
func spreadOut(heights []vg.Length, apart, room vg.Length) (moved []vg.Length, ok bool) {
	free := func(i int, dx vg.Length) bool {
		for k := i - 1; k >= 0 && heights[i]-heights[k] < apart; k-- {
			if math.Hypot(float64(dx-moved[k]), float64(heights[i]-heights[k])) < float64(apart)*0.999 {
				return false
			}
		}
		return true
	}
	for i := range heights {
		step := vg.Length(0)
		for step <= room/2 && !free(i, step) && !free(i, -step) {
			step += apart / 2
		}
		switch {
		case step > room/2:
			return nil, false
		case free(i, step):
			moved = append(moved, step)
		default:
			moved = append(moved, -step)
		}
	}
	return moved, true
}

// fences draws faint lines between so many categories. It implements plot.Plotter.
type fences int

func (f fences) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for i := 1; i < int(f); i++ {
		at := x(float64(i) - .5)
		c.StrokeLine2(stroke(faint, axisWidth), at, c.Min.Y, at, c.Max.Y)
	}
}
