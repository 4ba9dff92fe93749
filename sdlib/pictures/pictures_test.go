package pictures

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/safetensors"
)

// painted is an image in one color.
func painted(width, height int, c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, c)
	}
	return m
}

func write(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	err := png.Encode(&b, m)
	if filepath.Ext(path) != ".png" {
		b.Reset()
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 100})
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var red, blue = color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.png"), painted(4, 4, red))
	write(t, filepath.Join(dir, "a.PNG"), painted(4, 4, blue)) // JPEG inside: the content says what it is
	write(t, filepath.Join(dir, "c.png"), painted(4, 4, color.NRGBA{255, 0, 0, 0}))
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600), os.Mkdir(filepath.Join(dir, "d.png"), 0o700)); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(dir, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 3 || !slices.Equal(f.Names(), []string{"a.PNG", "b.png", "c.png"}) {
		t.Errorf("%d images, %v", f.Len(), f.Names())
	}
	pixels, err := f.Pixels([]int{2, 1, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]uint8{{255, 255, 255}, {255, 0, 0}, {0, 0, 254}, {255, 0, 0}} { // transparent is white; JPEG's blue
		for p := range 16 {
			if got := pixels[(i*16+p)*3 : (i*16+p+1)*3]; !slices.Equal(got, want) {
				t.Fatalf("pixel %d of image %d is %v, expected %v", p, i, got, want)
			}
		}
	}
}

func TestFolderSizes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.png"), painted(4, 4, red))
	write(t, filepath.Join(dir, "b.png"), painted(8, 6, blue))
	write(t, filepath.Join(dir, "c.png"), painted(2, 2, blue))
	_, err := OpenFolder(dir, 4, nil)
	var size *SizeError
	if !errors.As(err, &size) || *size != (SizeError{Name: "b.png", Width: 8, Height: 6, More: 1, Side: 4}) ||
		err.Error() != "b.png has 8 x 6 pixels (and 1 more images have another size), expected 4 x 4" {
		t.Errorf("the error is %v", err)
	}
	f, err := OpenFolder(dir, 4, new(Preparation))
	if err != nil {
		t.Fatal(err)
	}
	pixels, err := f.Pixels([]int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * 16 {
		if got := pixels[3*i : 3*i+3]; !slices.Equal(got, []uint8{0, 0, 255}) {
			t.Fatalf("scaled, pixel %d is %v, expected blue", i, got)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	if _, err := OpenFolder(t.TempDir(), 4, nil); err == nil || !strings.Contains(err.Error(), "has no PNG, JPEG or WebP images") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := OpenFolder(filepath.Join(t.TempDir(), "none"), 4, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	write(t, path, painted(4, 4, red))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-20], 0o600); err != nil { // the header is there, pixels are missing
		t.Fatal(err)
	}
	f, err := OpenFolder(dir, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Pixels([]int{0}); err == nil || !strings.Contains(err.Error(), "a.png is damaged") {
		t.Errorf("a damaged image: %v", err)
	}
	if err := os.WriteFile(path, []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir, 4, nil); err == nil || !strings.Contains(err.Error(), "a.png is no PNG, JPEG or WebP image") {
		t.Errorf("no image: %v", err)
	}
	copy(whole[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // width and height in a PNG's first chunk, which begins at byte 12
	binary.BigEndian.PutUint32(whole[29:], crc32.ChecksumIEEE(whole[12:29]))
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir, 4, new(Preparation)); err == nil || !strings.Contains(err.Error(), "a.png has 65536 x 65536 pixels, expected at most 200 megapixels") {
		t.Errorf("a huge image: %v", err)
	}
}

func TestTensor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images.safetensors")
	data := make([]byte, 3*2*2*3)
	for i := range data {
		data[i] = byte(i)
	}
	images := safetensors.Tensor{Name: "pixels", DType: "U8", Shape: []int{3, 2, 2, 3}, Data: data}
	write := func(tensors ...safetensors.Tensor) {
		t.Helper()
		if err := safetensors.WriteFile(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
	}
	other := safetensors.Float32s("logits", []int{1}, []float32{1})
	write(images)
	x, err := OpenTensor(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	pixels, err := x.Pixels([]int{2, 0})
	if err != nil || x.Len() != 3 || !bytes.Equal(pixels, append(slices.Clone(data[24:]), data[:12]...)) {
		t.Errorf("of %d images 2 and 0 are %v (%v)", x.Len(), pixels, err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if _, err := OpenTensor(path, 3); err == nil || !strings.Contains(err.Error(), "pixels is U8 [3 2 2 3], expected U8 [n, 3, 3, 3]") {
		t.Errorf("another size: %v", err)
	}
	write(images, other)
	if _, err := OpenTensor(path, 2); err == nil || !strings.Contains(err.Error(), "has 2 tensors and none is called images") {
		t.Errorf("two tensors: %v", err)
	}
	images.Name = "images"
	write(images, other)
	x, err = OpenTensor(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if x.Len() != 3 {
		t.Errorf("%d images, expected 3", x.Len())
	}
}
