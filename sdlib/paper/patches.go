package paper

import (
	"fmt"
	"image"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// PatchFigure shows stimulus i as a vision transformer takes it in: cut into patches,
// each of which becomes a token. The patches of each object are framed in a color of
// their own. The title names the geometry and its grid of patches.
func PatchFigure(set *stimuli.Set, i int) (*figure.Figure, error) {
	if i < 0 || i >= set.Len() {
		return nil, fmt.Errorf("paper: no stimulus %d: expected 0 to %d", i, set.Len()-1)
	}
	g, s := set.Geometry(), set.Stimulus(i)
	p := patchDrawing{set: set, index: i, grid: g.Grid(), objects: s.Objects}
	alt := fmt.Sprintf("An image of %d x %d pixels cut into %d x %d patches.", g.Image, g.Image, g.Grid(), g.Grid())
	for _, o := range s.Objects {
		alt += fmt.Sprintf(" The patches of %s: %v.", o.Role, o.Tokens)
	}
	drawing := figure.New(patchInches, patchInches, alt, p.draw)
	title := fmt.Sprintf("%s: %d × %d", g.Name, g.Grid(), g.Grid())
	return checked(figure.Grid{Figures: []*figure.Figure{drawing}, Title: title, NoLetters: true}.Figure())
}

const patchInches = 2

// patchDrawing draws an image under its patch grid.
type patchDrawing struct {
	set     *stimuli.Set
	index   int
	grid    int // patches along a side
	objects []stimuli.Object
}

// pixels is the image with its pixels repeated, so that a canvas draws them as squares
// instead of smoothing between them.
func (p patchDrawing) pixels() image.Image {
	img := p.set.Image(p.index)
	b := img.Bounds()
	k := (patchInches*figure.DPI + b.Dx() - 1) / b.Dx()
	out := image.NewNRGBA(image.Rect(0, 0, k*b.Dx(), k*b.Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.SetNRGBA(x, y, img.NRGBAAt(b.Min.X+x/k, b.Min.Y+y/k))
		}
	}
	return out
}

func (p patchDrawing) draw(c draw.Canvas) {
	at := p.corners(c)
	n := float64(p.grid)
	c.DrawImage(vg.Rectangle{Min: at(n, 0), Max: at(0, n)}, p.pixels())

	lines := draw.LineStyle{Color: color.Gray{0xc8}, Width: 0.5}
	for k := range p.grid + 1 {
		k := float64(k)
		c.StrokeLines(lines, []vg.Point{at(k, 0), at(k, n)}, []vg.Point{at(0, k), at(n, k)})
	}
	for k, o := range p.objects {
		frame := draw.LineStyle{Color: figure.SeriesColor(k), Width: 1.2}
		for _, token := range o.Tokens {
			row, col := float64(token/p.grid), float64(token%p.grid)
			c.StrokeLines(frame, []vg.Point{at(row, col), at(row, col+1), at(row+1, col+1), at(row+1, col), at(row, col)})
		}
	}
}

// corners returns where the corners of the patch grid lie, rows counted from the top;
// fractions are between corners.
func (p patchDrawing) corners(c draw.Canvas) func(row, col float64) vg.Point {
	const margin = 3 // points, for lines at the border
	side := c.Max.X - c.Min.X - 2*margin
	low := vg.Point{X: c.Min.X + margin, Y: c.Min.Y + margin}
	n := float64(p.grid)
	return func(row, col float64) vg.Point {
		return low.Add(vg.Point{X: side * vg.Length(col/n), Y: side * vg.Length(1-row/n)})
	}
}
