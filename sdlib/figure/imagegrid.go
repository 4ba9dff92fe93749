package figure

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ImageGrid shows images in rows with captions below. Small images are enlarged
// by repeating their pixels, so that each pixel of a stimulus is a sharp square;
// a thin frame shows where a white image ends.
type ImageGrid struct {
	Images []image.Image
	// Captions stand below the images, one each; nil for none.
	Captions []string
	// Columns per row; 0 for as many as fit on 6.5 inches, in rows of equal length
	// as far as possible.
	Columns int
	// Scale is the number of screen pixels (1/96 inch) per image pixel; 0 for
	// tiles of somewhat more than an inch.
	Scale int
	// NoFrame leaves the frames away.
	NoFrame bool

	Title string
	Alt   string // alternative text; empty for one made of title and captions
}

const (
	pageWidth = 6.5 * vg.Inch
	tileGap   = 9
)

// Figure returns the grid as a figure.
func (g ImageGrid) Figure() *Figure {
	const kind = "image grid"
	n := len(g.Images)
	if n == 0 {
		return failed(kind, errors.New("no images: Images is empty"))
	}
	if g.Captions != nil && len(g.Captions) != n {
		return failed(kind, fmt.Errorf("%d captions for %d images, expected as many, or none", len(g.Captions), n))
	}
	if g.Columns < 0 || g.Scale < 0 {
		return failed(kind, fmt.Errorf("number of Columns is %d and Scale %d, expected neither below 0", g.Columns, g.Scale))
	}
	var largest image.Point
	for i, img := range g.Images {
		if err := checkImage(img); err != nil {
			return failed(kind, fmt.Errorf("image %d: %w", i, err))
		}
		largest.X = max(largest.X, img.Bounds().Dx())
		largest.Y = max(largest.Y, img.Bounds().Dy())
	}

	l := tiles{ImageGrid: g, perPixel: g.pixelSize(max(largest.X, largest.Y))}
	l.tile = vg.Point{X: snapUp(vg.Length(largest.X) * l.perPixel), Y: snapUp(vg.Length(largest.Y) * l.perPixel)}
	l.columns = g.Columns
	if l.columns == 0 {
		fit := max(1, int((pageWidth+tileGap)/(l.tile.X+tileGap)))
		rows := (n + fit - 1) / fit
		l.columns = (n + rows - 1) / rows
	}
	l.columns = min(l.columns, n)
	for i := range g.Captions {
		l.captionHeight = max(l.captionHeight, textHeight(l.caption(i), captionStyle()))
	}
	if l.captionHeight > 0 {
		l.captionHeight += 3
	}
	rows := (n + l.columns - 1) / l.columns
	w := 2*margin + vg.Length(l.columns)*(l.tile.X+tileGap) - tileGap
	h := 2*margin + vg.Length(rows)*(l.tile.Y+l.captionHeight+tileGap) - tileGap
	l.title = wrap(g.Title, titleStyle(), max(w-2*margin, vg.Inch))
	w = max(w, titleStyle().Width(l.title)+2*margin)
	if g.Title != "" {
		h += textHeight(l.title, titleStyle()) + 4
	}
	alt := g.Alt
	if alt == "" {
		alt = fmt.Sprintf("%s%d images of up to %d x %d pixels", sentence(g.Title), n, largest.X, largest.Y)
		if g.Captions != nil {
			alt += ": " + strings.Join(g.Captions, "; ")
		}
		alt += "."
	}
	return newFigure(w, h, alt, l.draw)
}

// pixelSize returns the length of one image pixel on paper.
func (g ImageGrid) pixelSize(side int) vg.Length {
	const wanted, most = 112, 150 // screen pixels
	switch {
	case g.Scale > 0:
		return vg.Length(g.Scale) * pixel
	case side > most:
		return 1.4 * vg.Inch / vg.Length(side)
	default:
		return vg.Length(math.Max(1, math.Round(wanted/float64(side)))) * pixel
	}
}

// tiles is an image grid with its lengths.
type tiles struct {
	ImageGrid
	title         string
	perPixel      vg.Length
	tile          vg.Point
	columns       int
	captionHeight vg.Length
}

func captionStyle() draw.TextStyle {
	sty := style(captionSize)
	sty.XAlign = draw.XCenter
	return sty
}

func (l tiles) caption(i int) string {
	return wrap(l.Captions[i], captionStyle(), l.tile.X+tileGap-3)
}

func (l tiles) draw(c draw.Canvas) {
	width := vg.Length(l.columns)*(l.tile.X+tileGap) - tileGap
	left := c.Min.X + margin
	top := c.Max.Y - margin
	if l.title != "" {
		writeLines(c, l.title, titleStyle(), vg.Point{X: c.Min.X + c.Size().X/2, Y: top})
		top -= textHeight(l.title, titleStyle()) + 4
		left = c.Min.X + (c.Size().X-width)/2
	}
	for i, img := range l.Images {
		col, row := vg.Length(i%l.columns), vg.Length(i/l.columns)
		x := left + col*(l.tile.X+tileGap)
		y := top - row*(l.tile.Y+l.captionHeight+tileGap)
		place(c, img, vg.Point{X: x, Y: y}, l.tile, l.perPixel, !l.NoFrame)
		if l.Captions != nil {
			writeLines(c, l.caption(i), captionStyle(), vg.Point{X: x + l.tile.X/2, Y: y - l.tile.Y - 3})
		}
	}
}

// place draws an image in the middle of a tile given by its top left corner, on
// the pixel grid, and returns where it went.
func place(c draw.Canvas, img image.Image, corner, tile vg.Point, perPixel vg.Length, framed bool) vg.Rectangle {
	w := vg.Length(img.Bounds().Dx()) * perPixel
	h := vg.Length(img.Bounds().Dy()) * perPixel
	low := vg.Point{X: snap(corner.X + (tile.X-w)/2), Y: snap(corner.Y - (tile.Y+h)/2)}
	r := vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: w, Y: h})}
	c.DrawImage(r, enlarge(img, float64(w/vg.Inch)))
	if framed {
		const off = 0.3 // just outside of the pixels
		outer := vg.Rectangle{Min: r.Min.Sub(vg.Point{X: off, Y: off}), Max: r.Max.Add(vg.Point{X: off, Y: off})}
		outlineRect(c, outer, stroke(frame, axisWidth))
	}
	return r
}
