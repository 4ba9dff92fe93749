package paper_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// searchScores makes up the searches in a model whose properties lie in their own subspaces up to a block.
func searchScores(upTo float64) (scores []study.DASScore) {
	const pairs = 400
	for _, control := range []das.Control{das.NoControl, das.WrongObject} {
		for l := range 12 {
			for i, p := range []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty} {
				share := .02 + .9/(1+max(0, float64(l)-upTo+float64(i))*float64(l))
				if control != das.NoControl {
					share *= .5
				}
				scores = append(scores, study.DASScore{Task: stimuli.Discrimination, Objects: stimuli.All256, Property: p, Block: l, Control: control,
					Score: finetune.Score{N: pairs, Correct: int(math.Ceil(share * pairs))}, Base: .96})
			}
		}
	}
	return scores
}

// Made-up searches in a model that has the name of one of the paper's, and so its published curves.
func ExampleSearchFigure() {
	f, err := paper.SearchFigure(paper.SearchPanel{Title: "clip-b16", Scores: searchScores(4)})
	save(f, err, "searches.png")
}

func TestSearchFigure(t *testing.T) {
	scores := searchScores(4)
	f, err := paper.SearchFigure(paper.SearchPanel{Title: "mine", Scores: scores}, paper.SearchPanel{Title: "discrimination-256-clip-b16-112", Scores: scores})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(f.Alt(), "published"); n != 4 {
		t.Errorf("%d published lines, expected the four of CLIP's panel: %s", n, f.Alt())
	}
	for want, scores := range map[string][]study.DASScore{
		"has no scores":        nil,
		"two scores for shape": append(slices.Clone(scores), scores[0]),
	} {
		if _, err := paper.SearchFigure(paper.SearchPanel{Title: "mine", Scores: scores}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
	if _, err := paper.SearchFigure(); err == nil {
		t.Error("a figure without panels was drawn")
	}
}

// A control that was run after some blocks only hides no block of the others, and a published line has all of its own.
func TestSearchFigureOfSomeBlocks(t *testing.T) {
	scores := slices.DeleteFunc(searchScores(4), func(s study.DASScore) bool {
		return s.Control == das.WrongObject && s.Block != 1 && s.Block != 3 || s.Block > 8
	})
	f, err := paper.SearchFigure(paper.SearchPanel{Title: "clip-b16", Scores: scores})
	if err != nil {
		t.Fatal(err)
	}
	// .02 + .9 up to block 4, whole answers of 400 pairs; half of that for the control, whose first block is 1.
	for _, want := range []string{"shape: largest value 0.92 at 0.", "color: largest value 0.92 at 0.", "shape, wrong-object: largest value 0.46 at 1.", "color, published: largest value 0.918 at 2.", "shape, wrong-object, published: largest value 0.52 at 3."} {
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("the figure does not say %q: %s", want, f.Alt())
		}
	}
}

func TestPublished(t *testing.T) {
	for _, c := range []struct {
		model   string
		objects stimuli.Objects
		peak    float64
	}{
		{"clip-b16", stimuli.All256, .936}, {"clip-b16 (8-bit weights)", stimuli.All256, .936}, {"clip-b16-112", stimuli.All256, .936}, {"clip-b16-32", stimuli.Compositional32, 0},
		{"dino-b16", stimuli.All256, .865}, {"dinov2-b14", stimuli.All256, .908}, {"discrimination-256-course", stimuli.All256, 0},
	} {
		got := paper.Published(c.model, stimuli.Discrimination, c.objects, stimuli.ShapeProperty, das.NoControl)
		if c.peak == 0 && got != nil || c.peak != 0 && (len(got) != 12 || slices.Max(got) != c.peak) {
			t.Errorf("%s: %v, expected a peak of %g", c.model, got, c.peak)
		}
	}
}
