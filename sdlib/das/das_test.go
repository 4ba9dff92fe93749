package das

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/runner"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model with four tokens per object, for the course's images.
var small = vit.Config{Image: 64, Patch: 8, Width: 12, Blocks: 3, Heads: 3, MLP: 24, Classes: 2, NormEps: 1e-12,
	Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}}

// brief is a recipe of a few steps.
var brief = Recipe{Pairs: 16, Steps: 12, Batch: 4, LR: .05, MaskLR: .1, Sparsity: .001, Temperature: Temperature{From: 1, To: .05}}

var course = stimuli.Config{Geometry: stimuli.Course, Size: 96, Seed: 1}

// lively is a model with random weights whose head is large, so that answers differ between images.
func lively(t *testing.T, c vit.Config, seed uint64) *vit.Model {
	t.Helper()
	m := fixture.Model(t, c, seed)
	for _, w := range append(m.Weights.Flatten(c)[:0:0], m.Weights.Head.W, m.Weights.Patch.W, m.Weights.Blocks[1].Q.W, m.Weights.Blocks[1].O.W, m.Weights.Blocks[2].O.W) {
		tensors.MustMutableFlatData(w, func(x []float32) {
			for i := range x {
				x[i] *= 20
			}
		})
	}
	return m
}

func pairsOf(t *testing.T, c stimuli.Config, p stimuli.Property, n int) *stimuli.Counterfactuals {
	t.Helper()
	pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: c, Property: p, Size: n})
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

// streams returns those of a model and 16 pairs after all blocks that are searched.
func streams(t *testing.T, be *backend.Backend, m *vit.Model) *Streams {
	t.Helper()
	return streamsOf(t, be, m, pairsOf(t, course, stimuli.ColorProperty, 16))
}

func streamsOf(t testing.TB, be *backend.Backend, m *vit.Model, pairs *stimuli.Counterfactuals) *Streams {
	t.Helper()
	dir := t.TempDir()
	if err := Keep(t.Context(), be, m, pairs, Searched(m.Config), dir, nil); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, m.Config, pairs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// random is an intervention with a random rotation that swaps all dimensions, or none.
func random(s *Streams, block int, swapped bool) *Intervention {
	D := s.Config.Width
	v := &Intervention{Model: s.Model, Config: s.Config, Search: Search{Block: block}, Rotation: Orthogonal(D, 3), Mask: make([]float32, D)}
	for i := range v.Mask {
		v.Mask[i] = -1
		if swapped {
			v.Mask[i] = 1
		}
	}
	return v
}

// Every control and every shuffle can be learned, and leads to a rotation.
func TestTrain(t *testing.T) {
	try := func(t *testing.T, be *backend.Backend, m *vit.Model, s *Streams, control Control, shuffle Shuffle) {
		q := Search{Block: 1, Control: control, Recipe: brief, Seed: 5}
		q.Recipe.Shuffle = shuffle
		v, err := Train(t.Context(), be, m, s, q, Options{})
		if err != nil {
			t.Fatalf("%v, shuffle %q: %v", control, shuffle, err)
		}
		checkOrthogonal(t, v.Rotation)
		first, last := v.History[0].Loss, v.History[len(v.History)-1].Loss
		if control != ShuffledLabels && control != RandomRotation && last > first {
			t.Errorf("%v, shuffle %q: the loss rose from %.3f to %.3f", control, shuffle, first, last)
		}
		a, err := v.Answers(t.Context(), be, m, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if score := a.Score(); score.N != 16 || a.Derived {
			t.Errorf("%+v: expected 16 computed answers", score)
		}
		if fixed := slices.Equal(v.Rotation, Orthogonal(small.Width, q.Seed)); fixed != (control == RandomRotation) {
			t.Errorf("%v: the rotation stayed as it was: %v", control, fixed)
		}
	}
	t.Run("go", func(t *testing.T) {
		be, m := fixture.Go(t), lively(t, small, 1)
		s := streams(t, be, m)
		for _, control := range []Control{NoControl, WrongObject, RandomPatch, RandomRotation, ShuffledLabels} {
			try(t, be, m, s, control, PerPair)
		}
		try(t, be, m, s, NoControl, PerBatch)
		try(t, be, m, s, NoControl, Aligned)
	})
	t.Run("xla", func(t *testing.T) {
		be, m := fixture.Backend(t, ""), lively(t, small, 1)
		try(t, be, m, streams(t, be, m), NoControl, PerPair)
	})
}

func checkOrthogonal(t *testing.T, R []float32) {
	t.Helper()
	D := int(math.Sqrt(float64(len(R))))
	for i := range D {
		for j := range D {
			dot := 0.
			for k := range D {
				dot += float64(R[i*D+k]) * float64(R[j*D+k])
			}
			if i == j {
				dot--
			}
			if math.Abs(dot) > 1e-5 {
				t.Fatalf("row %d times row %d of the rotation is off by %g", i, j, dot)
			}
		}
	}
}

// logits returns the model's answers to images of a set, [n][C].
func logits(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set) (all [][]float32) {
	t.Helper()
	err := runner.Nodes(context.Background(), be, m, set, nil, []string{"logits"}, nil, func(items []int, values []*tensors.Tensor) error {
		rows, err := runner.Rows[float32](values[0], len(items))
		all = append(all, rows...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func near(t *testing.T, what string, got, want [][]float32, limit float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, expected %d", what, len(got), len(want))
	}
	for i := range want {
		for k := range want[i] {
			if diff := math.Abs(float64(got[i][k] - want[i][k])); diff > limit {
				t.Fatalf("%s: pair %d has logits %v, expected %v", what, i, got[i], want[i])
			}
		}
	}
}

// What a search has found comes back from its files, and is refused elsewhere.
func TestSaveAndLoad(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	v, err := Train(t.Context(), be, m, s, Search{Block: 0, Recipe: brief, Seed: 2}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := v.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, err := v.Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := again.Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if before.Score() != after.Score() || again.Search != v.Search || again.Property() != stimuli.ColorProperty || again.Dims() != v.Dims() || len(again.Directions()) != v.Dims() {
		t.Errorf("read %+v with %+v, wrote %+v with %+v", again.Search, after.Score(), v.Search, before.Score())
	}
	other := streams(t, be, lively(t, small, 2))
	if _, err := again.Answers(t.Context(), be, m, other, nil); err == nil {
		t.Error("an intervention of another model was applied")
	}
	about, err := os.ReadFile(filepath.Join(dir, aboutFile))
	if err != nil {
		t.Fatal(err)
	}
	unchecked := regexp.MustCompile(`,\s*"check": "\w+"`).ReplaceAll(about, nil) // as earlier versions wrote it
	tiny := []safetensors.Tensor{safetensors.Float32s("rotation", []int{2, 2}, make([]float32, 4)), safetensors.Float32s("mask", []int{2}, make([]float32, 2))}
	old := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(old, aboutFile), unchecked, 0o600), safetensors.WriteFile(filepath.Join(old, tensorsFile), tiny, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(old); err == nil || !strings.Contains(err.Error(), "expected 144 numbers for a width of 12") {
		t.Errorf("a rotation of another width: %v", err)
	}
	if err := os.Truncate(filepath.Join(dir, tensorsFile), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a truncated file was read")
	}
}
