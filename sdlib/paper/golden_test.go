package paper_test

import (
	"flag"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden images of testdata anew; look at every one that changed")

func TestGolden(t *testing.T) {
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for file, draw := range map[string]func(){
		"figure01.png":        ExampleFigure1,
		"figure01_course.png": ExampleFigure1_course,
		"figure02.png":        ExampleFigure2,
		"heads.png":           ExampleHeadFigure,
		"figure07.png":        ExampleFigure7,
		"figure08.png":        ExampleFigure8,
		"figure23.png":        ExampleFigure23,
		"counterfactual.png":  ExampleCounterfactualPair,
		"gallery.png":         ExampleGallery,
		"combinations.png":    ExampleCombinationFigure,
		"patches.png":         ExamplePatchFigure,
		"training.png":        ExampleTrainingCurve,
		"contributions.png":   ExampleContributionFigure,
		"confusions.png":      ExampleConfusionFigure,
	} {
		t.Run(file, func(t *testing.T) {
			if *update {
				t.Chdir(testdata)
				draw()
				return
			}
			t.Chdir(t.TempDir())
			draw()
			if err := compare(load(t, file), load(t, filepath.Join(testdata, file))); err != nil {
				t.Errorf("%v; after a wanted change run: go test ./sdlib/paper -run Golden -update", err)
			}
		})
	}
}

// The tolerance is that of package figure: on amd64 the images agree byte for byte,
// elsewhere the rounding of edges differs.
const (
	levels = 6      // by which any pixel may differ
	strays = 0.0005 // share of pixels that may differ by more
)

// compare reports how two images differ beyond rounding.
func compare(got, want image.Image) error {
	if got.Bounds() != want.Bounds() {
		return fmt.Errorf("the image is %v, expected %v", got.Bounds(), want.Bounds())
	}
	b := got.Bounds()
	beyond := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if differ(got, want, x, y) {
				beyond++
			}
		}
	}
	if allowed := int(strays * float64(b.Dx()*b.Dy())); beyond > allowed {
		return fmt.Errorf("%d pixels differ by more than %d levels, at most %d may", beyond, levels, allowed)
	}
	return nil
}

// differ tells whether a channel of a pixel differs by more than rounding.
func differ(a, b image.Image, x, y int) bool {
	r0, g0, b0, _ := a.At(x, y).RGBA()
	r1, g1, b1, _ := b.At(x, y).RGBA()
	for _, c := range [][2]uint32{{r0, r1}, {g0, g1}, {b0, b1}} {
		if d := int(c[0]>>8) - int(c[1]>>8); d > levels || d < -levels {
			return true
		}
	}
	return false
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
