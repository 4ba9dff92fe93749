package finetune

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model and a recipe that train in a moment: 2 blocks, 10 steps in 2 epochs.
var (
	small = vit.Config{Image: 64, Patch: 16, Width: 24, Blocks: 2, Heads: 2, MLP: 48, Classes: 2,
		NormEps: 1e-12, Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}}
	smallRecipe = Recipe{Epochs: 2, Batch: 12, LR: 1e-3, WeightDecay: .01, Schedule: Cosine, Warmup: 2, Seed: 3,
		Disentangle: Disentangle{Weight: 1, After: 0}}
)

func open(t *testing.T, split stimuli.Split, n int) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Split: split, Size: n, Seed: 1})
}

func newSmall(t *testing.T, seed uint64) *vit.Model {
	t.Helper()
	return fixture.Model(t, small, seed)
}

func train(t *testing.T, r Recipe, o Options) (hash string, history []Epoch) {
	t.Helper()
	res, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), open(t, stimuli.Val, 20), r, o)
	if err != nil {
		t.Fatal(err)
	}
	hash, err = res.Model.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return hash, res.History
}

func TestTrainIsDeterministicAndLeavesItsModelAlone(t *testing.T) {
	m := newSmall(t, 1)
	before, _ := m.Hash()
	one, history := train(t, smallRecipe, Options{})
	two, _ := train(t, smallRecipe, Options{})
	if one != two {
		t.Errorf("two runs gave weights %.8s and %.8s", one, two)
	}
	if after, _ := m.Hash(); after != before || one == before {
		t.Errorf("the starting weights changed, or the trained ones did not")
	}
	other := smallRecipe
	other.Seed++
	if three, _ := train(t, other, Options{}); three == one {
		t.Error("another seed gave the same weights")
	}
	if len(history) != 2 || history[1].Epoch != 2 || history[1].Loss >= history[0].Loss || history[1].Val < 0 {
		t.Errorf("history %+v: expected 2 epochs with falling loss and a validation accuracy", history)
	}
}

// TestResume stops a run in the middle of an epoch and starts it again.
func TestResume(t *testing.T) {
	want, wantHistory := train(t, smallRecipe, Options{})
	dir := t.TempDir()

	ctx, cancel := context.WithCancel(t.Context())
	stop := func(u progress.Update) {
		if u.Task == "train" && u.Done > 0 { // the first look at the sums: the end of epoch 1
			cancel()
		}
	}
	set, val := open(t, stimuli.Train, 64), open(t, stimuli.Val, 20)
	_, err := Train(ctx, fixture.Go(t), newSmall(t, 1), set, val, smallRecipe, Options{Dir: dir, Progress: stop})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a canceled run returned %v, expected context.Canceled", err)
	}
	checkpoint := filepath.Join(dir, newest)
	if _, err := os.Stat(checkpoint); err != nil {
		t.Fatalf("a canceled run left no checkpoint: %v", err)
	}
	got, history := train(t, smallRecipe, Options{Dir: dir})
	if got != want {
		t.Errorf("resumed: weights %.8s, uninterrupted: %.8s", got, want)
	}
	for i := range wantHistory {
		if history[i] != wantHistory[i] {
			t.Errorf("epoch %d resumed: %+v, uninterrupted: %+v", i+1, history[i], wantHistory[i])
		}
	}

	t.Run("damaged", func(t *testing.T) {
		for name, harm := range map[string]func([]byte) []byte{
			"truncated": func(b []byte) []byte { return b[:len(b)/2] },
			"flipped":   func(b []byte) []byte { b[len(b)-100] ^= 1; return b },
		} {
			text, err := os.ReadFile(checkpoint)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(checkpoint, harm(text), 0o644); err != nil {
				t.Fatal(err)
			}
			var warned string
			if got, _ := train(t, smallRecipe, Options{Dir: dir, Warn: func(s string) { warned = s }}); got != want {
				t.Errorf("%s newest checkpoint: weights %.8s, expected %.8s", name, got, want)
			}
			if !strings.Contains(warned, newest) {
				t.Errorf("%s newest checkpoint: the warning is %q", name, warned)
			}
		}
	})
	t.Run("of another run", func(t *testing.T) {
		r := smallRecipe
		r.LR *= 2
		_, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), set, val, r, Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "of another run") {
			t.Errorf("a checkpoint of another recipe: %v", err)
		}
	})
}

