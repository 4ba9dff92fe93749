package paper_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model of a family with two blocks of two heads, all of whose weights are
// random, norms and biases too.
func small(t *testing.T, f vit.Family) *vit.Model {
	t.Helper()
	traits := f.Traits()
	c := vit.Config{Family: f, Image: 64, Patch: 16, Width: 16, Blocks: 2, Heads: 2, MLP: 32, Classes: 2,
		NormEps: traits.NormEps, Mean: traits.Mean, Std: traits.Std}
	if traits.Registers {
		c.Registers = 2
	}
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, w := range m.Weights.Flatten(c) {
		tensors.MustMutableFlatData(w, func(x []float32) {
			for i := range x {
				x[i] += .3 * float32(rng.NormFloat64())
			}
		})
	}
	return m
}

// quickSet is a set that small models take.
func quickSet(t *testing.T, task stimuli.Task) *stimuli.Set {
	t.Helper()
	set, err := stimuli.Open(stimuli.Config{Task: task, Geometry: stimuli.CourseQuick, Size: 24, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func goBackend(t *testing.T) *backend.Backend {
	t.Helper()
	be, err := backend.Open(backend.Go)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// In every family the parts add up to what the model answers, image by image.
func TestContributionsAddUp(t *testing.T) {
	ctx, be, set := context.Background(), goBackend(t), quickSet(t, stimuli.Discrimination)
	for _, f := range vit.Families {
		m := small(t, f)
		logits, err := finetune.Predict(ctx, be, m, set, finetune.Condition{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		images := []int{7, 0, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13} // more than one batch, in an order of their own
		all, err := paper.Contributions(ctx, be, m, set, images, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(images) {
			t.Fatalf("%v: contributions to %d images, expected %d", f, len(all), len(images))
		}
		for i, c := range all {
			want := float64(logits[images[i]][1] - logits[images[i]][0])
			sum := c.Embed + c.HeadSum() + c.MLPSum() + c.Rest
			if math.Abs(c.Logit-want) > 1e-4 || math.Abs(sum-want) > 1e-4 {
				t.Errorf("%v, image %d: the parts add up to %.6f and the logit is given as %.6f; the model's differ by %.6f", f, images[i], sum, c.Logit, want)
			}
		}
		mean := paper.MeanContribution(all)
		if sum := mean.Embed + mean.HeadSum() + mean.MLPSum() + mean.Rest; math.Abs(sum-mean.Logit) > 1e-4 {
			t.Errorf("%v: the means add up to %.6f, expected %.6f", f, sum, mean.Logit)
		}
	}
}

// A head whose columns of the output layer are 0 writes nothing, an MLP whose second layer is 0 nothing.
func TestContributionsNames(t *testing.T) {
	ctx, be, set := context.Background(), goBackend(t), quickSet(t, stimuli.Discrimination)
	m := small(t, vit.ViT)
	D, d := m.Config.Width, m.Config.HeadDim()
	tensors.MustMutableFlatData(m.Weights.Blocks[1].O.W, func(x []float32) { // [D, D], the second half of the columns is head 1's
		for row := range D {
			clear(x[row*D+d : (row+1)*D])
		}
	})
	for _, w := range []*tensors.Tensor{m.Weights.Blocks[0].Down.W, m.Weights.Blocks[0].Down.B} {
		tensors.MustMutableFlatData(w, func(x []float32) { clear(x) })
	}
	all, err := paper.Contributions(ctx, be, m, set, []int{2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for l, heads := range all[0].Heads {
		for h, v := range append(heads, all[0].MLP[l]) {
			silent := l == 1 && h == 1 || l == 0 && h == len(heads)
			if (v == 0) != silent {
				t.Errorf("block %d, part %d of two heads and the MLP writes %g, expected 0: %v", l, h, v, silent)
			}
		}
	}
}

// The strongest head is that of the largest contribution, whatever its sign; a difference is one part by part.
func TestContributionStrongest(t *testing.T) {
	a := paper.Contribution{Logit: 3, Embed: 1, Rest: .5, Heads: [][]float64{{.1, 2}, {.3, -1}}, MLP: []float64{.2, .1}}
	b := paper.Contribution{Logit: 1, Embed: .5, Rest: .5, Heads: [][]float64{{.1, 1}, {.3, 3}}, MLP: []float64{.1, .1}}
	if got := a.Strongest(); got != (attention.Head{Block: 0, Head: 1}) {
		t.Errorf("the strongest head is %v, expected block 0, head 1", got)
	}
	d := a.Minus(b)
	if got := d.Strongest(); got != (attention.Head{Block: 1, Head: 1}) {
		t.Errorf("the strongest head of the difference is %v, expected block 1, head 1", got)
	}
	if want := (paper.Contribution{Logit: 2, Embed: .5, Heads: [][]float64{{0, 1}, {0, -4}}, MLP: []float64{.1, 0}}); !reflect.DeepEqual(d, want) {
		t.Errorf("the difference is %v, expected %v", d, want)
	}
}

// The weights of the figure are those that attention.Maps gives.
func TestScoreFigure(t *testing.T) {
	ctx, be, set := context.Background(), goBackend(t), quickSet(t, stimuli.Discrimination)
	m, head := small(t, vit.DeiT), attention.Head{Block: 1, Head: 1}
	f, err := paper.ScoreFigure(ctx, be, m, set, 5, head)
	if err != nil {
		t.Fatal(err)
	}
	maps, err := attention.Maps(ctx, be, m, set, 5, head)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := maps[0].From(set.Stimulus(5).Objects[0].Tokens)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("the largest, %.3g,", slices.Max(weights)); !strings.Contains(f.Alt(), want) {
		t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
	}
}

// Rounding changes logits a little, TF32 less than bf16.
func TestPrecisionTable(t *testing.T) {
	ctx, be, set := context.Background(), goBackend(t), quickSet(t, stimuli.Discrimination)
	table, err := paper.PrecisionTable(ctx, be, small(t, vit.ViT), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 2 || table.Rows[0][0] != "tf32" || table.Rows[1][0] != "bf16" {
		t.Fatalf("rows %v, expected tf32 and bf16", table.Rows)
	}
	var largest [2]float64
	for i, row := range table.Rows {
		if largest[i], err = strconv.ParseFloat(row[1], 64); err != nil {
			t.Fatal(err)
		}
	}
	if !(0 < largest[0] && largest[0] < largest[1] && largest[1] < .5) {
		t.Errorf("the largest changes are %v, expected more than 0 and less with tf32 than with bf16", largest)
	}
}

func TestStreamFigure(t *testing.T) {
	ctx, be := context.Background(), goBackend(t)
	for _, c := range []struct {
		task   stimuli.Task
		family vit.Family
		names  []string
	}{
		{stimuli.Discrimination, vit.ViT, []string{"CLS", "object 1", "object 2", "background"}},
		{stimuli.RMTS, vit.SigLIP, []string{"sample 1", "sample 2", "display 1", "display 2", "background"}},
	} {
		f, err := paper.StreamFigure(ctx, be, small(t, c.family), quickSet(t, c.task), 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.names {
			if !strings.Contains(f.Alt(), name) {
				t.Errorf("%s, %v: the figure says %q, expected %q in it", c.task, c.family, f.Alt(), name)
			}
		}
		if strings.Contains(f.Alt(), "CLS") != c.family.Traits().CLS {
			t.Errorf("%s, %v: the figure says %q, expected CLS where the family has one", c.task, c.family, f.Alt())
		}
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

func TestModelErrors(t *testing.T) {
	ctx, be, set := context.Background(), goBackend(t), quickSet(t, stimuli.Discrimination)
	m := small(t, vit.ViT)
	three := *m
	three.Config.Classes = 3
	other := *m
	other.Config.Patch = 8
	contributions := func(m *vit.Model, images ...int) error {
		_, err := paper.Contributions(ctx, be, m, set, images, nil)
		return err
	}
	figureOf := func(f *figure.Figure, err error) error {
		if f != nil {
			t.Errorf("a figure with error %v", err)
		}
		return err
	}
	for want, err := range map[string]error{
		"no image were asked for":     contributions(m),
		"no image 24":                 contributions(m, 0, 24),
		"3 answers, expected 2":       contributions(&three, 0),
		"in patches of 8, the set":    contributions(&other, 0),
		"no image -1":                 figureOf(paper.StreamFigure(ctx, be, m, set, -1)),
		"given no panels":             figureOf(paper.ContributionFigure()),
		`"A" has no contributions`:    figureOf(paper.ContributionFigure(paper.ContributionPanel{Title: "A"})),
		"paper: confusions of no":     figureOf(paper.ConfusionFigure("", finetune.Confusions{})),
		"there is no block 2, head 0": figureOf(paper.ScoreFigure(ctx, be, m, set, 0, attention.Head{Block: 2})),
		"no image 99":                 figureOf(paper.ScoreFigure(ctx, be, m, set, 99, attention.Head{})),
		"in patches of 8, the set h":  figureOf(paper.StreamFigure(ctx, be, &other, set, 0)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one that speaks of %q", err, want)
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := paper.Contributions(canceled, be, m, set, []int{0}, nil); err != context.Canceled {
		t.Errorf("canceled: error %v, expected %v", err, context.Canceled)
	}
}
