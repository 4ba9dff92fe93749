package attention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
)

// The shares of every head add up to 1; Within and Local are each other's complement but for CLS.
func TestSharesAddUp(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Task: stimuli.RMTS, Size: 8})
	m := sharp(t, smallConfig(set.Geometry()))
	be := fixture.Go(t)
	var last progress.Update
	s, err := Analyze(context.Background(), be, m, set, nil, func(u progress.Update) { last = u })
	if err != nil {
		t.Fatal(err)
	}
	if s.Images != 8 || s.Task != stimuli.RMTS || last.Done != 8 || !last.Finished {
		t.Errorf("scores of %d images of task %s, last update %+v: expected 8, rmts, 8 done", s.Images, s.Task, last)
	}
	for l := range s.Local {
		for h := range s.Local[l] {
			p := s.Shares
			if sum := p.CLS[l][h] + p.Own[l][h] + p.Partner[l][h] + p.Others[l][h] + p.Background[l][h]; math.Abs(sum-1) > 1e-6 {
				t.Errorf("block %d, head %d: the shares add up to %v", l, h, sum)
			}
			if sum := s.Within[l][h] + s.Local[l][h]; sum > 1+1e-6 {
				t.Errorf("block %d, head %d: within + local is %v, above 1", l, h, sum)
			}
			if p.Others[l][h] <= 0 || s.Between[l][h] < p.Others[l][h]-1e-6 {
				t.Errorf("block %d, head %d: between pairs is %v, below the mean share %v", l, h, s.Between[l][h], p.Others[l][h])
			}
		}
	}
}

// A uniform head gives every set its share of the tokens (docs/paper.md 4.1).
func TestUniformAttention(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 8})
	m := sharp(t, smallConfig(set.Geometry()))
	be := fixture.Go(t)
	for _, b := range m.Weights.Blocks { // no queries, no preferences (biases start at 0)
		scale(b.Q.W, 0)
	}
	s, err := Analyze(context.Background(), be, m, set, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want float64 }{ // of 65 tokens an object covers 4, the background 56
		"local":          {s.Local[1][2], 60. / 65},
		"within":         {s.Within[1][2], 4. / 65},
		"pair":           {s.Pair[1][2], 4. / 65},
		"background":     {s.Background[1][2], 56. / 65},
		"CLS":            {s.Shares.CLS[1][2], 1. / 65},
		"original local": {s.Original.Local[1][2], 60. / 65},
		"CLS as within":  {s.Original.Within[1][2], 5. / 65}, // D14
	} {
		if math.Abs(c.got-c.want) > 1e-6 {
			t.Errorf("%s is %v, expected %v", name, c.got, c.want)
		}
	}
	if s.Between != nil || s.Original.Between != nil {
		t.Error("there are scores between pairs, though there is one pair")
	}
}

func TestScoresSurviveJSON(t *testing.T) {
	s := &Scores{Task: stimuli.RMTS, Images: 2, Measures: Measures{Local: [][]float64{{.25, 1}}, Between: [][]float64{{0, .5}}},
		Original: Measures{Within: [][]float64{{.125}}}, Shares: Shares{CLS: [][]float64{{.5}}}}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Scores
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*s, back) {
		t.Errorf("%+v came back as %+v", *s, back)
	}
}

func TestLines(t *testing.T) {
	m := Measures{
		Within:     [][]float64{{.9, .1}, {.2, .6}, {.3, .3}},
		Pair:       [][]float64{{0, .2}, {.1, 0}, {.2, .7}},
		Background: [][]float64{{.5, .5}, {.4, .6}, {.1, .2}},
	}
	lines := m.Lines()
	if len(lines) != 3 {
		t.Fatalf("%d lines, expected within object, within pair, background", len(lines))
	}
	first := lines[0]
	if !slices.Equal(first.Values, []float64{.9, .6, .3}) || !slices.Equal(first.Heads, []int{0, 1, 0}) {
		t.Errorf("%s is %v of heads %v", first.Name, first.Values, first.Heads)
	}
	for from, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 3: -1} {
		if got := first.Peak(from); got != want {
			t.Errorf("the peak from block %d is %d, expected %d", from, got, want)
		}
	}
	m.Between = m.Pair
	if lines := m.Lines(); len(lines) != 4 || lines[3].Name != "between pairs" {
		t.Errorf("RMTS has the lines %v, expected between pairs as the last of 4", lines)
	}
	if got, want := Highest(m.Within), headsAt(0, 0, 1, 1, 2, 0, 2, 1, 1, 0, 0, 1); !slices.Equal(got, want) {
		t.Errorf("heads by within are %v, expected %v", got, want)
	}
}

