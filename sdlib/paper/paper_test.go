package paper_test

import (
	"strings"
	"testing"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
)

// Every geometry has the examples that Figure 1 looks for.
func TestFigure1Geometries(t *testing.T) {
	for _, g := range stimuli.Geometries() {
		if _, err := paper.Figure1(g); err != nil {
			t.Errorf("%s: %v", g.Name, err)
		}
	}
	bad := stimuli.B16
	bad.Patch = 15
	if _, err := paper.Figure1(bad); err == nil {
		t.Error("no error for patches that don't divide the image")
	}
}

// Every geometry has the stimuli that Figures 8 and 23 look for.
func TestFigure8And23Geometries(t *testing.T) {
	for _, g := range stimuli.Geometries() {
		if _, err := paper.Figure8(g); err != nil {
			t.Errorf("Figure 8, %s: %v", g.Name, err)
		}
		f, err := paper.Figure23(g)
		if err != nil {
			t.Errorf("Figure 23, %s: %v", g.Name, err)
			continue
		}
		for _, want := range []string{"Discrimination, shape: different → same", "RMTS, color: same → different", "its pair becomes"} {
			if !strings.Contains(f.Alt(), want) {
				t.Errorf("Figure 23, %s: the figure says %q, expected %q in it", g.Name, f.Alt(), want)
			}
		}
	}
	bad := stimuli.B16
	bad.Patch = 15
	if _, err := paper.Figure8(bad); err == nil {
		t.Error("Figure 8: no error for patches that don't divide the image")
	}
	if _, err := paper.Figure23(bad); err == nil {
		t.Error("Figure 23: no error for patches that don't divide the image")
	}
}

// What a counterfactual pair's picture says is what its record says.
func TestCounterfactualPair(t *testing.T) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
			Set:      stimuli.Config{Task: task, Geometry: stimuli.Course, Size: 160, Factors: stimuli.Factors{OffGrid: true}},
			Property: stimuli.ColorProperty, Size: 16,
		})
		if err != nil {
			t.Fatal(err)
		}
		words := []string{"different", "same"}
		for i := range pairs.Len() {
			r := pairs.Record(i)
			f, err := paper.CounterfactualPair(pairs, i)
			if err != nil {
				t.Fatal(err)
			}
			edited, source := r.Base.Objects[r.Edited], r.CF.Objects[r.Source]
			for _, want := range []string{
				"color: " + words[r.Base.Label] + " → " + words[r.Target],
				"edited: " + stimuli.Colors[edited.Color].Name + " " + stimuli.ShapeName(edited.Shape),
				"counterfactual: " + words[r.CF.Label],
				"source: " + stimuli.Colors[source.Color].Name + " " + stimuli.ShapeName(source.Shape),
			} {
				if !strings.Contains(f.Alt(), want) {
					t.Errorf("%s, pair %d: the figure says %q, expected %q in it", task, i, f.Alt(), want)
				}
			}
		}
		for _, i := range []int{-1, pairs.Len()} {
			if f, err := paper.CounterfactualPair(pairs, i); err == nil || f != nil {
				t.Errorf("%s: figure %v with error %v for pair %d, expected an error alone", task, f, err, i)
			}
		}
	}
}

// The figure counts the combinations that a set's documentation promises.
func TestCombinationFigure(t *testing.T) {
	for objects, want := range map[stimuli.Objects]string{stimuli.Compositional32: "224 combinations", stimuli.OODShapeColor: "16 combinations"} {
		set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Objects: objects, Split: stimuli.Test})
		if f, err := paper.CombinationFigure("", set); err != nil || !strings.Contains(f.Alt(), want) {
			t.Errorf("%s: the figure says %q with error %v, expected %q", objects, f.Alt(), err, want)
		}
	}
}

// The training curve leaves out what was not measured.
func TestTrainingCurveParts(t *testing.T) {
	bare := []finetune.Epoch{{Epoch: 1, Task: .7, Train: .5, Val: -1}, {Epoch: 2, Task: .6, Train: .6, Val: -1}}
	f, err := paper.TrainingCurve(bare)
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]bool{"task loss": true, "training": true, "auxiliary": false, "validation": false, "probe": false} {
		if got := strings.Contains(f.Alt(), word); got != want {
			t.Errorf("the curve's text %q has %q: %v, expected %v", f.Alt(), word, got, want)
		}
	}
}

func TestAttentionMaps(t *testing.T) {
	s := &attention.Scores{Measures: attention.Measures{
		Local: [][]float64{{.5, .9}, {.1, .4}},
		Pair:  [][]float64{{.2, .7}, {.8, .1}}, // the highest of all is the most local head already
	}}
	examples, err := s.Examples()
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		var maps []attention.Map
		for _, h := range append(examples, attention.Head{Block: 1, Head: 1}) {
			maps = append(maps, mapOf(3, h))
		}
		f, err := paper.AttentionMaps(quickSet(t, task), s, maps...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Most local\nblock 1, head 0", "Most within the pair\nblock 0, head 1", "Most global\nblock 0, head 0", "Chosen\nblock 1, head 1"} {
			if !strings.Contains(f.Alt(), want) {
				t.Errorf("%s: the figure says %q, expected %q in it", task, f.Alt(), want)
			}
		}
	}
}

// Images that need no enlargement are shown smaller, so that four stand side by side.
func TestAttentionMapsSize(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.B32, Size: 8})
	const T = 50
	m := attention.Map{Tokens: T, Prefix: 1, Weights: make([]float32, T*T)}
	m.Weights[T+1] = 1
	f, err := paper.AttentionMaps(set, &attention.Scores{Measures: attention.Measures{Local: [][]float64{{1}}, Pair: [][]float64{{1}}}}, m, m, m)
	if err != nil {
		t.Fatal(err)
	}
	if w, _ := f.Size(); w > 9 {
		t.Errorf("the figure is %.1f inches wide", w)
	}
}

func TestErrors(t *testing.T) {
	set := quickSet(t, stimuli.Discrimination)
	scores, h := twoStages(3, 1, false), attention.Head{}
	failing := map[string]func() (*figure.Figure, error){
		"was given no scores":    func() (*figure.Figure, error) { return paper.Figure2(nil, "") },
		"no scores to choose":    func() (*figure.Figure, error) { return paper.AttentionMaps(set, nil, mapOf(0, h)) },
		"no attention maps":      func() (*figure.Figure, error) { return paper.AttentionMaps(set, scores) },
		"expected 0 to 23":       func() (*figure.Figure, error) { return paper.AttentionMaps(set, scores, mapOf(24, h)) },
		"image 1 and of image 2": func() (*figure.Figure, error) { return paper.AttentionMaps(set, scores, mapOf(1, h), mapOf(2, h)) },
		"no stimulus 24":         func() (*figure.Figure, error) { return paper.PatchFigure(set, 24) },
		"no stimulus -1":         func() (*figure.Figure, error) { return paper.PatchFigure(set, -1) },
		"of 25 stimuli":          func() (*figure.Figure, error) { return paper.Gallery("", set, 25) },
		"of 0 stimuli":           func() (*figure.Figure, error) { return paper.Gallery("", set, 0) },
		"no panels":              func() (*figure.Figure, error) { return paper.HeadFigure() },
		"history is empty":       func() (*figure.Figure, error) { return paper.TrainingCurve(nil) },
	}
	for want, draw := range failing {
		if f, err := draw(); err == nil || f != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("figure %v with error %v, expected none with an error that speaks of %q", f, err, want)
		}
	}
}
