package paper_test

import (
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// madeUpSwap are counterfactual pairs, an intervention that swaps 9 of 24 directions, and two states.
func madeUpSwap() (*stimuli.Counterfactuals, *das.Intervention, [2][]float32) {
	const D = 24
	pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
		Set: stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.TestIID, Size: 96, Seed: 1, NoiseSD: -1}, Property: stimuli.ColorProperty, Size: 16})
	if err != nil {
		panic(err)
	}
	v := &das.Intervention{Config: vit.Config{Width: D}, Pairs: pairs.Config(), Search: das.Search{Block: 1}, Rotation: das.Orthogonal(D, 1), Mask: make([]float32, D)}
	for j := range 9 {
		v.Mask[2*j] = 1
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var states [2][]float32
	for i := range states {
		for range D {
			states[i] = append(states[i], float32(rng.NormFloat64()))
		}
	}
	return pairs, v, states
}

// saveSmall writes a figure as it is on a screen, at half of the usual resolution.
func saveSmall(f *figure.Figure, err error, path string) {
	var data []byte
	if err == nil {
		data, err = f.PNG(figure.DPI / 2)
	}
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleFigure3a() {
	pairs, v, states := madeUpSwap()
	f, err := paper.Figure3a(paper.Swap{Pairs: pairs, Pair: 2, Intervention: v, Edited: states[0], Source: states[1], Base: 0, After: 1})
	saveSmall(f, err, "figure03a.png")
}

// example is what novel representations are made of states.
func example(v *das.Intervention, states [2][]float32) das.NovelExample {
	e := das.NovelExample{Objects: [2]int{0, 3}, Vectors: map[das.Novelty][]float32{}}
	for j, s := range v.Swapped() {
		if s == 0 {
			continue
		}
		a, b := v.Coordinates(states[0])[0][j], v.Coordinates(states[1])[0][j]
		e.From[0], e.From[1] = append(e.From[0], a), append(e.From[1], b)
		for novelty, x := range map[das.Novelty]float32{das.Added: a + b, das.Interpolated: (a + b) / 2, das.Sampled: b - a, das.Random: a * b} {
			e.Vectors[novelty] = append(e.Vectors[novelty], x)
		}
	}
	return e
}

func ExampleFigure4a() {
	pairs, v, states := madeUpSwap()
	f, err := paper.Figure4a(pairs, v, example(v, states))
	saveSmall(f, err, "figure04a.png")
}

func TestDiagramErrors(t *testing.T) {
	pairs, v, states := madeUpSwap()
	e := example(v, states)
	e.Objects[1] = 16
	short := example(v, states)
	short.Vectors[das.Sampled] = short.Vectors[das.Sampled][1:]
	for want, try := range map[string]func() error{
		"no counterfactual pair 16": func() error {
			_, err := paper.Figure3a(paper.Swap{Pairs: pairs, Pair: 16, Intervention: v})
			return err
		},
		"expected 24 of one token":                  func() error { _, err := paper.Figure3a(paper.Swap{Pairs: pairs, Intervention: v}); return err },
		"8 coordinates of a vector that is sampled": func() error { _, err := paper.Figure4a(pairs, v, short); return err },
		"made of object 16":                         func() error { _, err := paper.Figure4a(pairs, v, e); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
