package study

import (
	"math"
	"path/filepath"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/das"
)

// The interventions that come with a model are of its weights, have the names of their folders and
// orthogonal rotations, and bring about in 40 pairs what the table beside them says, within five
// standard errors.
func TestShippedInterventions(t *testing.T) {
	const name = "discrimination-256-course"
	l := lab(t, t.TempDir(), backend.Go)
	m, _, err := l.CourseModel(name)
	if err != nil {
		t.Fatal(err)
	}
	models := filepath.Dir(m.Dir)
	scores, err := ReadDAS(filepath.Join(models, "das-"+name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(models, "interventions", name, "*"))
	if err != nil || len(dirs) != 10 {
		t.Fatalf("%d folders, %v: expected 5 blocks of both properties", len(dirs), err)
	}
	for _, dir := range dirs {
		v, err := das.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if v.Model != string(m.ID) || v.Name() != filepath.Base(dir) || v.Search.Recipe != das.Course {
			t.Errorf("%s is %s of model %.12s, expected one of %s by the recipe of the course", dir, v.Name(), v.Model, m.ID.Short())
		}
		D := v.Config.Width
		for i := range D {
			for j := range i + 1 {
				dot := 0.
				for k := range D {
					dot += float64(v.Rotation[i*D+k]) * float64(v.Rotation[j*D+k])
				}
				if i == j {
					dot--
				}
				if math.Abs(dot) > 1e-5 {
					t.Fatalf("%s: rows %d and %d of the rotation are off by %g", v.Name(), i, j, dot)
				}
			}
		}
		if v.Block > 1 {
			continue
		}
		q := DASQuery{DASSearch: DASSearch{Stimuli: m.Training.Stimuli, Property: v.Property(), Search: v.Search}, Split: "test-iid", Test: 40}
		pairs, err := q.Pairs()
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Streams(t.Context(), m, pairs, v.Block)
		if err != nil {
			t.Fatal(err)
		}
		be, err := l.Backend()
		if err != nil {
			t.Fatal(err)
		}
		a, err := v.Answers(t.Context(), be, m.Model, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		for _, known := range scores {
			if known.Property != v.Property() || known.Block != v.Block || known.Control != v.Control {
				continue
			}
			want := known.Accuracy()
			if off := math.Abs(a.Score().Accuracy() - want); known.Dims != v.Dims() || off > 5*math.Sqrt(want*(1-want)/40) {
				t.Errorf("%s: %d dimensions and %.3f, the table has %d and %.3f", v.Name(), v.Dims(), a.Score().Accuracy(), known.Dims, want)
			}
		}
	}
}
