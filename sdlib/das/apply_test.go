package das

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// The interventions of models/ do in PyTorch what they do here, pair by pair: testdata/apply.py read
// the model's folder, the intervention's, and exported images, and computed with transformers.
func TestApplyGolden(t *testing.T) {
	const of = "discrimination-256-course"
	m, err := vit.Load(filepath.Join("../../models", of))
	if err != nil {
		t.Fatal(err)
	}
	be := fixture.Backend(t, "")
	for _, name := range []string{"block01-color", "block01-shape"} {
		v, err := Load(filepath.Join("../../models/interventions", of, name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Open(filepath.Join("testdata", "apply-"+name+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var c stimuli.CounterfactualConfig
		if err := json.Unmarshal([]byte(f.Metadata()["pairs"]), &c); err != nil {
			t.Fatal(err)
		}
		pairs, err := stimuli.OpenCounterfactuals(c)
		if err != nil {
			t.Fatal(err)
		}
		s := streamsOf(t, be, m, pairs)
		if got := f.Metadata()["model"]; got != s.Model {
			t.Fatalf("%s: the golden answers are those of model %.12s, the model is %.12s", name, got, s.Model)
		}
		cf, err := s.Sources(v.Block)
		if err != nil {
			t.Fatal(err)
		}
		with, err := v.Apply(t.Context(), be, m, s, Swap{Tokens: s.Edited(), K: s.P,
			Source: func(pair int, row []float32) { copy(row, s.source(cf, pair, v.Control)) }}, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := v.Answers(t.Context(), be, m, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, without := goldenLogits(t, f, "logits"), goldenLogits(t, f, "without")
		near(t, name, with, want, 1e-3)
		near(t, name+", base", logits(t, be, m, pairs.Base()), without, 1e-3)
		for i := range want {
			if a.Answers[i] != argmax(want[i]) || a.Base[i] != argmax(without[i]) {
				t.Errorf("%s, pair %d: answered %d, without the intervention %d, in PyTorch %d and %d",
					name, i, a.Answers[i], a.Base[i], argmax(want[i]), argmax(without[i]))
			}
		}
		if score := a.Score(); score.N != c.Size || score.Correct < score.N*3/4 {
			t.Errorf("%s: %d of %d answers became the target: the golden answers test little", name, score.Correct, score.N)
		}
	}
}

// goldenLogits returns a tensor [N, 2] as rows.
func goldenLogits(t *testing.T, f *safetensors.File, name string) (rows [][]float32) {
	t.Helper()
	_, values := goldenFloats(t, f, name)
	for i := 0; i < len(values); i += 2 {
		rows = append(rows, values[i:i+2])
	}
	return rows
}
