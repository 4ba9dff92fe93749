package study

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// smallSet is a set that is evaluated in a moment.
func smallSet(t *testing.T) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Test, Size: 64, Seed: 1})
}

// A training that was removed, and trained again with other weights under the same key, as
// another machine's order of sums gives, is another model: no result of the old one is served.
func TestOtherWeightsUnderTheSameTraining(t *testing.T) {
	ctx, set := t.Context(), smallSet(t)
	l := lab(t, t.TempDir(), backend.Go)
	old, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.EvaluateOn(ctx, old, "small", set); err != nil {
		t.Fatal(err)
	}

	if err := l.Store.Remove(old.Trained); err != nil {
		t.Fatal(err)
	}
	r, err := tiny().resolve()
	if err != nil {
		t.Fatal(err)
	}
	other := fixture.Model(t, tiny().Model, 99)
	if _, err := l.Store.Get(ctx, r.key(), func(_ context.Context, dir string) error {
		return writeModel(dir, other, []finetune.Epoch{{Epoch: 1}})
	}); err != nil {
		t.Fatal(err)
	}

	m, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if m.Trained != old.Trained || m.ID == old.ID {
		t.Fatalf("training %s gave model %s, then training %s model %s: expected one training, two models", old.Trained.Short(), old.ID.Short(), m.Trained.Short(), m.ID.Short())
	}
	reader := lab(t, l.Store.Dir(), "none: reading needs no backend")
	if _, err := reader.EvaluateOn(ctx, m, "small", set); err == nil {
		t.Error("the evaluation of the old weights was served for the new ones")
	}
	if _, err := reader.EvaluateOn(ctx, old, "small", set); err != nil {
		t.Errorf("the evaluation of the old weights is lost: %v", err)
	}
}

// The same weights have one ID, whether they were trained here or are read from a folder.
func TestOneIDForEqualWeights(t *testing.T) {
	ctx, set := t.Context(), smallSet(t)
	l := lab(t, t.TempDir(), backend.Go)
	trained, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.EvaluateOn(ctx, trained, "small", set); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := trained.Save(dir); err != nil {
		t.Fatal(err)
	}
	reader := lab(t, l.Store.Dir(), "none: reading needs no backend")
	copied, err := reader.Find(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if copied.ID != trained.ID {
		t.Errorf("in a folder the model is %s, in the store %s", copied.ID.Short(), trained.ID.Short())
	}
	if _, err := reader.EvaluateOn(ctx, copied, "small", set); err != nil {
		t.Errorf("what was computed for the trained model is not found for its copy: %v", err)
	}
	// A training from before the hash was written beside the weights.
	if err := os.Remove(filepath.Join(trained.Dir, hashFile)); err != nil {
		t.Fatal(err)
	}
	if id, err := identity(trained.Dir); err != nil || id != trained.ID {
		t.Errorf("without its file the hash is %s, %v, want %s", id.Short(), err, trained.ID.Short())
	}
}

// A folder of images goes through evaluation and head scores as a drawn set does.
func TestImportedSet(t *testing.T) {
	ctx, drawn := t.Context(), smallSet(t)
	l := lab(t, t.TempDir(), backend.Go)
	m, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "images")
	if err := drawn.Export(ctx, dir); err != nil {
		t.Fatal(err)
	}
	imported, err := ImportSet(dir, m.Config)
	if err != nil {
		t.Fatal(err)
	}
	want, err := l.EvaluateOn(ctx, m, "drawn", drawn)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.EvaluateOn(ctx, m, "imported", imported)
	if err != nil {
		t.Fatal(err)
	}
	if got.All != want.All {
		t.Errorf("imported %+v, drawn %+v", got.All, want.All)
	}
	wantScores, err := HeadScores.Of(ctx, l, m, drawn, HeadSample{})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := HeadScores.Of(ctx, l, m, imported, HeadSample{})
	if err != nil {
		t.Fatal(err)
	}
	if scores.Images != 64 || scores.Local[0][1] != wantScores.Local[0][1] {
		t.Errorf("imported: %d images, %v; drawn: %v", scores.Images, scores.Local, wantScores.Local)
	}

	// Images of one's own, without a manifest.
	if err := os.Remove(filepath.Join(dir, "set.json")); err != nil {
		t.Fatal(err)
	}
	own, err := ImportSet(dir, m.Config)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.EvaluateOn(ctx, m, "own", own); err != nil || got.All != want.All {
		t.Errorf("as images of one's own %+v, %v; drawn %+v", got.All, err, want.All)
	}
}

// Training starts from any folder with a model, whose path does not matter.
func TestStartFromFolder(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	start := fixture.Model(t, tiny().Model, 7)
	from := func(dir string) Training {
		if err := start.Save(dir); err != nil {
			t.Fatal(err)
		}
		next := tiny()
		next.Start, next.Model = dir, vit.Config{}
		return next
	}
	first, err := l.Train(ctx, from(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	random, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	again, err := lab(t, l.Store.Dir(), "none: reading needs no backend").Train(ctx, from(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if first.ID == random.ID || first.ID != again.ID || first.Trained != again.Trained {
		t.Errorf("from a folder %s, from its copy %s, from random weights %s", first.ID.Short(), again.ID.Short(), random.ID.Short())
	}
	if found, err := l.Find(ctx, first.ID.Short()); err != nil || found.Trained != first.Trained {
		t.Errorf("a training from a folder is not found in the store: %v", err)
	}
	lost := first.Training
	lost.ModelSeed = 5
	if _, err := l.Train(ctx, lost); err == nil || !strings.Contains(err.Error(), "give the folder") {
		t.Errorf("with the folder unknown: %v", err)
	}
	wrong := tiny()
	wrong.Start = filepath.Join(t.TempDir(), "nowhere")
	if _, err := l.Train(ctx, wrong); err == nil || !strings.Contains(err.Error(), "no folder with config.json") {
		t.Errorf("with a folder that does not exist: %v", err)
	}
}

// Weights that were put into a training's folder from elsewhere are known by their own hash.
func TestWeightsChangedInPlace(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	m, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	other := fixture.Model(t, tiny().Model, 99)
	want, err := other.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Save(m.Dir); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second) // file systems may count time in whole ticks
	if err := os.Chtimes(filepath.Join(m.Dir, "model.safetensors"), later, later); err != nil {
		t.Fatal(err)
	}
	if id, err := identity(m.Dir); err != nil || string(id) != want {
		t.Errorf("the model is %s, %v, want %s", id.Short(), err, want[:12])
	}
}
