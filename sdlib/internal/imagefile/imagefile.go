// Package imagefile decodes images as Pillow does: PNG, JPEG and WebP, turned as the camera's orientation says, with the colors of a
// JPEG interpolated between its coarser samples.
package imagefile

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the formats that Decode knows
	_ "image/png"
	"path"
	"slices"
	"strings"

	_ "golang.org/x/image/webp"
)

// Extensions are what the names of image files end in, in lower case.
var Extensions = []string{".png", ".jpg", ".jpeg", ".webp"}

// Named reports whether a file is an image by its name. Hidden files are none: ._x.png is what macOS keeps beside x.png.
func Named(name string) bool {
	base := path.Base(name)
	return !strings.HasPrefix(base, ".") && slices.Contains(Extensions, strings.ToLower(path.Ext(base)))
}

// Size returns an image's width and height in pixels, as it is seen, from the beginning of its file.
func Size(data []byte) (width, height int, format string, err error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, 0, "", err
	}
	if Orientation(data) > 4 {
		return config.Height, config.Width, format, nil
	}
	return config.Width, config.Height, format, nil
}

// Decode decodes an image, as it is seen.
func Decode(data []byte) (image.Image, error) {
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if ycc, ok := m.(*image.YCbCr); ok && bytes.HasPrefix(data, []byte("\xff\xd8")) {
		m = smooth(ycc)
	}
	if o := Orientation(data); o > 1 {
		m = turned{m, o}.draw()
	}
	if m.Bounds().Empty() {
		return nil, fmt.Errorf("an image without pixels")
	}
	return m, nil
}

// A turned image is seen as an orientation of EXIF says: 2 to 4 are mirrored and half turns, 5 to 8 stand on their side.
type turned struct {
	image.Image
	orientation int
}

func (t turned) draw() image.Image {
	b := t.Bounds()
	w, h := b.Dx(), b.Dy()
	out := image.NewNRGBA64(image.Rect(0, 0, w, h))
	if t.orientation > 4 {
		out = image.NewNRGBA64(image.Rect(0, 0, h, w))
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			u, v := x, y // where the pixel is in the file
			switch t.orientation {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = y, h-1-x
			case 7:
				u, v = w-1-y, h-1-x
			case 8:
				u, v = w-1-y, x
			}
			out.Set(x, y, t.At(b.Min.X+u, b.Min.Y+v))
		}
	}
	return out
}
