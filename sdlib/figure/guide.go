package figure

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Guide is a horizontal reference line, such as chance.
type Guide struct {
	Value float64
	Name  string // written at the line where no data are; empty for none
}

// guides draws reference lines below the series. It implements plot.Plotter.
type guides struct {
	lines  []Guide
	traces []trace // which names keep clear of
}

func (g guides) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	sty := stroke(guide, 0.9)
	sty.Dashes = []vg.Length{1.5, 2}
	text := style(tickSize - 0.5)
	text.Color = guide
	for _, line := range g.lines {
		at := y(line.Value)
		if !c.ContainsY(at) {
			continue
		}
		c.StrokeLine2(sty, c.Min.X, at, c.Max.X, at)
		if line.Name != "" {
			box := g.room(c, p, at, vg.Point{X: text.Width(line.Name), Y: text.Font.Size * leading})
			writeLines(c, line.Name, text, vg.Point{X: box.Min.X, Y: box.Max.Y})
		}
	}
}

// room returns the first place along a line, above or below it, from right to
// left, that no series runs through; if all are taken, one line of text farther
// off; the right end if those are taken, too.
func (g guides) room(c draw.Canvas, p *plot.Plot, at vg.Length, size vg.Point) vg.Rectangle {
	const off = 1.5
	box := func(share vg.Length, low vg.Length) vg.Rectangle {
		left := c.Min.X + off + share*(c.Size().X-2*off-size.X)
		return vg.Rectangle{Min: vg.Point{X: left, Y: low}, Max: vg.Point{X: left + size.X, Y: low + size.Y}}
	}
	for _, away := range []vg.Length{off, off + size.Y} {
		for _, share := range []vg.Length{1, 0, 0.8, 0.2, 0.6, 0.4} {
			for _, low := range []vg.Length{at + away, at - away - size.Y} {
				b := box(share, low)
				if c.ContainsY(b.Min.Y) && c.ContainsY(b.Max.Y) && !g.crossed(c, p, b) {
					return b
				}
			}
		}
	}
	return box(1, at+off)
}

// crossed reports whether a line, a mark or a band of a series meets the box.
func (g guides) crossed(c draw.Canvas, p *plot.Plot, box vg.Rectangle) bool {
	x, y := p.Transforms(&c)
	const clear = markRadius + 1
	for _, t := range g.traces {
		lo, hi := t.Lo, t.Hi
		if lo == nil {
			lo, hi = t.Values, t.Values
		}
		for i := range t.x {
			k := min(i+1, len(t.x)-1)
			const steps = 16 // along the way to the next value
			for s := range steps {
				f := float64(s) / steps
				mix := func(v []float64) float64 { return v[i] + f*(v[k]-v[i]) }
				if at := x(mix(t.x)); at < box.Min.X-clear || at > box.Max.X+clear {
					continue
				}
				if y(mix(hi)) > box.Min.Y-clear && y(mix(lo)) < box.Max.Y+clear {
					return true
				}
			}
		}
	}
	return false
}
