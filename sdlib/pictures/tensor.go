package pictures

import (
	"fmt"
	"slices"

	"samediff/sdlib/safetensors"
)

// A Tensor is images in a safetensors file, bytes [n, side, side, 3].
type Tensor struct {
	file   *safetensors.File
	pixels []uint8
	each   int // bytes per image
}

// OpenTensor opens a safetensors file whose tensor "images", or only tensor, is images of
// side x side pixels. Close it after use.
func OpenTensor(path string, side int) (_ *Tensor, err error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	names := file.Names()
	t, ok := file.Tensor("images")
	if !ok && len(names) == 1 {
		t, ok = file.Tensor(names[0])
	}
	if !ok {
		return nil, fmt.Errorf("%s has %d tensors and none is called images: expected that, or a single one", path, len(names))
	}
	if t.DType != "U8" || len(t.Shape) != 4 || t.Shape[0] < 1 || !slices.Equal(t.Shape[1:], []int{side, side, 3}) {
		return nil, fmt.Errorf("%s: the tensor %s is %s %d, expected U8 [n, %d, %d, 3], images that the model takes", path, t.Name, t.DType, t.Shape, side, side)
	}
	return &Tensor{file, t.Data, side * side * 3}, nil
}

// Len returns the number of images.
func (t *Tensor) Len() int { return len(t.pixels) / t.each }

// Pixels returns images by their positions: [n, side, side, 3].
func (t *Tensor) Pixels(items []int) ([]uint8, error) {
	pixels := make([]uint8, 0, len(items)*t.each)
	for _, i := range items {
		pixels = append(pixels, t.pixels[i*t.each:(i+1)*t.each]...)
	}
	return pixels, nil
}

// Close closes the file.
func (t *Tensor) Close() error { return t.file.Close() }
