package figure

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// marker is a filled polygon with a thin white edge, so that marks that overlap
// stay apart. It implements draw.GlyphDrawer.
type marker []vg.Point // around the origin, for radius 1

// markers follow the series' colors: two series differ by both.
var markers = []marker{
	regular(24, 0, 1),             // disc
	regular(4, math.Pi/4, 1.2),    // square
	regular(3, math.Pi/2, 1.35),   // triangle up
	regular(4, 0, 1.3),            // diamond
	regular(3, -math.Pi/2, 1.35),  // triangle down
	regular(5, math.Pi/2, 1.15),   // pentagon
	regular(6, 0, 1.15),           // hexagon
	star(4, math.Pi/4, 1.35, 0.5), // cross
}

var starMarker = star(5, math.Pi/2, 1, 0.42)

func regular(corners int, turn, radius float64) marker {
	m := make(marker, corners)
	for i := range m {
		sin, cos := math.Sincos(turn + 2*math.Pi*float64(i)/float64(corners))
		m[i] = vg.Point{X: vg.Length(radius * cos), Y: vg.Length(radius * sin)}
	}
	return m
}

// star returns a star whose inner corners lie at inner times the radius.
func star(points int, turn, radius, inner float64) marker {
	m := regular(2*points, turn, radius)
	for i := 1; i < len(m); i += 2 {
		m[i] = m[i].Scale(vg.Length(inner))
	}
	return m
}

func (m marker) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	p := m.path(sty, at)
	c.SetLineStyle(stroke(color.White, 0.18*sty.Radius+0.5))
	c.Stroke(p)
	c.SetColor(sty.Color)
	c.Fill(p)
}

// path is the marker's edge at a point of the canvas.
func (m marker) path(sty draw.GlyphStyle, at vg.Point) (p vg.Path) {
	for i, corner := range m {
		q := at.Add(corner.Scale(sty.Radius))
		if i == 0 {
			p.Move(q)
		} else {
			p.Line(q)
		}
	}
	p.Close()
	return p
}

// outline is a marker of which only the edge is drawn, so that one of another form shows below it. It implements draw.GlyphDrawer.
type outline marker

func (o outline) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(stroke(sty.Color, 0.35*sty.Radius))
	c.Stroke(marker(o).path(sty, at))
}

// markerStyle returns the style of series i's marks. The marker is that of the color, where it is one of [SeriesColor]'s, so that
// a name that keeps its color from figure to figure keeps its marker too.
func markerStyle(i int, clr color.Color, radius vg.Length) draw.GlyphStyle {
	if k := slices.Index(seriesColors, clr); k >= 0 {
		i = k
	}
	return draw.GlyphStyle{Color: clr, Radius: radius, Shape: markers[i%len(markers)]}
}
