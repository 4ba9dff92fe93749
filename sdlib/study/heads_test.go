package study

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// untrained returns a small model with random weights for the quick course geometry, as if read from files.
func untrained(t *testing.T, l *Lab) *Model {
	t.Helper()
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 16, 2, 2, 16
	start := fixture.Model(t, c, 5)
	dir := t.TempDir()
	if err := start.Save(dir); err != nil {
		t.Fatal(err)
	}
	m, err := l.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func lab(t *testing.T, store, backend string) *Lab {
	t.Helper()
	l, err := Open(Options{Store: store, Backend: backend})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHeads(t *testing.T) {
	ctx, store := context.Background(), t.TempDir()
	l := lab(t, store, backend.Go)
	m := untrained(t, l)
	m.Training.Stimuli = stimuli.Config{Geometry: stimuli.CourseQuick, Seed: 1}
	first, err := l.Heads(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	if first.Images != 500 || len(first.Local) != 2 || len(first.Local[0]) != 2 || first.Task != stimuli.Discrimination {
		t.Errorf("scores of %d images, %d blocks, task %s: expected 500, 2 of 2 heads, discrimination", first.Images, len(first.Local), first.Task)
	}

	// A lab that cannot compute: what was computed once is read.
	reader := lab(t, store, "no such backend")
	second, err := reader.Heads(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Errorf("read from the store, the scores are %+v, expected %+v", second, first)
	}
	set, err := headSet(m.Training.Stimuli)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := HeadScores.Of(ctx, reader, m, set, PaperSample); err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("the same sample of the same set gives %+v, %v", again, err)
	}
	if _, err := HeadScores.Of(ctx, reader, m, set, HeadSample{PerClass: 250, Seed: 2}); err == nil {
		t.Error("other images have the same key: expected the reader to need a backend")
	}
}

func TestHeadErrors(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	m := untrained(t, l)
	small := stimuli.Config{Geometry: stimuli.CourseQuick, Size: 8}
	wrong := stimuli.Config{Geometry: stimuli.Course, Size: 8}
	for want, run := range map[string]struct {
		c        stimuli.Config
		perClass int
	}{
		"take fewer":    {small, 5},
		"same geometry": {wrong, 2},
		"per class":     {small, -1},
	} {
		_, err := HeadScores.Of(context.Background(), l, m, fixture.Set(t, run.c), HeadSample{run.perClass, 1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
