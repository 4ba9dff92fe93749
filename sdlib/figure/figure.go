package figure

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	// DPI is the resolution of saved PNG and JPEG files, in dots per inch: twice
	// that of a screen, so that a notebook shows them sharp at half their width.
	DPI = 192

	// JPEGQuality is the quality of saved JPEG files.
	JPEGQuality = 90

	maxInches = 60       // larger on either side is taken for a mistake
	maxPixels = 200e6    // of one raster image: 800 MB of RGBA
	pixel     = 72. / 96 // points per screen pixel; images are placed on this grid
)

// Figure is a drawing that is made when it is asked for. It is immutable and may
// be drawn from several goroutines.
type Figure struct {
	alt  string
	w, h vg.Length
	draw func(draw.Canvas)

	// axes returns the data area that draw would use on a canvas. Panels of one
	// row are aligned by it. Nil where a figure has no axes.
	axes func(draw.Canvas) vg.Rectangle

	err error
}

// New returns a figure of width x height inches drawn by a function of your own
// on a gonum/plot canvas with white background. The function may be called
// several times, once per format, and must draw the same each time. alt is the
// alternative text for readers who do not see the figure.
func New(width, height float64, alt string, drawing func(draw.Canvas)) *Figure {
	f := newFigure(vg.Length(width)*vg.Inch, vg.Length(height)*vg.Inch, alt, drawing)
	if drawing == nil {
		f.err = errors.New("figure: New needs a drawing function, came nil")
	}
	return f
}

// newFigure rounds the size up to whole screen pixels, so that images placed on
// the pixel grid fall on whole device pixels at 96 and 192 dpi.
func newFigure(w, h vg.Length, alt string, drawing func(draw.Canvas)) *Figure {
	f := &Figure{w: snapUp(w), h: snapUp(h), alt: alt, draw: drawing}
	for _, side := range []vg.Length{w, h} {
		inches := float64(side / vg.Inch)
		if !(inches > 0 && inches <= maxInches) { // also catches NaN
			f.err = fmt.Errorf("figure: size is %.4g x %.4g inches, expected each side above 0 and at most %d",
				float64(w/vg.Inch), float64(h/vg.Inch), maxInches)
		}
	}
	return f
}

// failed returns the figure that stands for bad input. kind names the figure.
func failed(kind string, err error) *Figure {
	return &Figure{err: fmt.Errorf("figure: %s: %w", kind, err)}
}

// canvas returns an area of the figure's size to measure on, without a canvas to
// draw on behind it.
func (f *Figure) canvas() draw.Canvas {
	return draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: f.w, Y: f.h}}}
}

// Err returns what is wrong with the figure's input, nil when it can be drawn.
func (f *Figure) Err() error {
	if f == nil {
		return errors.New("figure: the figure is nil")
	}
	return f.err
}

// Size returns width and height in inches; zero for a figure with an error.
func (f *Figure) Size() (width, height float64) {
	if f.Err() != nil {
		return 0, 0
	}
	return float64(f.w / vg.Inch), float64(f.h / vg.Inch)
}

// Alt returns the alternative text: one or two sentences that stand for the
// figure where it cannot be seen.
func (f *Figure) Alt() string {
	if f == nil {
		return ""
	}
	return f.alt
}

// WithAlt returns the same figure with another alternative text.
func (f *Figure) WithAlt(alt string) *Figure {
	if f == nil {
		return f
	}
	g := *f
	g.alt = alt
	return &g
}

// Image draws the figure at dpi dots per inch; 0 means [DPI].
func (f *Figure) Image(dpi int) (image.Image, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	if dpi == 0 {
		dpi = DPI
	}
	w, h := f.Size()
	if dpi < 0 || w*h*float64(dpi)*float64(dpi) > maxPixels {
		return nil, fmt.Errorf("figure: %d dpi for %.4g x %.4g inches, expected at least 1 dpi and at most %.0f million pixels",
			dpi, w, h, maxPixels/1e6)
	}
	c := vgimg.NewWith(vgimg.UseWH(f.w, f.h), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	if err := f.paint(c); err != nil {
		return nil, err
	}
	return c.Image(), nil
}

// PNG returns the figure as a PNG at dpi dots per inch; 0 means [DPI].
func (f *Figure) PNG(dpi int) ([]byte, error) {
	img, err := f.Image(dpi)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

// JPEG returns the figure as a JPEG at dpi dots per inch (0 means [DPI]) and a
// quality from 1 to 100 (0 means [JPEGQuality]). Right for grids of photographs,
// where a PNG is several times larger.
func (f *Figure) JPEG(dpi, quality int) ([]byte, error) {
	if quality == 0 {
		quality = JPEGQuality
	}
	if quality < 1 || quality > 100 {
		return nil, fmt.Errorf("figure: JPEG quality is %d, expected 1 to 100, or 0 for %d", quality, JPEGQuality)
	}
	img, err := f.Image(dpi)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

// paint draws the figure on c. Libraries below panic where they meet what they
// take for a programmer's error; here that becomes an error, since the figure's
// content comes from a user.
func (f *Figure) paint(c vg.Canvas) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("figure: drawing %q failed: %v", f.alt, r)
		}
	}()
	missing := map[rune]bool{}
	f.draw(draw.NewCanvas(outlined{c, missing}, f.w, f.h))
	warn(missing)
	return nil
}

// snap returns the point of the pixel grid nearest to x.
func snap(x vg.Length) vg.Length { return vg.Length(math.Round(float64(x)/pixel)) * pixel }

// snapUp returns the first point of the pixel grid that is not below x.
func snapUp(x vg.Length) vg.Length { return vg.Length(math.Ceil(float64(x)/pixel-1e-9)) * pixel }
