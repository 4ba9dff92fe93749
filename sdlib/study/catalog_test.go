package study

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/safetensors"
)

// What is written is rounded, and what is evaluated is what was written.
func TestBuildRounds(t *testing.T) {
	lab, err := Open(Options{Store: t.TempDir(), Backend: "go"})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tiny")
	metrics, err := lab.build(t.Context(), CourseModel{Name: "tiny", Training: tiny()}, dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	exact, err := lab.Train(t.Context(), tiny())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := safetensors.Open(filepath.Join(exact.Dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	for _, name := range whole.Names() {
		trained, _ := whole.Tensor(name)
		want, err := trained.As("F16")
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := file.Tensor(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is written as %s %v, or with other bytes than the trained %s rounded to F16", name, got.DType, got.Shape, trained.DType)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.json")); err != nil || !strings.Contains(string(text), `"dtype": "float16"`) {
		t.Errorf("config.json does not say float16 (%v):\n%s", err, text)
	}

	reader, err := Open(Options{Store: lab.Store.Dir(), Backend: "none: what was evaluated is in the store"})
	if err != nil {
		t.Fatal(err)
	}
	written, err := reader.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	written.Training = metrics.Training
	if sets, err := reader.Evaluate(t.Context(), written); err != nil || !reflect.DeepEqual(sets, metrics.Sets) {
		t.Errorf("the written model's accuracies are %v (%v), metrics.json has %v", sets, err, metrics.Sets)
	}
	if _, err := reader.Evaluate(t.Context(), exact); err == nil {
		t.Error("the model was evaluated before it was rounded")
	}
}

// A model without weights is known, and the error says how to get them.
func TestNoWeights(t *testing.T) {
	const name = "rmts-32-quick-plain"
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	dir := filepath.Join(root, "models", name)
	m := fixture.Model(t, tiny().Model, 1)
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	want := &Metrics{Name: name, Training: tiny(), Seconds: 476, Sets: []SetResult{{NamedSet: NamedSet{Name: "train"}, Evaluation: finetune.Evaluation{All: finetune.Score{N: 2, Correct: 1}}}}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, metricsFile), text, 0o644); err != nil {
		t.Fatal(err)
	}

	if got, err := CourseMetrics(name); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("metrics are %+v, %v; want %+v", got, err, want)
	}
	lab, err := Open(Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = lab.Find(t.Context(), name)
	if !errors.Is(err, ErrNoWeights) || !strings.Contains(err.Error(), "`sd model build "+name+"` trains it, in about 8 minutes") {
		t.Errorf("error %v, want one that says how to train the model, and how long it takes", err)
	}
	if _, _, err := lab.CourseModel("rmts-256-quick"); err == nil || errors.Is(err, ErrNoWeights) {
		t.Errorf("error %v for a model without a folder, want another one than for one without weights", err)
	}
}

// A training that was resumed took what its log says, epoch by epoch.
func TestLoggedSeconds(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"epoch":1,"seconds":{"data":1,"compile":2.5,"step":10.00049,"evaluation":0.25}}
{"epoch":2,"seconds":{"data":0,"step":9,"evaluation":0.25}}
`)
	if got, err := loggedSeconds(path); err != nil || got != 23 {
		t.Errorf("%v seconds (%v), expected 23", got, err)
	}
	write("{\"epoch\":1,\"sec")
	if _, err := loggedSeconds(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a torn line: %v", err)
	}
}
