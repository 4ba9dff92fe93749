package das

import (
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// What is wrong with a search is said before anything is trained.
func TestErrors(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	other := lively(t, small, 2)
	with := func(change func(q *Search)) Search {
		q := Search{Block: 1, Recipe: brief, Seed: 1}
		change(&q)
		return q
	}
	for name, c := range map[string]struct {
		q    Search
		want string
	}{
		"block":       {with(func(q *Search) { q.Block = 3 }), "there is no block 3: expected 0 to 2"},
		"last block":  {with(func(q *Search) { q.Block = 2 }), "nothing to learn"},
		"control":     {with(func(q *Search) { q.Control = "wrong" }), `no control "wrong", expected one of none, wrong-object`},
		"pairs":       {with(func(q *Search) { q.Recipe.Pairs = 20 }), "learns from 20 pairs, the streams are of 16"},
		"batch":       {with(func(q *Search) { q.Recipe.Batch = 17 }), "batches of 17 rows"},
		"rate":        {with(func(q *Search) { q.Recipe.LR = 0 }), "learning rate is 0"},
		"mask rate":   {with(func(q *Search) { q.Recipe.MaskLR = -1 }), "mask's learning rate is -1"},
		"temperature": {with(func(q *Search) { q.Recipe.Temperature.To = 0 }), "temperature falls from 1 to 0"},
		"shuffle":     {with(func(q *Search) { q.Recipe.Shuffle = "all" }), `shuffle is "all"`},
		"warm-up":     {with(func(q *Search) { q.Recipe.Warmup = 1 }), "warm-up is 1 of the steps"},
		"sparsity":    {with(func(q *Search) { q.Recipe.Sparsity = -1 }), "sparsity is -1"},
		"precision":   {with(func(q *Search) { q.Recipe.Precision = "f8" }), `no precision "f8"`},
	} {
		if _, err := Train(t.Context(), be, m, s, c.q, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	good := with(func(*Search) {})
	if _, err := Train(t.Context(), be, other, s, good, Options{}); err == nil || !strings.Contains(err.Error(), "streams are those of model") {
		t.Errorf("another model: %v", err)
	}
	if _, err := s.Base(7); err == nil || !strings.Contains(err.Error(), "no block 7") {
		t.Errorf("streams after block 7: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), aboutFile) {
		t.Errorf("an empty folder: %v", err)
	}

	quick := pairsOf(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 96, Seed: 1}, stimuli.ShapeProperty, 16)
	if err := Keep(t.Context(), be, m, quick, []int{0}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "give both the same geometry") {
		t.Errorf("pairs of another geometry: %v", err)
	}
	off := course
	off.Factors.OffGrid = true
	if err := Keep(t.Context(), be, m, pairsOf(t, off, stimuli.ShapeProperty, 16), []int{0}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "different numbers of patches") {
		t.Errorf("pairs off the grid: %v", err)
	}
	if err := Keep(t.Context(), be, m, nil, []int{0}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "no counterfactual pairs") {
		t.Errorf("no pairs: %v", err)
	}
	three := small
	three.Classes = 3
	if err := Keep(t.Context(), be, lively(t, three, 1), pairsOf(t, course, stimuli.ShapeProperty, 16), []int{0}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "3 classes") {
		t.Errorf("three classes: %v", err)
	}
	if _, err := Open(t.TempDir(), m.Config, s.Pairs); err == nil {
		t.Error("streams were opened in an empty folder")
	}
}
