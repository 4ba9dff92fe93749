package study

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/delta"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// What is packed is evaluated as it was packed, beside the accuracy before, and the folder is one that loads where its base is.
func TestBuildPacks(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	baseDir, tuned := fineTuned(t, l)
	base, err := vit.Load(baseDir)
	if err != nil {
		t.Fatal(err)
	}
	base.Origin = &vit.Origin{Name: "Tiny", Weights: vit.EightBit}
	here := true
	l.bases = func(b delta.Base) (*vit.Model, error) {
		if !here {
			return nil, errors.Join(ErrNoBase)
		}
		return base, nil
	}
	more := tuned.Training
	more.Start, more.Source, more.Model = baseDir, "", vit.Config{}
	dir := filepath.Join(t.TempDir(), "packed")
	c := CourseModel{Name: "packed", Training: more, Pack: delta.Method{Rank: 2}, Images: 64}
	for range 2 { // a folder is made anew over the old one
		metrics, err := l.build(ctx, c, dir)
		if err != nil {
			t.Fatal(err)
		}
		if metrics.ID != tuned.Trained {
			t.Errorf("the folder is made of training %s, expected %s", metrics.ID.Short(), tuned.Trained.Short())
		}
		m, err := l.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if m.ID == tuned.ID || m.Origin.String() != vit.EightBit {
			t.Errorf("model %s of origin %+v, before packing %s", m.ID.Short(), m.Origin, tuned.ID.Short())
		}
		m.Training = metrics.Training
		sets, err := l.EvaluateSize(ctx, m, 64)
		if err != nil || !reflect.DeepEqual(sets, metrics.Sets) || sets[1].All.N != 64 {
			t.Errorf("the packed model's accuracies are %v (%v), metrics.json has %v", sets, err, metrics.Sets)
		}
		d, err := delta.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		before, err := l.EvaluateSize(ctx, tuned, 64)
		if err != nil {
			t.Fatal(err)
		}
		want := delta.Check{Set: "test (IID)", Images: 64, Before: before[1].All.Accuracy(), After: sets[1].All.Accuracy(), Heads: d.Checks[0].Heads}
		if len(d.Checks) != 1 || d.Checks[0] != want || !(want.Heads > 0) || d.Method.Rank != 2 || d.Base.Name != baseDir {
			t.Errorf("delta.json has base %+v, method %+v, checks %+v; expected %+v", d.Base, d.Method, d.Checks, want)
		}
	}
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	if err := os.MkdirAll(filepath.Join(root, "models"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(root, "models", "packed")); err != nil {
		t.Skip(err)
	}
	m, err := l.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Training = tuned.Training
	want, err := l.Heads(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	want.Bootstrap.Maxima = nil
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	rounded := new(attention.Scores)
	if err := json.Unmarshal(sixDigits(text), rounded); err != nil {
		t.Fatal(err)
	}
	if got, err := CourseHeads("packed"); err != nil || !reflect.DeepEqual(got, rounded) {
		t.Errorf("the folder has other head scores than the model, %v", err)
	}
	if _, err := CourseHeads("another"); err == nil || !strings.Contains(err.Error(), "Lab.Heads") {
		t.Errorf("error %v for a folder without head scores", err)
	}

	here = false
	if _, err := l.Load(dir); !errors.Is(err, ErrNoBase) {
		t.Errorf("without the base: error %v", err)
	}
}

// A packed model of the course says what has to be fetched, and its metrics are known without that.
func TestCourseModelWithoutBase(t *testing.T) {
	const name = "discrimination-256-clip-b16-112"
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_ASSETS_CACHE", t.TempDir())
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	dir := filepath.Join(root, "models", name)
	base := fixture.Model(t, tiny().Model, 1)
	tuned := fixture.Model(t, tiny().Model, 2)
	base.Origin = &vit.Origin{Name: "CLIP", Weights: vit.EightBit}
	d, err := delta.Pack(t.Context(), base, tuned, delta.Options{Base: "clip-b16"})
	if err == nil {
		err = d.Save(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(Metrics{Name: name, Training: ClipMinutes})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, metricsFile), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	l := lab(t, t.TempDir(), backend.Go)
	if _, err := CourseMetrics(name); err != nil {
		t.Error(err)
	}
	const says = "the base clip-b16 (8-bit weights) is not here: `sd model fetch clip-b16 --package` gets it"
	for what, err := range map[string]error{"CheckCourseModel": l.CheckCourseModel(name), "Find": second(l.Find(t.Context(), name))} {
		if !errors.Is(err, ErrNoBase) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, expected %q", what, err, says)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A seed is that of everything random, and of what was trained before.
func TestWithSeed(t *testing.T) {
	t2 := ClipMinutesRMTS.WithSeed(2)
	if t2.ModelSeed != 2 || t2.Stimuli.Seed != 2 || t2.Recipe.Seed != 2 || !reflect.DeepEqual(*t2.After, ClipMinutes.WithSeed(2)) {
		t.Errorf("seed 2 gives %+v after %+v", t2, t2.After)
	}
	if ClipMinutes.ModelSeed != 1 || ClipMinutesRMTS.After != &ClipMinutes {
		t.Error("the preset itself has changed")
	}
}

// The control differs from the training that it controls in what comes before, and in nothing else.
func TestDirect(t *testing.T) {
	direct := ClipMinutesDirect
	direct.Start, direct.After = "", ClipMinutesRMTS.After
	if !reflect.DeepEqual(direct, ClipMinutesRMTS) {
		t.Errorf("%+v and %+v", direct, ClipMinutesRMTS)
	}
}

// All fine-tunings in minutes fit the weights that they begin from, and see objects of four tokens.
func TestMinutes(t *testing.T) {
	for _, m := range minutes {
		r, err := m.training.resolve()
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if p := r.Stimuli.Geometry.TokensPerObject(); p != 4 {
			t.Errorf("%s: %d tokens per object", m.name, p)
		}
		if g := stimuli.Geometries(); m.training.Model.Image != r.Stimuli.Geometry.Image || !slices.Contains(g, r.Stimuli.Geometry) {
			t.Errorf("%s: images of %d pixels, stimuli of %+v", m.name, m.training.Model.Image, r.Stimuli.Geometry)
		}
	}
}

// Fractions keep six digits, all else stays, and what comes out is JSON.
func TestSixDigits(t *testing.T) {
	const text = `{"task":"rmts","images":1234567,"local":[[0.7122436328530312,1],[-3.0517578125e-05,0.5]]}`
	const want = `{"task":"rmts","images":1234567,"local":[[0.712244,1],[-3.05176e-05,0.5]]}`
	if got := string(sixDigits([]byte(text))); got != want || !json.Valid([]byte(got)) {
		t.Errorf("%s, expected %s", got, want)
	}
}
