package study

import (
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
)

// What a sweep takes is counted by its parts, and what the store has takes nothing.
func TestSpent(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	s := Trained("deep", deep())
	queries, err := l.DASQueries(ctx, s, DASSweep{Recipe: briefly, Blocks: []int{0}, Properties: []stimuli.Property{stimuli.ColorProperty}, Methods: []das.Method{das.Trained}, Test: 16})
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Train(ctx, deep())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.DASRows(ctx, m, queries); err != nil {
		t.Fatal(err)
	}
	if got := l.Spent(); got.Caching <= 0 || got.Compiling <= 0 || got.Training <= 0 || got.Testing <= 0 {
		t.Errorf("%+v: expected seconds of each", got)
	}
	again := lab(t, l.Store.Dir(), backend.Go)
	if _, err := again.DASRows(ctx, m, queries); err != nil || again.Spent() != (Spent{}) {
		t.Errorf("read from the store: %+v, %v", again.Spent(), err)
	}
	if got, want := (Spent{1, 2, 4, 1}).String(), "8.0 s: caching 1.0 (12 %), compiling 2.0 (25 %), training 4.0 (50 %), testing 1.0 (12 %)"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}
