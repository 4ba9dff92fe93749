package paper_test

import (
	"fmt"
	"strings"
	"testing"

	"samediff/sdlib/attention"
	"samediff/sdlib/attribution"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// quickSet is a set of the quick geometry: 4 x 4 patches, an object on one.
func quickSet(t *testing.T, task stimuli.Task) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Task: task, Geometry: stimuli.CourseQuick, Size: 24, Seed: 1})
}

// mapOf makes up a head's map of an image of 4 x 4 patches behind CLS: from every token the
// score of token k is k-8, and its weight k/136.
func mapOf(image int, h attention.Head) attention.Map {
	const T = 17
	m := attention.Map{Head: h, Image: image, Tokens: T, Prefix: 1}
	for range T {
		for k := range T {
			m.Scores, m.Weights = append(m.Scores, float32(k-8)), append(m.Weights, float32(k)/136)
		}
	}
	return m
}

func TestScoreFigure(t *testing.T) {
	f, err := paper.ScoreFigure(quickSet(t, stimuli.Discrimination), mapOf(5, attention.Head{Block: 1, Head: 1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Scores\nblock 1, head 1", "the largest, 8,", "Weights\nblock 1, head 1", "the largest, 0.118,"} { // of the last patch
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
		}
	}
}

// TestStreamFigure: both panels show what the reading has.
func TestStreamFigure(t *testing.T) {
	f, err := paper.StreamFigure(attribution.Reading{
		Logits: [][]float64{{0, 0}, {1, 2.5}, {3, -1}},
		Norms:  []attribution.Norm{{At: "CLS", Values: []float64{1, 2, 3}}, {At: "background", Values: []float64{4, 5, 4}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CLS: largest value 3 at 2", "background: largest value 5 at 1", "Line 1: largest value 1.5 at 1"} {
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
		}
	}
}

func TestPrecisionTable(t *testing.T) {
	table := paper.PrecisionTable([]finetune.Rounding{{Precision: vit.BF16, Images: 200, Largest: .25, Mean: .015625, Answers: 3}})
	if got := fmt.Sprint(table.Title, table.Rows); got != "Beside float32, on 200 images[[bf16 0.2500 0.0156 3]]" {
		t.Errorf("the table is %s", got)
	}
}

// The figure shows every pair once above and once below the diagonal, and counts errors by kind.
func TestConfusionFigureText(t *testing.T) {
	c := finetune.Confusions{
		Shapes: []finetune.Confusion{{First: 2, Second: 2, N: 50, Errors: 5}, {First: 2, Second: 17, N: 10, Errors: 4}, {First: 17, Second: 17, N: 50}},
		Colors: []finetune.Confusion{{First: 0, Second: 1, N: 20, Errors: 1}},
	}
	f, err := paper.ConfusionFigure("Errors", c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Of 10 pairs that differ 4 are wrong. Of 100 pairs that are equal 5 are wrong. Most often wrong are " + stimuli.ShapeName(2) + " and " + stimuli.ShapeName(17) + ", 4 of 10.",
		"Of 20 pairs that differ 1 are wrong. Most often wrong are",
	} {
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
		}
	}
}

// Every family, checkpoint and variant has its place in the tables.
func TestModelTables(t *testing.T) {
	families := paper.FamilyTable()
	if got, want := len(families.Columns), 1+len(vit.Families); got != want {
		t.Errorf("the table of families has %d columns, expected %d", got, want)
	}
	checkpoints := paper.CheckpointTable()
	if len(checkpoints.Rows) != len(vit.Checkpoints) {
		t.Errorf("the table of checkpoints has %d rows, expected %d", len(checkpoints.Rows), len(vit.Checkpoints))
	}
	variants := paper.VariantTable()
	if len(variants.Rows) != len(vit.Variants()) {
		t.Errorf("the table of variants has %d rows, expected %d", len(variants.Rows), len(vit.Variants()))
	}
	for _, table := range []figure.Table{families, checkpoints, variants} {
		if err := table.Err(); err != nil {
			t.Errorf("%s: %v", table.Title, err)
		}
	}
	if first, last := variants.Rows[0][0], variants.Rows[len(variants.Rows)-1][0]; first != "course-quick" || last != "l32" {
		t.Errorf("the smallest and the largest variant are %s and %s, expected course-quick and l32", first, last)
	}
}

// What cannot be drawn is an error.
func TestModelErrors(t *testing.T) {
	set := quickSet(t, stimuli.Discrimination)
	figureOf := func(f *figure.Figure, err error) error {
		if f != nil {
			t.Errorf("a figure with error %v", err)
		}
		return err
	}
	for want, err := range map[string]error{
		"given no panels":             figureOf(paper.ContributionFigure()),
		`"A" has no contributions`:    figureOf(paper.ContributionFigure(paper.ContributionPanel{Title: "A"})),
		"paper: confusions of no":     figureOf(paper.ConfusionFigure("", finetune.Confusions{})),
		"3 classes, expected 2":       figureOf(paper.StreamFigure(attribution.Reading{Logits: [][]float64{{1, 2, 3}}})),
		"no stimulus 99":              figureOf(paper.ScoreFigure(set, mapOf(99, attention.Head{}))),
		"expected one that Maps made": figureOf(paper.ScoreFigure(set, attention.Map{Prefix: 1})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one that speaks of %q", err, want)
		}
	}
}
