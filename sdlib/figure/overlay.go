package figure

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Overlay lays one weight per patch over an image: where a token attends to. The
// image fades to a light picture in which the objects stay recognizable, and each
// patch is tinted by its weight. Boxes mark chosen patches, for example those of
// an object.
type Overlay struct {
	Image image.Image

	// Weights holds G*G numbers, one per patch of a grid of G x G, in raster order
	// (rows from the top, each from the left), without the CLS token.
	Weights []float64

	// Min and Max are the ends of the scale; both zero for 0 and the largest
	// weight.
	Min, Max float64
	// Map colors the weights; nil for [Sequential]. Its low end should be white.
	Map palette.ColorMap

	Boxes []Box

	Title    string
	BarLabel string
	Size     float64 // inches of the image's longer side; 0 for about 2.5
	Alt      string
}

// Box is a line around a set of patches.
type Box struct {
	Patches []int       // raster indices, from 0 to G*G-1
	Name    string      // in a line below the image; empty for none
	Color   color.Color // nil for [SeriesColor] of its position
	Dashed  bool
}

// Figure returns the overlay as a figure.
func (o Overlay) Figure() *Figure {
	l, h, err := o.layout()
	if err != nil {
		return failed("overlay", err)
	}
	peak := 0
	for i, w := range o.Weights {
		if w > o.Weights[peak] {
			peak = i
		}
	}
	alt := or(o.Alt, fmt.Sprintf("%sWeights of %d x %d patches over an image, the largest, %.3g, at row %d, column %d.",
		sentence(o.Title), l.patches, l.patches, o.Weights[peak], peak/l.patches, peak%l.patches))
	return newFigure(2*margin+l.size.X+gap+l.bar.width(0), h, alt, l.draw)
}

// layout returns the overlay with its lengths, and its height.
func (o Overlay) layout() (l overlaid, height vg.Length, err error) {
	if err := checkImage(o.Image); err != nil {
		return l, 0, err
	}
	grid, err := o.grid()
	if err != nil {
		return l, 0, err
	}
	low, high := 0.0, 0.0
	for _, w := range o.Weights {
		low, high = min(low, w), max(high, w)
	}
	if o.Min != 0 || o.Max != 0 {
		low, high = o.Min, o.Max
	} else if low == high { // all weights are zero
		high = 1
	}
	colors, err := newScale(low, high, o.Map, Sequential())
	if err != nil {
		return l, 0, err
	}

	b := o.Image.Bounds()
	l = overlaid{Overlay: o, patches: grid, bar: colorBar{colors, o.BarLabel}}
	longer := float64(max(b.Dx(), b.Dy()))
	l.perPixel = vg.Length(orSize(o.Size, 2.5)) * vg.Inch / vg.Length(longer)
	if k := math.Floor(float64(l.perPixel / pixel)); o.Size == 0 && k >= 1 {
		l.perPixel = vg.Length(k) * pixel // whole screen pixels
	}
	l.size = vg.Point{X: vg.Length(b.Dx()) * l.perPixel, Y: vg.Length(b.Dy()) * l.perPixel}
	height = 2*margin + l.size.Y + l.keyHeight()
	if o.Title != "" {
		l.title = wrap(o.Title, titleStyle(), l.size.X+gap+l.bar.width(0))
		height += textHeight(l.title, titleStyle()) + 4
	}
	return l, height, nil
}

// grid checks weights and boxes and returns G.
func (o Overlay) grid() (int, error) {
	n := len(o.Weights)
	if n == 0 {
		return 0, errors.New("no weights: Weights is empty")
	}
	g := int(math.Sqrt(float64(n)) + 0.5)
	if g*g != n {
		hint := ""
		if k := int(math.Sqrt(float64(n-1)) + 0.5); k*k == n-1 {
			hint = fmt.Sprintf("; %d would be %d x %d patches and the CLS token: leave its weight out", n, k, k)
		}
		return 0, fmt.Errorf("%d weights, expected G*G for a grid of G x G patches%s", n, hint)
	}
	b := o.Image.Bounds()
	if b.Dx()%g != 0 || b.Dy()%g != 0 {
		return 0, fmt.Errorf("%d weights mean a grid of %d x %d patches, which does not divide the image of %d x %d pixels", n, g, g, b.Dx(), b.Dy())
	}
	if err := finite(o.Weights); err != nil {
		return 0, fmt.Errorf("in Weights %w", err)
	}
	for i, box := range o.Boxes {
		for _, p := range box.Patches {
			if p < 0 || p >= n {
				return 0, fmt.Errorf("box %d (%q) names patch %d, expected 0 to %d", i, box.Name, p, n-1)
			}
		}
	}
	return g, nil
}

// overlaid is an overlay with its lengths.
type overlaid struct {
	Overlay
	title    string
	patches  int // G
	perPixel vg.Length
	size     vg.Point
	bar      colorBar
}