func TestSelect(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Test, Size: 60})
	images, err := Select(set, 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for i, image := range images {
		if i > 0 && images[i-1] >= image {
			t.Errorf("image %d comes after %d: expected ascending indices, none twice", image, images[i-1])
		}
		same += set.Stimulus(image).Label
	}
	if len(images) != 40 || same != 20 {
		t.Errorf("%d images, %d of them same: expected 40 and 20", len(images), same)
	}
	again, _ := Select(set, 20, 1)
	other, _ := Select(set, 20, 2)
	if !slices.Equal(images, again) || slices.Equal(images, other) {
		t.Error("the choice should depend on the seed, and on nothing else")
	}
	for _, perClass := range []int{0, -1, 31} {
		if _, err := Select(set, perClass, 1); err == nil {
			t.Errorf("no error for %d images per class of a set of 30 + 30", perClass)
		}
	}
}

func TestErrors(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 8})
	wrong := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 8})
	m := sharp(t, smallConfig(set.Geometry()))
	be := fixture.Go(t)
	ctx := context.Background()
	stopped, stop := context.WithCancel(ctx)
	stop()
	analyze := func(ctx context.Context, set *stimuli.Set, images []int) error {
		_, err := Analyze(ctx, be, m, set, images, nil)
		return err
	}
	maps := func(ctx context.Context, set *stimuli.Set, image int, heads ...Head) error {
		_, err := Maps(ctx, be, m, set, image, heads...)
		return err
	}
	for want, err := range map[string]error{
		"no image 8 in a set of 8":      analyze(ctx, set, []int{0, 8}),
		"no image -1 in a set of 8":     analyze(ctx, set, []int{-1}),
		"no images":                     analyze(ctx, set, []int{}),
		"the same geometry":             analyze(ctx, wrong, []int{0}),
		"no image 9":                    maps(ctx, set, 9, Head{}),
		"geometry":                      maps(ctx, wrong, 0, Head{}),
		"no heads named":                maps(ctx, set, 0),
		"no block 2, head 0":            maps(ctx, set, 0, Head{Block: 2, Head: 0}),
		"no block 0, head 3":            maps(ctx, set, 0, Head{Block: 0, Head: 3}),
		"blocks 0 to 1 with heads 0 to": maps(ctx, set, 0, Head{Block: 0, Head: -1}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
	if err := analyze(stopped, set, []int{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped, Analyze returns %v", err)
	}
	if err := maps(stopped, set, 0, Head{}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped, Maps returns %v", err)
	}
}

// A set may come from one's own images: without a pair, or with an object that covers nothing, there is nothing to score.
func TestRegionsErrors(t *testing.T) {
	object := stimuli.Object{Role: stimuli.Object1, Tokens: []int{2}}
	for want, s := range map[string]stimuli.Stimulus{
		"no pair":         {Index: 5, Objects: []stimuli.Object{object}},
		"covers no patch": {Objects: []stimuli.Object{object, {Role: stimuli.Object2}}, Pairs: []stimuli.Pair{{First: 0, Second: 1}}},
	} {
		err := regions(s, make([]int32, 2*5), make([]float32, 2*pairs), 5, 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}

// Weights that overflow are named by the head they spoil.
func TestDamagedWeights(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 8})
	m := sharp(t, smallConfig(set.Geometry()))
	scale(m.Weights.Blocks[1].K.W, float32(math.Inf(1)))
	_, err := Analyze(context.Background(), fixture.Go(t), m, set, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "block 1, head 0 is not a number") {
		t.Errorf("the error is %v, expected it to name block 1, head 0", err)
	}
}

func TestMaps(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 8})
	for choice, be := range backends(t) {
		m := sharp(t, smallConfig(set.Geometry()))
		maps, err := Maps(context.Background(), be, m, set, 3, Head{Block: 1, Head: 2}, Head{Block: 0, Head: 0})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range headsAt(1, 2, 0, 0) {
			a := maps[i]
			if a.Head != want || a.Tokens != 65 {
				t.Errorf("%s: map %d is of %s with %d tokens, expected %s with 65", choice, i, a.Head, a.Tokens, want)
			}
			for q := range a.Tokens {
				sum := 0.0
				for k := range a.Tokens {
					sum += a.At(q, k)
				}
				if math.Abs(sum-1) > 1e-5 {
					t.Errorf("%s: row %d of %s adds up to %v", choice, q, a.Head, sum)
				}
				row, sum := a.Scores[q*a.Tokens:(q+1)*a.Tokens], 0. // their softmax are the weights
				for _, score := range row {
					sum += math.Exp(float64(score))
				}
				for k, score := range row {
					if want := math.Exp(float64(score)) / sum; math.Abs(a.At(q, k)-want) > 1e-5 {
						t.Errorf("%s: %s has the weight %v from %d to %d, of the scores the softmax makes %v", choice, a.Head, a.At(q, k), q, k, want)
					}
				}
			}
			grid, err := a.From([]int{9, 10})
			if err != nil {
				t.Fatal(err)
			}
			if scores, err := a.ScoresFrom([]int{9, 10}); err != nil || math.Abs(scores[63]-float64(a.Scores[10*65+64]+a.Scores[11*65+64])/2) > 1e-6 {
				t.Errorf("%s: patches 9 and 10 score patch 63 with %v (%v)", choice, scores[63], err)
			}
			if between, err := a.Between([]int{9, 63}); err != nil || between[0][1] != a.At(10, 64) || between[1][0] != a.At(64, 10) {
				t.Errorf("%s: patches 9 and 63 read %v from each other (%v)", choice, between, err)
			}
			if want := (a.At(10, 64) + a.At(11, 64)) / 2; len(grid) != 64 || math.Abs(grid[63]-want) > 1e-12 {
				t.Errorf("%s: patches 9 and 10 read %v from patch 63, expected %v", choice, grid[63], want)
			}
		}
		for _, patches := range [][]int{nil, {-1}, {64}} {
			if _, err := maps[0].From(patches); err == nil {
				t.Errorf("no error for looking from patches %v of 64", patches)
			}
			if _, err := maps[0].Between(patches); err == nil && patches != nil {
				t.Errorf("no error for looking between patches %v of 64", patches)
			}
		}
	}
}

