package pictures

import (
	"os"
	"path/filepath"
	"testing"

	"samediff/sdlib/safetensors"
)

// A tensor of images may come from anywhere: every image that it has can be read.
func FuzzOpenTensor(f *testing.F) {
	path := filepath.Join(f.TempDir(), "i.safetensors")
	images := safetensors.Tensor{Name: "images", DType: "U8", Shape: []int{2, 2, 2, 3}, Data: make([]byte, 24)}
	if err := safetensors.WriteFile(path, []safetensors.Tensor{images}, nil); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 2)
	f.Add(good, 3)
	f.Add(good[:len(good)-3], 2)
	f.Fuzz(func(t *testing.T, file []byte, side int) {
		if side < 1 { // a model's
			return
		}
		path := filepath.Join(t.TempDir(), "i.safetensors")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := OpenTensor(path, side)
		if err != nil {
			return
		}
		defer x.Close()
		for i := range x.Len() {
			if pixels, err := x.Pixels([]int{i}); err != nil || len(pixels) != side*side*3 {
				t.Errorf("image %d has %d bytes (%v), expected %d", i, len(pixels), err, side*side*3)
			}
		}
	})
}