func TestDivergence(t *testing.T) {
	r := smallRecipe
	r.LR, r.Warmup, r.Schedule = 1e30, 0, Constant
	_, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), nil, r, Options{})
	for _, want := range []string{"loss became", "step 5", "1e+30", "no checkpoint"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a diverging run: %v, expected an error with %q", err, want)
		}
	}
}

func TestBadInput(t *testing.T) {
	for want, change := range map[string]func(*Recipe){
		"batches of 65 images":  func(r *Recipe) { r.Batch = 65 },
		"0 epochs":              func(r *Recipe) { r.Epochs = 0 },
		"learning rate is 0":    func(r *Recipe) { r.LR = 0 },
		"weight decay":          func(r *Recipe) { r.WeightDecay = -1 },
		"schedule \"triangle\"": func(r *Recipe) { r.Schedule = "triangle" },
		"after block 2":         func(r *Recipe) { r.Disentangle.After = 2 },
		"warm-up":               func(r *Recipe) { r.Warmup = 10 },
		"gamma is 1.5":          func(r *Recipe) { r.Gamma = 1.5 },
		"factor is 1":           func(r *Recipe) { r.Factor = 1 },
		"patience is -1":        func(r *Recipe) { r.Patience = -1 },
		"decay_by_accuracy":     func(r *Recipe) { r.Faithful.DecayByAccuracy = true },
		"precision \"f8\"":      func(r *Recipe) { r.Precision = "f8" },
		"keep is \"first\"":     func(r *Recipe) { r.Keep = "first" },
		"norm -1":               func(r *Recipe) { r.Clip = -1 },
		"into 5 equal parts":    func(r *Recipe) { r.Accumulate = 5 },

		"but no blocks":              func(r *Recipe) { r.Pipeline = Pipeline{Weight: 1} },
		"(wp) names block 2":         func(r *Recipe) { r.Pipeline = Pipeline{Weight: 1, WithinPair: []int{2}} },
		"(wo) names block 1 twice":   func(r *Recipe) { r.Pipeline = Pipeline{Weight: 1, WithinObject: []int{1, 1}} },
		"reward 3 heads":             func(r *Recipe) { r.Pipeline = Pipeline{Weight: 1, WithinPair: []int{1}, Heads: 3} },
		"pipeline loss is -1":        func(r *Recipe) { r.Pipeline = Pipeline{Weight: -1, WithinPair: []int{1}} },
		"relation loss reads after":  func(r *Recipe) { r.Relation = Relation{Weight: 1, After: -1} },
		"weight of the relation":     func(r *Recipe) { r.Relation = Relation{Weight: math.NaN()} },
		"weight of the disentanglem": func(r *Recipe) { r.Disentangle.Weight = -1 },
	} {
		r := smallRecipe
		change(&r)
		if err := r.Validate(small, 64); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one with %q", err, want)
		}
	}
	if err := smallRecipe.Validate(small, 0); err == nil {
		t.Error("an empty training set is accepted")
	}
	course := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 64})
	_, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), course, nil, smallRecipe, Options{})
	if err == nil || !strings.Contains(err.Error(), "8-pixel patches") {
		t.Errorf("stimuli of another geometry: %v", err)
	}
	between := smallRecipe
	between.Pipeline = Pipeline{Weight: 1, BetweenPairs: []int{1}}
	_, err = Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), nil, between, Options{})
	if err == nil || !strings.Contains(err.Error(), "two pairs") {
		t.Errorf("attention between pairs in a task with one: %v", err)
	}
	plateau := smallRecipe
	plateau.Schedule = Plateau
	_, err = Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), nil, plateau, Options{})
	if err == nil || !strings.Contains(err.Error(), "validation set") {
		t.Errorf("a plateau of no validation set: %v", err)
	}
	held := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Objects: stimuli.OODShape, Split: stimuli.Test, Size: 64})
	_, err = Train(t.Context(), fixture.Go(t), newSmall(t, 1), held, nil, smallRecipe, Options{})
	if err == nil || !strings.Contains(err.Error(), "16 shapes") {
		t.Errorf("probes of 16 shapes on held-out ones: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), nil, smallRecipe, Options{Dir: file})
	if err == nil || !strings.Contains(err.Error(), "checkpoints") {
		t.Errorf("a file in place of the checkpoints' folder: %v", err)
	}
}
