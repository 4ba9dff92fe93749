package paper_test

import (
	"strings"
	"testing"

	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// novelScores are scores of 200 pairs after three blocks, further from the goal for each novelty.
func novelScores() (scores []study.NovelScore) {
	for _, property := range []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty} {
		for block, right := range []int{120, 190, 30} {
			for i, novelty := range das.Novelties {
				scores = append(scores, study.NovelScore{Novelty: novelty, DASScore: study.DASScore{Property: property, Block: block,
					Score: finetune.Score{N: 200, Correct: right - 8*i}, Base: .975}})
			}
		}
	}
	return scores
}

// A made-up model whose perceptual stage ends with block 1, above the curves of the paper's CLIP.
func ExampleNovelFigure() {
	f, err := paper.NovelFigure(paper.NovelPanel{Title: "made up", Scores: novelScores(), Beside: paper.PublishedNovels[:2]})
	save(f, err, "novel.png")
}

func TestNovelFigureText(t *testing.T) {
	f, err := paper.NovelFigure(paper.NovelPanel{Title: "A", Scores: novelScores(), Beside: paper.PublishedNovels[:2]})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"A: shape. Line chart of answers that become the target over after block. added: largest value 0.95 at 1. interpolated: largest value 0.91 at 1. sampled: largest value 0.87 at 1. random: largest value 0.83 at 1.",
		"A: color.", "CLIP ViT-B/16, as logged: shape. Line chart of answers that become the target over after block. added: largest value 0.883 at 2.",
	} {
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
		}
	}
}

func TestNovelFigureErrors(t *testing.T) {
	all := novelScores()
	shape := all[:12]
	for want, scores := range map[string][]study.NovelScore{
		"has no scores: expected":                      nil,
		"no scores for color":                          shape,
		"two scores for added, shape after block 0":    append(shape[:12:12], shape[0]),
		"no score for added, shape after block 0, but": all[1:],
	} {
		if f, err := paper.NovelFigure(paper.NovelPanel{Title: "A", Scores: scores}); f != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one that speaks of %q", err, want)
		}
	}
	if _, err := paper.NovelFigure(); err == nil {
		t.Error("a figure of nothing")
	}
}

// The published curves are those of the logs: some of the numbers that the paper's text rests on, and
// for each property of a model the order of the four ways at their best.
func TestPublishedNovel(t *testing.T) {
	best := func(values []float64) (best float64) {
		for _, v := range values {
			best = max(best, v)
		}
		return best
	}
	for _, p := range paper.PublishedNovels {
		sampled, interpolated, added := best(p.Curves[das.Sampled]), best(p.Curves[das.Interpolated]), best(p.Curves[das.Added])
		if !(sampled < interpolated) {
			t.Errorf("%s, %s, %s: sampled reaches %.3f, interpolated %.3f: expected less", p.Model, p.Task, p.Property, sampled, interpolated)
		}
		if p.Task == stimuli.Discrimination && !(interpolated < added) {
			t.Errorf("%s, %s: interpolated reaches %.3f, added %.3f: expected less in discrimination", p.Model, p.Property, interpolated, added)
		}
		if p.Task == stimuli.RMTS && strings.HasPrefix(p.Model, "CLIP") && !(interpolated > added) {
			t.Errorf("%s, %s: interpolated reaches %.3f, added %.3f: expected more in RMTS", p.Model, p.Property, interpolated, added)
		}
	}
}
