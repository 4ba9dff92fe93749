package figure

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// RGB returns an image of raw pixels in the order of rows, columns and the
// colors red, green, blue ([height, width, 3]), the form in which package stimuli
// draws. The pixels are copied.
func RGB(pixels []uint8, width, height int) (*image.NRGBA, error) {
	if width < 1 || height < 1 || len(pixels) != 3*width*height {
		return nil, fmt.Errorf("figure: RGB image of %d x %d pixels needs %d bytes, came %d", width, height, 3*width*height, len(pixels))
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		copy(img.Pix[4*i:], pixels[3*i:3*i+3])
		img.Pix[4*i+3] = 0xff
	}
	return img, nil
}

// Swatch returns a square of one color, size pixels wide, for a sheet of colors.
func Swatch(c color.Color, size int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, max(size, 1), max(size, 1)))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// Silhouette returns a picture of a mask of rows x columns, ink where the mask is
// set, white elsewhere, for a sheet of shapes. Rows must be equally long.
func Silhouette(mask [][]bool, ink color.Color) (image.Image, error) {
	if len(mask) == 0 || len(mask[0]) == 0 {
		return nil, errors.New("figure: silhouette: the mask is empty")
	}
	img := image.NewNRGBA(image.Rect(0, 0, len(mask[0]), len(mask)))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for y, row := range mask {
		if len(row) != len(mask[0]) {
			return nil, fmt.Errorf("figure: silhouette: row %d has %d columns, expected %d as in row 0", y, len(row), len(mask[0]))
		}
		for x, set := range row {
			if set {
				img.Set(x, y, ink)
			}
		}
	}
	return img, nil
}

// repeat returns the image with every pixel repeated kx times across and ky times
// down. Canvases smooth between pixels when they enlarge an image; repeated
// pixels stay squares with sharp edges.
func repeat(img image.Image, kx, ky int) *image.NRGBA {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()*kx, b.Dy()*ky))
	for y := range b.Dy() {
		row := out.Pix[y*ky*out.Stride : (y*ky+1)*out.Stride]
		for x := range b.Dx() {
			c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			for k := range kx {
				copy(row[4*(x*kx+k):], []uint8{c.R, c.G, c.B, c.A})
			}
		}
		for k := 1; k < ky; k++ {
			copy(out.Pix[(y*ky+k)*out.Stride:], row)
		}
	}
	return out
}

// enlarge repeats pixels until the image has at least the device pixels that
// inches need at [DPI]. An image that has them already comes back as it is.
func enlarge(img image.Image, inches float64) image.Image {
	wanted := int(inches*DPI + 0.5)
	k := (wanted + img.Bounds().Dx() - 1) / img.Bounds().Dx()
	if k <= 1 {
		return img
	}
	return repeat(img, k, k)
}

// maxSide is the longest side of an image that is accepted; image.Uniform, which
// calls itself endless, is caught by it.
const maxSide = 20000

// checkImage rejects what cannot be drawn.
func checkImage(img image.Image) error {
	if img == nil {
		return errors.New("the image is nil")
	}
	if b := img.Bounds(); b.Dx() < 1 || b.Dy() < 1 || b.Dx() > maxSide || b.Dy() > maxSide {
		return fmt.Errorf("the image has %d x %d pixels, expected 1 to %d on each side", b.Dx(), b.Dy(), maxSide)
	}
	return nil
}