// blend returns the faded image multiplied by each patch's color. On white
// ground that is the very color of the bar.
func (l overlaid) blend() image.Image {
	b := l.Image.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	patchW, patchH := b.Dx()/l.patches, b.Dy()/l.patches
	for y := range b.Dy() {
		for x := range b.Dx() {
			tint := l.bar.scale.color(l.Weights[y/patchH*l.patches+x/patchW])
			c := color.NRGBAModel.Convert(l.Image.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			gray := 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
			multiply := func(pixel, tint uint8) uint8 {
				muted := 0.35*float64(pixel) + 0.65*gray // little color, so that the tint keeps its hue
				light := 255 - 0.5*(255-muted)
				return uint8(math.Round(light * float64(tint) / 255))
			}
			out.SetNRGBA(x, y, color.NRGBA{multiply(c.R, tint.R), multiply(c.G, tint.G), multiply(c.B, tint.B), 0xff})
		}
	}
	return out
}

func (l overlaid) draw(c draw.Canvas) {
	r := l.drawImage(c)
	l.bar.drawBeside(c, r.Max.X+gap, r)
}

// drawImage draws all but the color bar and returns where the image went.
func (l overlaid) drawImage(c draw.Canvas) vg.Rectangle {
	top := c.Max.Y - margin
	left := c.Min.X + margin
	if l.title != "" {
		height := textHeight(l.title, titleStyle())
		writeTitle(c, l.title, vg.Rectangle{Min: vg.Point{X: left}, Max: vg.Point{X: left + l.size.X}}, top)
		top -= height + 4
	}
	r := place(c, l.blend(), vg.Point{X: left, Y: top}, l.size, l.perPixel, true)
	for i, box := range l.Boxes {
		l.drawBox(c, r, box, l.boxColor(i))
	}
	l.drawKey(c, vg.Point{X: r.Min.X, Y: r.Min.Y - 5})
	return r
}

func (l overlaid) boxColor(i int) color.Color {
	if c := l.Boxes[i].Color; c != nil {
		return c
	}
	return SeriesColor(i)
}

// drawBox strokes every side of a chosen patch that has no chosen neighbor.
func (l overlaid) drawBox(c draw.Canvas, r vg.Rectangle, box Box, clr color.Color) {
	g := l.patches
	chosen := map[int]bool{}
	for _, p := range box.Patches {
		chosen[p] = true
	}
	corner := func(row, col int) vg.Point {
		return vg.Point{
			X: r.Min.X + r.Size().X*vg.Length(col)/vg.Length(g),
			Y: r.Max.Y - r.Size().Y*vg.Length(row)/vg.Length(g),
		}
	}
	var sides [][]vg.Point
	for p := range g * g { // in order: a map's own order would change the file
		if !chosen[p] {
			continue
		}
		row, col := p/g, p%g
		for _, side := range []struct {
			neighbor               int
			inside                 bool
			row0, col0, row1, col1 int
		}{
			{p - g, row > 0, row, col, row, col + 1},
			{p + g, row < g-1, row + 1, col, row + 1, col + 1},
			{p - 1, col > 0, row, col, row + 1, col},
			{p + 1, col < g-1, row, col + 1, row + 1, col + 1},
		} {
			if !side.inside || !chosen[side.neighbor] {
				sides = append(sides, []vg.Point{corner(side.row0, side.col0), corner(side.row1, side.col1)})
			}
		}
	}
	c.StrokeLines(l.boxStyle(box, clr), lengthen(sides)...)
}

func (l overlaid) boxStyle(box Box, clr color.Color) draw.LineStyle {
	sty := stroke(clr, 1.6)
	if box.Dashed {
		sty.Dashes = []vg.Length{4, 2}
	}
	return sty
}

// lengthen extends each line by half a line's width so that corners close.
func lengthen(lines [][]vg.Point) [][]vg.Point {
	const by = 0.8
	for _, line := range lines {
		if line[0].X == line[1].X {
			line[0].Y += by
			line[1].Y -= by
		} else {
			line[0].X -= by
			line[1].X += by
		}
	}
	return lines
}

const keyLine = captionSize*leading + 2

// keyHeight returns the height of the names of boxes, one line each.
func (l overlaid) keyHeight() vg.Length {
	lines := vg.Length(0)
	for _, box := range l.Boxes {
		if box.Name != "" {
			lines++
		}
	}
	if lines == 0 {
		return 0
	}
	return 5 + lines*keyLine
}

func (l overlaid) drawKey(c draw.Canvas, top vg.Point) {
	const side = 8
	for i, box := range l.Boxes {
		if box.Name == "" {
			continue
		}
		low := vg.Point{X: top.X + 1, Y: top.Y - side - 1}
		outlineRect(c, vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: side, Y: side})}, l.boxStyle(box, l.boxColor(i)))
		writeLines(c, box.Name, style(captionSize), vg.Point{X: top.X + side + 6, Y: top.Y})
		top.Y -= keyLine
	}
}
