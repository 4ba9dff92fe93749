package attention

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// TestOwnImages gives a set's images the form of somebody's own, PNG files and boxes,
// and analyzes them: with boxes round the cells the numbers are the set's;
// with larger boxes they cover other patches, as many as they touch.
func TestOwnImages(t *testing.T) {
	be := fixture.Go(t)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 6, Split: stimuli.Test})
	m := sharp(t, smallConfig(set.Geometry()))
	want, err := Analyze(t.Context(), be, m, set, nil, nil)
	if err != nil {
		t.Fatal(err)
	}

	own := ownImages(t, set, 0)
	got, err := Analyze(t.Context(), be, m, own, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, want, 1e-6)

	large := ownImages(t, set, 1)
	if large.TokensPerObject() <= set.TokensPerObject() {
		t.Fatalf("larger boxes cover %d patches", large.TokensPerObject())
	}
	got, err = Analyze(t.Context(), be, m, large, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, plainScores(t, be, m, large, []int{0, 1, 2, 3, 4, 5}), 1e-5)
}

// ownImages writes a set's images with boxes round the objects' cells, grown by some
// pixels inside the image, and reads them as one's own.
func ownImages(t *testing.T, set *stimuli.Set, grow int) *stimuli.Set {
	t.Helper()
	dir, g := t.TempDir(), set.Geometry()
	lines, err := os.Create(filepath.Join(dir, "metadata.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	for i := range set.Len() {
		name, s := fmt.Sprintf("%d.png", i), set.Stimulus(i)
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, set.Image(i)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var objects []map[string]any
		for _, o := range s.Objects {
			x, y := o.Col*g.Patch, o.Row*g.Patch
			objects = append(objects, map[string]any{"box": []int{
				max(0, x-grow), max(0, y-grow), min(g.Image, x+g.Cell+grow), min(g.Image, y+g.Cell+grow)}})
		}
		if err := json.NewEncoder(lines).Encode(map[string]any{"file_name": name, "label": s.Label, "objects": objects}); err != nil {
			t.Fatal(err)
		}
	}
	own, err := stimuli.ImportFolder(dir, g)
	if err != nil {
		t.Fatal(err)
	}
	return own
}
