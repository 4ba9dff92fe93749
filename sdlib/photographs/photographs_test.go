package photographs_test

import (
	"encoding/csv"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"samediff/sdlib/photographs"
	"samediff/sdlib/stimuli"
)

// shipped is how many of the 1,024 pictures come with the package.
const shipped = photographs.All / 8

// TestChecked holds the set against testdata/checked.csv, which render/check.py wrote from the archive with NumPy and Pillow: labels,
// boxes, and the patches that the objects cover in pictures of either size.
func TestChecked(t *testing.T) {
	file, err := os.Open("testdata/checked.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	lines = lines[1:]
	for at, g := range []stimuli.Geometry{stimuli.B16, stimuli.B16At112} {
		set, err := photographs.Open(g)
		if err != nil {
			t.Fatal(err)
		}
		if set.Len() != shipped || len(lines) != shipped {
			t.Fatalf("%d pictures, %d of them checked, expected %d of both", set.Len(), len(lines), shipped)
		}
		same := 0
		for i, line := range lines {
			s := set.Stimulus(i)
			same += s.Label
			if s.Label != number(line[1]) || len(s.Objects) != 2 {
				t.Fatalf("%s: label %d and %d objects, expected label %s and two objects", line[0], s.Label, len(s.Objects), line[1])
			}
			for o, object := range s.Objects {
				b := line[2+4*o : 6+4*o]
				if want := image.Rect(number(b[0]), number(b[1]), number(b[2]), number(b[3])); g.Image == photographs.Side && object.Box != want {
					t.Errorf("%s: object %d has box %v, expected %v", line[0], o+1, object.Box, want)
				}
				if got := strings.Trim(fmt.Sprint(object.Tokens), "[]"); got != line[10+2*at+o] {
					t.Errorf("%s at %d pixels: object %d covers %s, expected %s", line[0], g.Image, o+1, got, line[10+2*at+o])
				}
			}
		}
		if same != shipped/2 {
			t.Errorf("%d pictures are same, expected half of %d", same, shipped)
		}
	}
}

// TestSizes: models of any geometry see the set, each its own, and the same picture only smaller.
func TestSizes(t *testing.T) {
	large, err := photographs.Open(stimuli.B16)
	if err != nil {
		t.Fatal(err)
	}
	sources := []string{large.Config().Source}
	for _, g := range []stimuli.Geometry{stimuli.B14At112, stimuli.Course, stimuli.CourseQuick} {
		set, err := photographs.Open(g)
		if err != nil {
			t.Fatal(err)
		}
		if c := set.Config(); c.Size != shipped || c.Geometry != g || c.Objects != stimuli.Folder {
			t.Errorf("%s: the set is %+v", g.Name, c)
		}
		if !slices.Contains(sources, set.Config().Source) {
			sources = append(sources, set.Config().Source)
		}
		for _, i := range []int{0, shipped - 1} {
			for o, object := range set.Stimulus(i).Objects { // scaled back, its box is the large one, but for a pixel
				k, want := photographs.Side/float64(g.Image), large.Stimulus(i).Objects[o].Box
				for _, d := range []float64{k*float64(object.Box.Min.X) - float64(want.Min.X), k*float64(object.Box.Max.Y) - float64(want.Max.Y)} {
					if d < -k || d > k {
						t.Errorf("%s, picture %d: object %d has box %v, expected about %v scaled by 1/%.2f", g.Name, i, o+1, object.Box, want, k)
					}
				}
			}
			if d := mean(set.Image(i)) - mean(large.Image(i)); d < -.5 || d > .5 {
				t.Errorf("%s, picture %d: scaling changes the mean level by %.2f", g.Name, i, d)
			}
		}
	}
	if len(sources) != 3 { // 224, 112 and 64 pixels
		t.Errorf("%d contents for 3 sizes", len(sources))
	}
}

func mean(m image.Image) float64 {
	sum, b := 0., m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			sum += float64(r>>8+g>>8+b>>8) / 3
		}
	}
	return sum / float64(b.Dx()*b.Dy())
}

// TestOpenFolder: a folder of the files is the set that the archive is.
func TestOpenFolder(t *testing.T) {
	files, err := photographs.Files()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "photographs")
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	for _, g := range []stimuli.Geometry{stimuli.B16, stimuli.Course} {
		a, err := photographs.Open(g)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := photographs.Open(g); err != nil || again != a {
			t.Errorf("opened again the set is another one (%v)", err)
		}
		b, err := photographs.OpenFolder(dir, g)
		if err != nil {
			t.Fatal(err)
		}
		if a.Config() != b.Config() {
			t.Errorf("the folder is %+v, the archive %+v", b.Config(), a.Config())
		}
	}
	if _, err := photographs.OpenFolder(t.TempDir(), stimuli.Course); err == nil || !strings.Contains(err.Error(), "metadata.jsonl") {
		t.Errorf("an empty folder: %v", err)
	}
}
