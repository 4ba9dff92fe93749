package report

import (
	"cmp"
	"fmt"

	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// Sizes say on how much a report rests.
type Sizes struct {
	Images int            // of each test set; 0 is the paper's 6,400
	Viewed int            // images in the viewer
	Search study.DASSweep // with controls; novel representations are made in the subspaces of the search itself
	Made   int            // of how many objects novel representations are made
	Probes int            // images of each label that probes are trained on, and tested on
	Pushed int            // images of each label whose pairs are changed
	Cut    study.HeadSample
	Draws  int // of random heads
	Pairs  int // of images between which values are interchanged
}

// Full are the sizes that the commands have by default, and of a ViT-B those of the results here. Most of the time goes into the
// searches, one for each block, property and control; on CPU cores a ViT-B takes hours.
func Full(c vit.Config) Sizes {
	z := Sizes{
		Viewed: 8, Made: study.DASTests, Probes: study.PaperProbe.PerClass, Pushed: 500,
		Search: study.DASSweep{Controls: []das.Control{das.NoControl, das.WrongObject}},
		Cut:    study.PaperSample, Draws: 10, Pairs: 100,
	}
	if large(c) {
		z.Images, z.Probes, z.Pushed, z.Cut.PerClass, z.Draws, z.Pairs = 1600, 500, 100, 50, 5, 32
	}
	return z
}

// Quick are sizes for a first look, minutes for a model of the course. Short searches find less: their accuracies are lower bounds.
func Quick(c vit.Config) Sizes {
	recipe := das.Suited(c)
	recipe.Epochs, recipe.Steps, recipe.Pairs = 0, 150, 1000
	z := Sizes{
		Images: 1600, Viewed: 4, Made: 200, Probes: 200, Pushed: 30,
		Search: study.DASSweep{Recipe: recipe, Test: 200},
		Cut:    study.HeadSample{PerClass: 50, Seed: 1}, Draws: 3, Pairs: 32,
	}
	if large(c) {
		z.Images, z.Viewed = 400, 2
		z.Search.Recipe.Steps, z.Search.Recipe.Pairs, z.Search.Blocks = 60, 400, everyOther(c.Blocks)
	}
	return z
}

// everyOther are half of a model's blocks.
func everyOther(n int) (blocks []int) {
	for l := 0; l < n; l += 2 {
		blocks = append(blocks, l)
	}
	return blocks
}

// large reports whether a model takes long on CPU cores.
func large(c vit.Config) bool { return c.Width >= 384 }

// steer is what is added to pairs: factors of the paper's directions in a ViT-B, of means apart in smaller models,
// whose probes' weights are short against their streams.
func (z Sizes) steer(c vit.Config) study.SteerSpec {
	s := study.PaperSteer
	s.Probe.PerClass, s.PerClass = z.Probes, min(z.Pushed, z.Probes)
	if !large(c) {
		s.Unit, s.Alphas = study.MeansApart, []float64{1, 2, 4}
	}
	return s
}

// describe says on how much a report of a model rests.
func (z Sizes) describe(c vit.Config) string {
	r := z.Search.Recipe
	if r == (das.Recipe{}) {
		r = das.Suited(c)
	}
	steps := fmt.Sprintf("%d steps", r.Steps)
	if r.Steps == 0 {
		steps = fmt.Sprintf("%d epochs", r.Epochs)
	}
	return fmt.Sprintf("%d images of each test set; searches of %s over %d pairs, tested on %d; probes of %d images of each label; knock-outs and cuts on %d",
		cmp.Or(z.Images, stimuli.DefaultSize), steps, r.Pairs, cmp.Or(z.Search.Test, study.DASTests), z.Probes, 2*z.Cut.PerClass)
}
