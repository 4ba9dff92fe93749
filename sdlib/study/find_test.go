package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// tiny is a training that the pure Go backend does in a moment.
func tiny() Training {
	t := Quick
	t.Model.Width, t.Model.Blocks, t.Model.Heads, t.Model.MLP = 8, 1, 2, 16
	t.Stimuli.Size, t.Val = 16, 0
	t.Recipe = finetune.Recipe{Epochs: 1, Batch: 8, LR: 1e-3, Schedule: finetune.Constant}
	return t
}

func TestFindTrained(t *testing.T) {
	ctx := context.Background()
	lab, err := Open(Options{Store: t.TempDir(), Backend: "go"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := lab.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	other := tiny()
	other.ModelSeed = 2
	if _, err := lab.Train(ctx, other); err != nil {
		t.Fatal(err)
	}

	reader, err := Open(Options{Store: lab.Store.Dir(), Backend: "none: reading needs no backend"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{string(want.ID), want.ID.Short(), string(want.ID[:8])} {
		got, err := reader.Find(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != want.ID || got.Dir != want.Dir || !reflect.DeepEqual(got.Training, want.Training) || len(got.History) != 1 {
			t.Errorf("Find(%q) is model %s of %+v, want %s of %+v", name, got.ID, got.Training, want.ID, want.Training)
		}
	}

	// Of a step of another name, and of an older version of this one.
	strange := func(step string, version int) artifact.ID {
		a, err := lab.Store.Get(ctx, artifact.Key{Step: step, Version: version, Params: tiny()}, func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, "config.json"), nil, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	if _, err := reader.Find(ctx, string(strange("evaluate", 1))); err == nil || !strings.Contains(err.Error(), "no model") {
		t.Errorf("the error for a result that is no model is %v", err)
	}
	if _, err := reader.Find(ctx, string(strange("train", trainVersion-1))); err == nil || !strings.Contains(err.Error(), "train it again") {
		t.Errorf("the error for a model of an older version is %v", err)
	}
}

// A damaged model is still found, and trained again.
func TestFindDamaged(t *testing.T) {
	ctx := context.Background()
	lab, err := Open(Options{Store: t.TempDir(), Backend: "go"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := lab.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(m.Dir, "model.safetensors")
	whole, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(weights, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Find(ctx, m.ID.Short()); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(weights); err != nil || string(again) != string(whole) {
		t.Errorf("the weights were not made again: %d bytes of %d, %v", len(again), len(whole), err)
	}
}

func TestFindSeveral(t *testing.T) {
	ctx := context.Background()
	lab, err := Open(Options{Store: t.TempDir(), Backend: "go"})
	if err != nil {
		t.Fatal(err)
	}
	first := map[byte]bool{}
	for version := 1; ; version++ { // until two IDs begin with the same digit
		a, err := lab.Store.Get(ctx, artifact.Key{Step: "train", Version: version, Params: tiny()}, func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
		if digit := a.ID[0]; !first[digit] {
			first[digit] = true
			continue
		}
		_, err = lab.Find(ctx, string(a.ID[:1]))
		if err == nil || !strings.Contains(err.Error(), "several trained models") || !strings.Contains(err.Error(), a.ID.Short()) {
			t.Errorf("the error for %s is %v, want one that lists the models", a.ID[:1], err)
		}
		return
	}
}

func TestFindFolder(t *testing.T) {
	ctx := context.Background()
	lab, err := Open(Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	save := func(c vit.Config) string {
		m := fixture.Model(t, c, 1)
		dir := t.TempDir()
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	c := tiny().Model
	m, err := lab.Find(ctx, save(c))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := m.stimuli(); err != nil || s.Geometry != stimuli.CourseQuick || m.Config != c {
		t.Errorf("got stimuli of %s, %v, for a model of %d and %d pixels, want course-quick", s.Geometry.Name, err, c.Image, c.Patch)
	}

	c.Image = 32
	if m, err = lab.Find(ctx, save(c)); err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Evaluate(ctx, m); err == nil || !strings.Contains(err.Error(), "images of 32 pixels and patches of 16 fit no geometry") {
		t.Errorf("the error for a size that no geometry has is %v", err)
	}
	for _, name := range []string{"", "nowhere", t.TempDir()} {
		if _, err := lab.Find(ctx, name); err == nil || errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "expected a preset (quick, course, rmts, clip-b16-112,") {
			t.Errorf("the error for %q is %v, want one that says what a model may be", name, err)
		}
	}
}

// A checkpoint before fine-tuning is found by a name of its own, and scored like any model.
func TestFindPretrained(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), "go")
	m, err := l.Find(ctx, "pretrained:scratch-b32@224")
	if err != nil {
		t.Fatal(err)
	}
	c, err := vit.FindCheckpoint("scratch-b32")
	if err != nil {
		t.Fatal(err)
	}
	if at, err := c.At(224); err != nil || m.Config != at || m.Training.Stimuli.Size != 0 {
		t.Errorf("found %+v of the training %+v (%v), expected %+v of none", m.Config, m.Training, err, at)
	}
	subject, err := l.Subject(ctx, "pretrained:scratch-b32@224")
	if err != nil {
		t.Fatal(err)
	}
	if job, err := l.HeadsJob(ctx, subject); err != nil || job.String() != "heads pretrained:scratch-b32@224" {
		t.Errorf("the job of its heads is %q, %v", job, err)
	}
	for name, want := range map[string]string{
		"pretrained:clip-b99":          "expected one of clip-b16",
		"pretrained:clip-b16@small":    "expected the side of the images in pixels behind the @",
		"pretrained:clip-b16@8":        "a patch of 16 pixels in an image of 8",
		"pretrained-clip-b16":          "pretrained:CHECKPOINT@PIXELS",
		"pretrained:clip-b16@-112":     "expected the side of the images",
		"pretrained:scratch-b32@1000@": "expected the side of the images",
	} {
		if _, err := l.Find(ctx, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, expected an error with %q", name, err, want)
		}
	}
	if _, err := l.TrainingOf(ctx, "pretrained:scratch-b32"); err == nil || !strings.Contains(err.Error(), "does not say how it was trained") {
		t.Errorf("its training is %v", err)
	}
}
