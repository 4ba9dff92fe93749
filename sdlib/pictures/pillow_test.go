package pictures

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/internal/imagefile"
)

// The golden images are Pillow's, made by testdata/pillow.py with Pillow 12.0.0.
func golden(t *testing.T, name string) *image.RGBA {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "pillow", name))
	if err != nil {
		t.Fatal(err)
	}
	m, err := imagefile.Decode(data)
	if err != nil {
		t.Fatal(name, err)
	}
	return opaque(m)
}

// off returns the largest difference of two images in any level, and how many levels differ.
func off(t *testing.T, name string, got, want *image.RGBA) (most, count int) {
	t.Helper()
	if got.Rect != want.Rect {
		t.Fatalf("%s: %v, Pillow's has %v", name, got.Rect, want.Rect)
	}
	for i, v := range got.Pix {
		d := int(v) - int(want.Pix[i])
		if d != 0 {
			count++
		}
		most = max(most, d, -d)
	}
	return most, count
}

// Scaled images are Pillow's to the byte, by every filter, smaller and larger.
func TestResizeIsPillows(t *testing.T) {
	source := golden(t, "source.png")
	for _, f := range Filters {
		small, err := Resize(source, 37, 41, f)
		if err != nil {
			t.Fatal(err)
		}
		if most, n := off(t, "small "+string(f), small, golden(t, fmt.Sprintf("small-%s.png", f))); most > 0 {
			t.Errorf("%s to 37 x 41: %d levels differ, by up to %d", f, n, most)
		}
		large, err := Resize(source, 113, 151, f)
		if err != nil {
			t.Fatal(err)
		}
		top := large.SubImage(image.Rect(0, 0, 113, 40)).(*image.RGBA)
		if most, n := off(t, "large "+string(f), opaque(top), golden(t, fmt.Sprintf("large-%s.png", f))); most > 0 {
			t.Errorf("%s to 113 x 151: %d levels differ, by up to %d", f, n, most)
		}
	}
	if _, err := Resize(source, 10, 10, "blur"); err == nil || !strings.Contains(err.Error(), `no filter "blur"`) {
		t.Errorf("an unknown filter: %v", err)
	}
}

// Preparations are those of transformers.image_transforms.
func TestPreparationIsPillows(t *testing.T) {
	source := golden(t, "source.png")
	for name, test := range map[string]struct {
		how  Preparation
		side int
	}{
		"clip.png":   {Preparation{Filter: Bicubic, ShortestEdge: 48, Crop: 43}, 43},
		"beyond.png": {Preparation{Filter: Bicubic, Side: 40, Crop: 47}, 47},
	} {
		got, err := test.how.prepare(source, test.side)
		if err != nil {
			t.Fatal(err)
		}
		if most, n := off(t, name, got, golden(t, name)); most > 0 {
			t.Errorf("%s: %d levels differ, by up to %d", name, n, most)
		}
	}
	if _, err := (Preparation{ShortestEdge: 48}).prepare(source, 48); err == nil || !strings.Contains(err.Error(), "48 x 69 pixels, and the model sees 48 x 48") {
		t.Errorf("a preparation that does not end in the model's size: %v", err)
	}
	if _, err := (Preparation{ShortestEdge: 48}).prepare(image.NewRGBA(image.Rect(0, 0, 100_000, 1)), 48); err == nil {
		t.Error("a line of pixels became millions")
	}
}

// A JPEG's pixels are within 2 levels of Pillow's, or 3 in single pixels: what is left is the inverse cosine transform, which libjpeg-turbo
// computes in other roundings. The nearest chroma samples, which the standard library takes, are many levels off.
func TestDecodeIsPillows(t *testing.T) {
	for _, name := range []string{"jpeg-420", "jpeg-422", "jpeg-444"} {
		most, n := off(t, name, golden(t, name+".jpg"), golden(t, name+".png"))
		t.Logf("%s: %d of %d levels differ, by up to %d", name, n, 61*47*3, most)
		if most > 3 {
			t.Errorf("%s: %d levels differ, by up to %d, expected 3 at most", name, n, most)
		}
	}
	file, err := os.Open(filepath.Join("testdata", "pillow", "jpeg-422.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := jpeg.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	mirrored, want := opaque(plain), golden(t, "jpeg-422.png") // orientation 2
	worst := 0
	for y := range 47 {
		for x := range 61 {
			a, b := mirrored.RGBAAt(60-x, y), want.RGBAAt(x, y)
			worst = max(worst, int(a.B)-int(b.B), int(b.B)-int(a.B))
		}
	}
	t.Logf("the standard library alone is up to %d levels off", worst)
	if worst < 10 {
		t.Errorf("the standard library alone is %d levels off at most: these images do not test the colors", worst)
	}
	if most, _ := off(t, "lossless", golden(t, "lossless.webp"), golden(t, "lossless.png")); most > 0 {
		t.Errorf("lossless.webp differs by %d", most)
	}
	for o := 1; o <= 8; o++ {
		if most, _ := off(t, "turn", golden(t, fmt.Sprintf("turn-%d.png", o)), golden(t, fmt.Sprintf("turned-%d.png", o))); most > 0 {
			t.Errorf("orientation %d: it differs by %d", o, most)
		}
	}
}

// Hidden files are no images, and WebP is one.
func TestFolderFiles(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{"lossless.webp": "a.webp", "source.png": "b.png"} {
		data, err := os.ReadFile(filepath.Join("testdata", "pillow", from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "._b.png"), []byte("Mac OS X"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := OpenFolder(dir, 12, nil)
	if err == nil || !strings.Contains(err.Error(), "a.webp has 12 x 16 pixels") { // turned
		t.Errorf("sizes: %v", err)
	}
	f, err := OpenFolder(dir, 12, &Preparation{Filter: Bicubic, ShortestEdge: 14, Crop: 12})
	if err != nil {
		t.Fatal(err)
	}
	if pixels, err := f.Pixels([]int{0, 1}); err != nil || len(pixels) != 2*12*12*3 {
		t.Errorf("%d bytes, %v", len(pixels), err)
	}
}