// The head that is both the most local and the one that looks most at the partner is an example once.
func TestExamples(t *testing.T) {
	s := &Scores{Measures: Measures{Local: [][]float64{{.5, .9}, {.1, .4}}, Pair: [][]float64{{.2, .7}, {.8, .1}}}}
	if got, err := s.Examples(); err != nil || !slices.Equal(got, headsAt(1, 0, 0, 1, 0, 0)) {
		t.Errorf("the examples are %v (%v), expected the most local, the second within the pair, the second most global", got, err)
	}
	one := &Scores{Measures: Measures{Local: [][]float64{{.5}}, Pair: [][]float64{{.5}}}}
	if got, err := one.Examples(); err != nil || !slices.Equal(got, headsAt(0, 0)) {
		t.Errorf("the examples of one head are %v (%v)", got, err)
	}
	for _, none := range []*Scores{nil, {}} {
		if _, err := none.Examples(); err == nil || !strings.Contains(err.Error(), "no scores to choose heads by") {
			t.Errorf("no scores: error %v", err)
		}
	}
}

// Up to the peak of attention within objects and behind it, within the pair, and the next one.
func TestSteps(t *testing.T) {
	s := &Scores{Measures: Measures{Local: [][]float64{{0, 0}, {0, 0}, {0, 0}},
		Within: [][]float64{{.4, .2}, {.9, .1}, {.3, .5}},
		Pair:   [][]float64{{.1, .2}, {.3, .8}, {.4, .9}}}}
	names := func(steps []Step) (all []string) {
		for _, s := range steps {
			all = append(all, fmt.Sprintf("%s: %d.%d", s.Name, s.Head.Block, s.Head.Head))
		}
		return all
	}
	for from, want := range map[int][]string{
		0: {"within object, early: 1.0", "within object, late: 2.1", "within pair: 1.1", "within pair, another: 2.0"},
		2: {"within object, early: 2.1", "within object, late: 2.0"}, // there are no more heads
	} {
		if got, err := s.Steps(from); err != nil || !slices.Equal(names(got), want) {
			t.Errorf("from block %d the steps are %q (%v), expected %q", from, names(got), err, want)
		}
	}
	s.Between = [][]float64{{.9, .1}, {.2, .3}, {.1, .1}}
	if got, err := s.Steps(0); err != nil || names(got)[3] != "between pairs: 0.0" {
		t.Errorf("in RMTS the steps are %q (%v)", names(got), err)
	}
	for want, call := range map[string]func() ([]Step, error){
		"no scores to choose heads by": func() ([]Step, error) { return (*Scores)(nil).Steps(0) },
		"block 3 on, expected 0 to 2":  func() ([]Step, error) { return s.Steps(3) },
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}

// headsAt returns the heads of pairs of block and head.
func headsAt(pairs ...int) []Head {
	var heads []Head
	for i := 0; i < len(pairs); i += 2 {
		heads = append(heads, Head{Block: pairs[i], Head: pairs[i+1]})
	}
	return heads
}
