package figure

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Links draws curves between the patches of an image, as wide as their weight: which patch
// reads how much from which. The image fades to a light picture.
type Links struct {
	Image image.Image
	Grid  int // patches per side
	Links []Link
	// Max is the weight of the widest curve; 0 for the largest.
	Max   float64
	Color color.Color // nil for [SeriesColor] of 0
	Boxes []Box

	Title string
	Size  float64 // inches of the image's longer side; 0 for about 2.5
	Alt   string
}

// A Link is a curve from a patch that reads to the patch it reads from, raster indices. It
// bends to the right as seen from there, so the two directions lie apart. A patch that
// reads from itself gets a ring.
type Link struct {
	From, To int
	Weight   float64
}

const (
	widestLink = 5    // points
	linkBend   = 0.18 // of a curve's length
)

// Figure returns the image with its curves as a figure.
func (o Links) Figure() *Figure {
	const kind = "links"
	if o.Grid < 1 {
		return failed(kind, fmt.Errorf("a grid of %d patches per side, expected 1 or more", o.Grid))
	}
	n, most := o.Grid*o.Grid, Link{}
	for i, l := range o.Links {
		if l.From < 0 || l.From >= n || l.To < 0 || l.To >= n {
			return failed(kind, fmt.Errorf("link %d goes from patch %d to patch %d, expected 0 to %d", i, l.From, l.To, n-1))
		}
		if err := finite([]float64{l.Weight}); err != nil || l.Weight < 0 {
			return failed(kind, fmt.Errorf("link %d has the weight %v, expected a finite number, 0 or more", i, l.Weight))
		}
		if l.Weight > most.Weight {
			most = l
		}
	}
	if o.Max < 0 || math.IsNaN(o.Max) {
		return failed(kind, errors.New("the largest weight, Max, is below 0"))
	}
	if o.Max == 0 {
		o.Max = max(most.Weight, math.SmallestNonzeroFloat64)
	}
	alt := or(o.Alt, fmt.Sprintf("%s%d curves between patches over an image, the widest, %.3g, from patch %d to patch %d.", sentence(o.Title), len(o.Links), most.Weight, most.From, most.To))
	base := Overlay{Image: o.Image, Weights: make([]float64, n), Boxes: o.Boxes, Size: o.Size, Title: o.Title}
	under, height, err := base.layout()
	if err != nil {
		return failed(kind, err)
	}
	return newFigure(2*margin+under.size.X, height, alt, func(c draw.Canvas) { o.draw(c, under) })
}

func (o Links) draw(c draw.Canvas, under overlaid) {
	r := under.drawImage(c)
	side := r.Size().X / vg.Length(o.Grid)
	middle := func(p int) vg.Point {
		return vg.Point{X: r.Min.X + side*(vg.Length(p%o.Grid)+.5), Y: r.Max.Y - side*(vg.Length(p/o.Grid)+.5)}
	}
	shade := color.NRGBAModel.Convert(cmp.Or(o.Color, SeriesColor(0))).(color.NRGBA)
	shade.A = 0xb0
	for _, l := range o.Links {
		width := widestLink * vg.Length(min(1, l.Weight/o.Max))
		if width < .05 { // too thin to be seen
			continue
		}
		from, to := middle(l.From), middle(l.To)
		sty := stroke(shade, width)
		var path vg.Path
		if l.From == l.To {
			path.Move(vg.Point{X: from.X + side/5, Y: from.Y})
			path.Arc(from, side/5, 0, 2*math.Pi)
		} else {
			way := to.Sub(from)
			bend := vg.Point{X: from.X + way.X/2 + linkBend*way.Y, Y: from.Y + way.Y/2 - linkBend*way.X}
			path.Move(from)
			path.QuadTo(bend, to)
		}
		c.SetLineStyle(sty)
		c.Stroke(path)
	}
}
