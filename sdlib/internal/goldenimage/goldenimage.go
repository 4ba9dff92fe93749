// Package goldenimage compares the pictures that examples draw with those of testdata.
package goldenimage

import (
	"flag"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden images of testdata anew; look at every one that changed")

// Test runs each drawing, which writes a picture into the current folder, and compares the
// picture with the one of that name in testdata. With the flag -update it writes it there instead.
func Test(t *testing.T, drawings map[string]func()) {
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for file, draw := range drawings {
		t.Run(file, func(t *testing.T) {
			if *update {
				t.Chdir(testdata)
				draw()
				return
			}
			t.Chdir(t.TempDir())
			draw()
			if err := Compare(load(t, file), load(t, filepath.Join(testdata, file))); err != nil {
				test, _, _ := strings.Cut(t.Name(), "/")
				t.Errorf("%v; after a wanted change run: go test -run '^%s$' -update, in the package's folder", err, test)
			}
		})
	}
}

// On amd64 the images agree byte for byte. Other architectures fuse multiply and add, which
// moves the rounding of a curve's edge: a few levels in some pixels, seldom more where an
// edge falls on the border of a pixel. GOAMD64=v3 fuses on amd64 and so puts the tolerance
// to the test.
const (
	levels = 6      // by which any pixel may differ
	strays = 0.0005 // share of pixels that may differ by more
)

// Compare returns an error when two images differ beyond rounding.
func Compare(got, want image.Image) error {
	if got.Bounds() != want.Bounds() {
		return fmt.Errorf("the image is %v, expected %v", got.Bounds(), want.Bounds())
	}
	b := got.Bounds()
	beyond, worst := 0, 0
	var at image.Point
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if d := difference(got, want, x, y); d > levels {
				beyond++
				if d > worst {
					worst, at = d, image.Pt(x, y)
				}
			}
		}
	}
	if allowed := int(strays * float64(b.Dx()*b.Dy())); beyond > allowed {
		return fmt.Errorf("%d pixels differ by more than %d levels (at most %d may), the worst by %d at %v", beyond, levels, allowed, worst, at)
	}
	return nil
}

// difference returns the largest difference of the channels of one pixel.
func difference(a, b image.Image, x, y int) int {
	r0, g0, b0, a0 := a.At(x, y).RGBA()
	r1, g1, b1, a1 := b.At(x, y).RGBA()
	worst := 0
	for _, pair := range [][2]uint32{{r0, r1}, {g0, g1}, {b0, b1}, {a0, a1}} {
		d := int(pair[0]>>8) - int(pair[1]>>8)
		worst = max(worst, d, -d)
	}
	return worst
}

func load(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return img
}
