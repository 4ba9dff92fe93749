package paper_test

// The examples of this file are the golden-image tests: each saves one picture,
// which golden_test.go compares with testdata.

import (
	"fmt"
	"log"
	"math"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/photographs"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// save writes a figure into the current folder.
func save(f *figure.Figure, err error, path string) {
	if err == nil {
		err = f.Save(path)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// The tasks in the geometry of the paper's ViT-B/16.
func ExampleFigure1() {
	f, err := paper.Figure1(stimuli.B16)
	save(f, err, "figure01.png")
}

// The tasks as the quick course model sees them.
func ExampleFigure1_course() {
	f, err := paper.Figure1(stimuli.CourseQuick)
	save(f, err, "figure01_course.png")
}

// twoStages makes up the scores of a model whose heads look within the object first,
// then within the pair, then between pairs, then at the background.
func twoStages(blocks, heads int, rmts bool) *attention.Scores {
	bump := func(center, width float64) [][]float64 {
		scores := make([][]float64, blocks)
		for l := range scores {
			x := ((float64(l)+.5)/float64(blocks) - center) / width
			for h := range heads {
				strength := .3 + .6*float64(h*7%heads)/float64(heads)
				scores[l] = append(scores[l], strength*math.Exp(-x*x))
			}
		}
		return scores
	}
	s := &attention.Scores{Measures: attention.Measures{
		Local: bump(.95, .5), Within: bump(.29, .2), Pair: bump(.54, .15), Background: bump(.95, .35)}}
	if rmts {
		s.Between = bump(.79, .12)
	}
	return s
}

func ExampleFigure2() {
	f, err := paper.Figure2(twoStages(4, 3, false), "Quick course model")
	save(f, err, "figure02.png")
}

// Two models in one figure; the second one's star passes over block 0.
func ExampleHeadFigure() {
	f, err := paper.HeadFigure(
		paper.HeadPanel{Title: "Discrimination", Scores: twoStages(12, 12, false).Measures},
		paper.HeadPanel{Title: "RMTS", Scores: twoStages(12, 12, true).Measures, PeakFrom: 1},
	)
	save(f, err, "heads.png")
}

func ExampleFigure7() {
	f, err := paper.Figure7()
	save(f, err, "figure07.png")
}

func ExampleFigure8() {
	f, err := paper.Figure8(stimuli.B16)
	save(f, err, "figure08.png")
}

// The photographs as a very small model would see them, 32 pixels wide.
func ExampleFigure9() {
	set, err := photographs.Open(stimuli.Geometry{Name: "tiny", Image: 32, Patch: 8})
	if err != nil {
		log.Fatal(err)
	}
	f, err := paper.Figure9(set)
	save(f, err, "figure09.png")
}

func ExampleFigure23() {
	f, err := paper.Figure23(stimuli.Course)
	save(f, err, "figure23.png")
}

// One pair of one's own choice, as the original code makes them.
func ExampleCounterfactualPair() {
	pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
		Set:      stimuli.Config{Geometry: stimuli.B16, Size: 600, Seed: 2, Faithful: stimuli.OriginalCode},
		Property: stimuli.ColorProperty, Size: 100,
	})
	if err != nil {
		log.Fatal(err)
	}
	f, err := paper.CounterfactualPair(pairs, 0)
	save(f, err, "counterfactual.png")
}

// The first images of the set with shapes that training never showed.
func ExampleGallery() {
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.Course, Objects: stimuli.OODShape, Split: stimuli.Test, Size: 40, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	f, err := paper.Gallery("Held-out shapes", set, 8)
	save(f, err, "gallery.png")
}

// What the compositional training set shows of all combinations.
func ExampleCombinationFigure() {
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.Course, Objects: stimuli.Compositional32})
	if err != nil {
		log.Fatal(err)
	}
	f, err := paper.CombinationFigure("Compositional training set", set)
	save(f, err, "combinations.png")
}

// An object on the patch grid covers four patches; one off the grid covers up to nine.
func ExamplePatchFigure() {
	var panels []*figure.Figure
	for _, offGrid := range []bool{false, true} {
		set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.B16, Size: 40, Seed: 1, Factors: stimuli.Factors{OffGrid: offGrid}})
		if err != nil {
			log.Fatal(err)
		}
		f, err := paper.PatchFigure(set, 0)
		if err != nil {
			log.Fatal(err)
		}
		panels = append(panels, f)
	}
	save(figure.Row(panels...), nil, "patches.png")
}

func ExampleTrainingCurve() {
	var history []finetune.Epoch
	for i := range 16 {
		t := float64(i) / 4
		history = append(history, finetune.Epoch{
			Epoch: i + 1,
			Task:  .69 * math.Exp(-t/2), Aux: 4 * math.Exp(-t),
			Train: 1 - .5*math.Exp(-t/2), Val: 1 - .47*math.Exp(-t/2),
			Shape: 1 - .8*math.Exp(-t), Color: 1 - .8*math.Exp(-2*t),
		})
	}
	f, err := paper.TrainingCurve(history)
	save(f, err, "training.png")
}

func ExampleBehaviorTable() {
	score := func(correct, n int) finetune.Score { return finetune.Score{N: n, Correct: correct} }
	t := paper.BehaviorTable([]study.SetResult{
		{NamedSet: study.NamedSet{Name: "test (IID)"}, Evaluation: finetune.Evaluation{All: score(197, 200), Kinds: []finetune.KindScore{
			{Kind: stimuli.Same, Score: score(100, 100)}, {Kind: stimuli.ShapeOnly, Score: score(23, 25)},
			{Kind: stimuli.ColorOnly, Score: score(24, 25)}, {Kind: stimuli.Both, Score: score(50, 50)}}}},
		{NamedSet: study.NamedSet{Name: "OOD shape"}, Evaluation: finetune.Evaluation{All: score(100, 100), Kinds: []finetune.KindScore{
			{Kind: stimuli.Same, Score: score(100, 100)}}}},
	})
	text, err := t.Text()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	// Output:
	// Accuracy
	//
	// set         images  accuracy  95 % interval   same  other shape  other color  both differ
	// ----------  ------  --------  -------------  -----  -----------  -----------  -----------
	// test (IID)     200     0.985  0.957–0.995    1.000        0.920        0.960        1.000
	// OOD shape      100     1.000  0.963–1.000    1.000
}
