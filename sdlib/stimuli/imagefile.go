package stimuli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"path"
	"slices"

	ondisk "samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/imagefile"
)

// maxFile bounds an image file: far more than a maxImage x maxImage image takes.
const maxFile = 128 << 20

// readImageFile reads an image's bytes and checks that it is square, of the expected side, and sound. The size is known
// from the first bytes, so a small file that claims to hold a huge image costs nothing.
func readImageFile(from fs.FS, name string, side int) ([]byte, error) {
	data, err := ondisk.ReadFS(from, path.Clean(name), maxFile)
	if err != nil {
		return nil, err
	}
	if _, err := decodeImage(data, side, color.White); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// decodeImage decodes an image file of side x side pixels, turned as its EXIF orientation says. Transparency is laid over a ground.
func decodeImage(data []byte, side int, ground color.Color) (*image.RGBA, error) {
	width, height, format, err := imagefile.Size(data)
	if err != nil {
		return nil, fmt.Errorf("no sound PNG, JPEG or WebP file: %w", err)
	}
	if width != side || height != side {
		return nil, fmt.Errorf("%s of %d x %d pixels: expected %d x %d; resize the images, or use another geometry", format, width, height, side, side)
	}
	decoded, err := imagefile.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("broken %s: %w", format, err)
	}
	if rgba, ok := decoded.(*image.RGBA); ok && rgba.Opaque() && rgba.Rect.Min == (image.Point{}) && rgba.Stride == 4*side {
		return rgba, nil
	}
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(out, out.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, decoded, decoded.Bounds().Min, draw.Over)
	return out, nil
}

// readMask reads an object's mask and its file: pixels brighter than middle gray belong to it, transparent ones do not.
func readMask(from fs.FS, name string, side int) (mask Mask, data []byte, err error) {
	if err := checkFileName(name); err != nil {
		return Mask{}, nil, fmt.Errorf("mask: %w", err)
	}
	if data, err = readImageFile(from, name, side); err != nil {
		return Mask{}, nil, fmt.Errorf("mask: %w", err)
	}
	decoded, err := decodeImage(data, side, color.Black)
	if err != nil {
		return Mask{}, nil, fmt.Errorf("mask %s: %w", name, err)
	}
	if white, err := decodeImage(data, side, color.White); err != nil {
		return Mask{}, nil, fmt.Errorf("mask %s: %w", name, err)
	} else if !bytes.Equal(white.Pix, decoded.Pix) { // read otherwise by an earlier version of this package, as fileHash says
		data = append(slices.Clip(data), "transparent is no object"...)
	}
	mask = Mask{Size: side, Bits: make([]bool, side*side)}
	for i := range mask.Bits {
		mask.Bits[i] = color.GrayModel.Convert(decoded.At(i%side, i/side)).(color.Gray).Y > 127
	}
	return mask, data, nil
}

// encodePNG is the file of an image given as height x width x RGB.
func encodePNG(pixels []uint8, side int) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, toNRGBA(pixels, side)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// fileHash names an image by its file. Files that an earlier version of this package saw otherwise, JPEG and turned ones, have another
// name than they had, so that no result of their old pixels is taken for one of their new.
func fileHash(data []byte) [sha256.Size]byte {
	if bytes.HasPrefix(data, []byte("\xff\xd8")) || imagefile.Orientation(data) > 1 {
		data = append(slices.Clip(data), "decoded as Pillow does"...)
	}
	return sha256.Sum256(data)
}
