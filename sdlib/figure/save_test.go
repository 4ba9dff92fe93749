package figure

import (
	"image"
	"image/color"
	"testing"

	"gonum.org/v1/plot/vg"
)

// recorder keeps the image it was asked to draw.
type recorder struct {
	vg.Canvas
	got image.Image
}

func (r *recorder) DrawImage(_ vg.Rectangle, img image.Image) { r.got = img }

// Rendered with PDFium and MuPDF, images drawn on gonum/plot's PDF canvas stand
// upside down, so ours must reach it turned over.
func TestPDFImagesAreTurned(t *testing.T) {
	img := image.NewNRGBA(image.Rect(3, 5, 4, 7)) // one column, two rows, bounds not at zero
	img.SetNRGBA(3, 5, color.NRGBA{255, 0, 0, 255})
	img.SetNRGBA(3, 6, color.NRGBA{0, 0, 255, 255})
	r := &recorder{}
	upright{r}.DrawImage(vg.Rectangle{}, img)
	if top, low := r.got.At(0, 0), r.got.At(0, 1); top != img.At(3, 6) || low != img.At(3, 5) {
		t.Errorf("rows are %v, %v, expected the lower one first", top, low)
	}
}
