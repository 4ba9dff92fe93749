package das

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Each control reads its own place of the counterfactual image, token by token, and writes to the edited object: places
// and states are taken anew from the records and from the model's whole streams.
func TestSources(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	const block, cls = 0, 1 // tokens before the patches
	D, n := m.Config.Width, s.Pairs.Len()
	var whole [][]float32 // of the counterfactual images, [N][T·D]
	err := runner.Nodes(t.Context(), be, m, s.Pairs.CF(), nil, []string{vit.BlockNode(block, "resid_post")}, nil, func(items []int, values []*tensors.Tensor) error {
		flat, err := tensors.CopyFlatData[float32](values[0])
		for row := range slices.Chunk(flat, len(flat)/len(items)) {
			whole = append(whole, row)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	states, err := s.Sources(block)
	if err != nil {
		t.Fatal(err)
	}
	var edited []int32
	for i := range n {
		r := s.Pairs.Record(i)
		for _, patch := range r.Base.Objects[r.Edited].Tokens {
			edited = append(edited, int32(cls+patch))
		}
	}
	if !slices.Equal(s.Edited(), edited) {
		t.Errorf("the edited tokens are %v, expected %v", s.Edited(), edited)
	}
	answers := map[string][]int{}
	for control, patches := range map[Control]func(stimuli.Counterfactual) []int{
		NoControl:   func(r stimuli.Counterfactual) []int { return r.CF.Objects[r.Source].Tokens },
		WrongObject: func(r stimuli.Counterfactual) []int { return r.CF.Objects[r.Other].Tokens },
		RandomPatch: func(r stimuli.Counterfactual) []int { return r.Random },
	} {
		want := func(pair int, row []float32) {
			for k, patch := range patches(s.Pairs.Record(pair)) {
				copy(row[k*D:(k+1)*D], whole[pair][(cls+patch)*D:])
			}
		}
		for pair := range n {
			row := make([]float32, s.P*D)
			want(pair, row)
			near(t, control.String(), [][]float32{s.source(states, pair, control)}, [][]float32{row}, 1e-5)
		}
		v := random(s, block, true)
		v.Control = control
		got, err := v.Answers(t.Context(), be, m, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		logits, err := v.Apply(t.Context(), be, m, s, Swap{K: s.P, Tokens: edited, Source: want}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range logits {
			if got.Answers[i] != argmax(row) {
				t.Errorf("%s, pair %d: answered %d, expected %d", control, i, got.Answers[i], argmax(row))
			}
		}
		answers[control.String()] = got.Answers
	}
	if slices.Equal(answers["none"], answers["wrong-object"]) || slices.Equal(answers["none"], answers["random-patch"]) {
		t.Errorf("controls answer as the search does, so that this tests little: %v", slices.Sorted(maps.Keys(answers)))
	}
}

// Pairs of one target teach nothing: a search would learn an answer and no property.
func TestOneTarget(t *testing.T) {
	dir := t.TempDir()
	if err := pairsOf(t, course, stimuli.ShapeProperty, 16).Export(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	edit := func(name string, change func(text string) string) {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("metadata.jsonl", func(text string) (kept string) {
		for line := range strings.Lines(text) {
			if strings.Contains(line, `"target":1`) {
				kept += line
			}
		}
		return kept
	})
	edit("set.json", func(text string) string { // of a version that counted no records
		all := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(all, func(key string, _ json.RawMessage) bool {
			return slices.Contains([]string{"records", "content", "check"}, key)
		})
		out, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	})
	same, err := stimuli.ImportCounterfactuals(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = Keep(t.Context(), fixture.Go(t), lively(t, small, 1), same, []int{0}, t.TempDir(), nil)
	if want := "the target of all 8 pairs is 1"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, expected it to say %q", err, want)
	}
}
