package pictures

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// A Preparation is how an image of any size becomes one of the size that a model sees, as the image processors of transformers do it
// (preprocessor_config.json). The zero value scales both sides to the model's, bilinearly.
type Preparation struct {
	Filter Filter // of the scaling; "" is Bilinear
	// Side scales both sides to this length, without keeping their proportions; ShortestEdge scales the shorter one to it, and the
	// other with it. At most one of them is set. Where neither is, and Keep is not set, both sides become the model's.
	Side, ShortestEdge int
	Keep               bool // no scaling
	// Crop is the side of the square that is then cut from the center; 0 for none. What it has beyond the image is black.
	Crop int

	// Class is the image processor of transformers that the file names; "" where none does.
	Class string
	// Assumed says what no file said and was taken from the kind of model; "" where a file said everything.
	Assumed string
}

// At returns the preparation for a model that sees images of another side: its lengths change with it.
func (p Preparation) At(from, to int) Preparation {
	if from == to || from < 1 {
		return p
	}
	for _, x := range []*int{&p.Side, &p.ShortestEdge, &p.Crop} {
		*x = (*x*to + from/2) / from
	}
	return p
}

// String says what is done to an image: "shorter side to 256 (bicubic), center 224 x 224".
func (p Preparation) String() string {
	filter := p.Filter
	if filter == "" {
		filter = Bilinear
	}
	text := fmt.Sprintf("both sides to the model's (%s)", filter)
	switch {
	case p.Keep:
		text = "not scaled"
	case p.ShortestEdge > 0:
		text = fmt.Sprintf("shorter side to %d (%s)", p.ShortestEdge, filter)
	case p.Side > 0:
		text = fmt.Sprintf("both sides to %d (%s)", p.Side, filter)
	}
	if p.Crop > 0 {
		text += fmt.Sprintf(", center %d x %d", p.Crop, p.Crop)
	}
	return text
}

// prepare makes of an image one of side x side pixels, on white where it is transparent.
func (p Preparation) prepare(m image.Image, side int) (*image.RGBA, error) {
	canvas := opaque(m)
	size := canvas.Rect.Size()
	switch {
	case p.Keep:
	case p.ShortestEdge > 0: // as transformers: the longer side is cut to a whole number
		if size.X <= size.Y {
			size = image.Pt(p.ShortestEdge, p.ShortestEdge*size.Y/size.X)
		} else {
			size = image.Pt(p.ShortestEdge*size.X/size.Y, p.ShortestEdge)
		}
	case p.Side > 0:
		size = image.Pt(p.Side, p.Side)
	default:
		size = image.Pt(side, side)
	}
	if size.X > maxScaled || size.Y > maxScaled {
		return nil, fmt.Errorf("scaled, it has %d x %d pixels, expected sides of at most %d", size.X, size.Y, maxScaled)
	}
	canvas, err := Resize(canvas, size.X, size.Y, p.Filter)
	if err != nil {
		return nil, err
	}
	if p.Crop > 0 {
		at := image.Pt(floorHalf(size.X-p.Crop), floorHalf(size.Y-p.Crop))
		cut := image.NewRGBA(image.Rect(0, 0, p.Crop, p.Crop))
		draw.Draw(cut, cut.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
		draw.Draw(cut, canvas.Rect.Sub(at), canvas, image.Point{}, draw.Src)
		canvas = cut
	}
	if got := canvas.Rect.Size(); got != image.Pt(side, side) {
		return nil, fmt.Errorf("prepared (%s) it has %d x %d pixels, and the model sees %d x %d: give images of that size", p, got.X, got.Y, side, side)
	}
	return canvas, nil
}

// maxScaled bounds the sides of a scaled image: a picture of one row of pixels would become a million long.
const maxScaled = 1 << 14

// floorHalf is half of a number, rounded down, as Python's // does it.
func floorHalf(x int) int { return (x - x&1) / 2 }

// opaque draws an image on white.
func opaque(m image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Over)
	return out
}
