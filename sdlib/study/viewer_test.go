package study

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/viewer"
)

// A viewer's data are computed once and are those of the package that computes them; its
// scores are those of Heads.
func TestViewer(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	m := untrained(t, l)
	m.Training.Stimuli = stimuli.Config{Geometry: stimuli.CourseQuick, Seed: 1}
	be, err := l.Backend()
	if err != nil {
		t.Fatal(err)
	}
	set, err := headSet(m.Training.Stimuli)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := l.Heads(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	first := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for _, images := range [][]int{nil, {9, 3}} {
		chosen := images
		if images == nil {
			chosen = first
		}
		want, err := viewer.Collect(ctx, be, m.Model, set, viewer.Choice{Images: chosen}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []*Lab{l, lab(t, l.Store.Dir(), "none: reading needs no backend")} {
			page, err := l.Viewer(ctx, m, nil, images)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(page.Data, want) || !reflect.DeepEqual(page.Scores, heads) || !strings.Contains(page.Title, m.ID.Short()) {
				t.Errorf("of images %v the page %q has other data or scores", images, page.Title)
			}
		}
	}
	job := ViewerData.Job(Subject{Name: m.Dir}, "", set, viewer.Choice{Images: first})
	if status, err := l.Survey(ctx, []Job{job}); err != nil || status[0].State != JobDone {
		t.Errorf("the job is %+v, %v", status, err)
	}
	if _, err := l.Viewer(ctx, m, nil, []int{evalSize}); err == nil || !strings.Contains(err.Error(), "no image 6400") {
		t.Errorf("of an image that is not there: %v", err)
	}
}

// In a set of one's own all images count for the scores. An image without a pair has none.
func TestViewerOfOwnImages(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	m := untrained(t, l)
	set, err := ImportSet("../stimuli/testdata/boxes", m.Config)
	if err != nil {
		t.Fatal(err)
	}
	page, err := l.Viewer(ctx, m, set, nil)
	if err != nil || len(page.Data.Images) != set.Len() || page.Scores == nil || page.Scores.Images != set.Len() {
		t.Fatalf("%d images, scores %+v, %v: expected all of %d", len(page.Data.Images), page.Scores, err, set.Len())
	}

	lonely := t.TempDir()
	picture, err := os.ReadFile("../stimuli/testdata/boxes/0.png")
	if err != nil {
		t.Fatal(err)
	}
	const lines = `{"file_name": "0.png", "label": 0, "objects": []}
{"file_name": "1.png", "label": 1, "objects": [{"box": [3, 3, 40, 20], "role": "cup"}]}
`
	for name, content := range map[string][]byte{"0.png": picture, "1.png": picture, "metadata.jsonl": []byte(lines)} {
		if err := os.WriteFile(filepath.Join(lonely, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if set, err = ImportSet(lonely, m.Config); err != nil {
		t.Fatal(err)
	}
	page, err = l.Viewer(ctx, m, set, nil)
	if err != nil || page.Scores != nil || len(page.Data.Images[0].Objects) != 0 || page.Data.Images[1].Objects[0].Role != "cup" {
		t.Errorf("without pairs: %+v, scores %+v, %v", page.Data.Images, page.Scores, err)
	}
	if _, err := page.HTML(); err != nil {
		t.Error(err)
	}
}
