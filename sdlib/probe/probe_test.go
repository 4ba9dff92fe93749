package probe

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/stimuli"
)

// separable returns n items of two classes at some places, which a linear probe can tell apart
// the better the later the place.
func separable(n, F, places int, seed uint64) ([]Place, Items) {
	rng := rand.New(rand.NewPCG(seed, 1))
	y := make([]int, n)
	for i := range y {
		y[i] = i % 2
	}
	var all []Place
	for s := range places {
		x := make([]float32, n*F)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
			if i%F == 0 {
				x[i] += float32((2*y[i/F] - 1) * s)
			}
		}
		all = append(all, Place{string(rune('a' + s)), Matrix{x, F}})
	}
	return all, answered(y, 2)
}

// Probes at all places in one graph are those that each place has alone.
func TestStackedEqualsAlone(t *testing.T) {
	be := fixture.Go(t)
	places, items := separable(192, 10, 4, 1)
	together, err := Train(t.Context(), be, places, items, Paper, "test", optimize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.
	for s, place := range places {
		alone, err := Train(t.Context(), be, []Place{place}, items, Paper, "test", optimize.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range alone[0].Weight {
			worst = max(worst, math.Abs(float64(v-together[s].Weight[i])))
		}
		for i, v := range alone[0].Bias {
			worst = max(worst, math.Abs(float64(v-together[s].Bias[i])))
		}
	}
	if worst > 1e-5 {
		t.Errorf("weights in a stack differ by %g from those alone", worst)
	}
	t.Logf("stacked and alone agree to %.1e", worst)
}

// Both probes find what is there, and nothing in noise.
func TestFindsWhatIsThere(t *testing.T) {
	places, items := separable(400, 10, 3, 1)
	tests, again := separable(400, 10, 3, 2)
	trained, err := Train(t.Context(), fixture.Go(t), places, items, Paper, "test", optimize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for s, place := range places {
		fitted, err := Fit(t.Context(), place, items, 1e-3)
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range map[string]Probe{"trained": trained[s], "fitted": fitted} {
			scores, err := p.Score(tests[s].Features, again)
			if err != nil {
				t.Fatal(err)
			}
			best := .5 * math.Erfc(-float64(s)/math.Sqrt2) // Φ(distance): what the best probe gets
			low, high := scores.All.Interval()
			if best < low-.03 || best > high+.01 { // a probe of 400 items is not quite the best
				t.Errorf("%s, place %s: %d of %d right, expected about %.3f", name, place.Name, scores.All.Correct, scores.All.N, best)
			}
		}
	}
	noise := Place{"noise", Noise{N: 400, F: 10, Seed: 1}}
	p, err := Fit(t.Context(), noise, items, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := p.Score(Noise{N: 400, F: 10, Seed: 2}, again)
	if err != nil {
		t.Fatal(err)
	}
	if low, high := scores.All.Interval(); low > .5 || high < .5 {
		t.Errorf("noise: %d of %d right, expected chance", scores.All.Correct, scores.All.N)
	}
}

// What cannot be trained is refused before anything is computed.
func TestRefusals(t *testing.T) {
	places, items := separable(40, 10, 2, 1)
	one := answered(make([]int, 40), 2)
	nan := []Place{{"block01/resid_post", Matrix{slices.Clone(places[0].Features.(Matrix).X), 10}}}
	nan[0].Features.(Matrix).X[37] = float32(math.NaN())
	short, fewer := separable(8, 10, 1, 1)
	train := func(p []Place, s Items) error {
		_, err := Train(t.Context(), fixture.Go(t), p, s, Paper, nil, optimize.Options{})
		return err
	}
	fit := func(p Place, s Items, λ float64) error {
		_, err := Fit(t.Context(), p, s, λ)
		return err
	}
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 24, Seed: 1})
	items4 := func(target Target, pairs string) error {
		_, err := NewItems(set, []int{0, 1, 2}, target, pairs, 1)
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"one class":              {train(places, one), "all 40 items have the same answer, 0"},
		"one class, fitted":      {fit(places[0], one, 1), "all 40 items have the same answer, 0"},
		"NaN":                    {train(nan, items), "number 7 of item 3 at block01/resid_post is NaN"},
		"NaN, fitted":            {fit(nan[0], items, 1), "number 7 of item 3 at block01/resid_post is NaN"},
		"few items":              {fit(short[0], fewer, 0), "8 items of 10 numbers without a penalty"},
		"negative penalty":       {fit(places[0], items, -1), "the penalty is -1"},
		"pairs of RMTS":          {items4(Relation, "display"), `no image has a pair "display"`},
		"pairs of objects":       {items4(Shape, "display"), "shape is not asked of pairs"},
		"one token":              {items4(SameObject, ""), "a single token"},
		"unknown target":         {items4("size", ""), "expected one of relation, shape, color, same-object"},
		"other number of items":  {train(places, fewer), "expected 8 of 10"},
		"batch larger than data": {train(short, fewer), "batches of 64 rows"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, c.err, c.want)
		}
	}
}

// Held-out halves share no shape (color), and keep both answers equally often.
func TestParts(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.Course, Size: 400, Seed: 1})
	all, err := NewItems(set, indices(set.Len()), Relation, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(all.All) != 800 || all.Slots != 8 || all.All[0].Pair != "sample" || all.All[1].Pair != "display" {
		t.Fatalf("%d items of %d tokens, the first of %q: expected both pairs of 400 images", len(all.All), all.Slots, all.All[0].Pair)
	}
	for _, h := range HeldOuts[1:] {
		seen, err := all.Part(h, false, 1)
		if err != nil {
			t.Fatal(err)
		}
		held, err := all.Part(h, true, 1)
		if err != nil {
			t.Fatal(err)
		}
		shapes, colors := map[int]bool{}, map[int]bool{}
		for _, i := range seen.All {
			for k := range i.Shapes {
				shapes[i.Shapes[k]], colors[i.Colors[k]] = true, true
			}
		}
		var classes [2]int
		for _, i := range held.All {
			classes[i.Class]++
			for k := range i.Shapes {
				if h != HalfColors && shapes[i.Shapes[k]] || h != HalfShapes && colors[i.Colors[k]] {
					t.Fatalf("%s: shape %d or color %d is in both parts", h, i.Shapes[k], i.Colors[k])
				}
			}
		}
		if classes[0] != classes[1] || classes[0] == 0 {
			t.Errorf("%s: %v items of the answers, expected as many of both", h, classes)
		}
	}
	objects, err := NewItems(set, indices(set.Len()), Shape, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := objects.Part(HalfShapes, true, 1); err == nil || !strings.Contains(err.Error(), "cannot name what it never saw") {
		t.Errorf("shapes held out of a probe of shapes: %v", err)
	}
	tokens, err := NewItems(set, indices(set.Len()), SameObject, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range tokens.All {
		if same := i.Slots[0]/4 == i.Slots[1]/4; same != (i.Class == 1) || i.Slots[0] == i.Slots[1] {
			t.Fatalf("tokens %d have the answer %d", i.Slots, i.Class)
		}
	}
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// A file gives back the probes that were saved.
func TestFile(t *testing.T) {
	path := t.TempDir() + "/probes.safetensors"
	want := []Probe{{"block00/resid_post", []float32{1, 2, 3, 4, 5, 6}, []float32{7, 8}}, {"embed", []float32{1, 2}, []float32{3, 4}}}
	if err := Save(path, want, nil); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range want {
		if got[i].Place != p.Place || !slices.Equal(got[i].Weight, p.Weight) || !slices.Equal(got[i].Bias, p.Bias) {
			t.Errorf("%+v, saved was %+v", got[i], p)
		}
	}
	if _, err := Load("testdata/sklearn.safetensors"); err == nil {
		t.Error("a file of other tensors was read as probes")
	}
}
