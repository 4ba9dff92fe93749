package patch

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model for the quick course geometry.
func small() vit.Config {
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 12, 2, 3, 24
	return c
}

func experiment(t *testing.T, be *backend.Backend, c vit.Config, task stimuli.Task, n int) *Experiment {
	t.Helper()
	m := fixture.Model(t, c, 3)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Task: task, Size: n, Seed: 2})
	e, err := NewExperiment(be, m, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// An intervention that changes nothing leaves every answer as it is, bit for bit.
func TestNothing(t *testing.T) {
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		e := experiment(t, be, small(), stimuli.Discrimination, 12)
		p, err := vit.Compile(be, e.m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
			logits, _ := vit.Forward(e.m.Config, w, in[0], vit.LogitsOnly())
			whole, _ := vit.Forward(e.m.Config, w, in[0])
			return []*Node{margin(logits), margin(whole)}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		items := make([]int, 16) // a batch of the size that the experiment takes: in others XLA rounds otherwise
		for i := range items {
			items[i] = min(i, 11)
		}
		pixels, err := e.m.Config.Images(e.set.Images(items))
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(e.m, pixels)
		if err != nil {
			t.Fatal(err)
		}
		short, whole := Answers(tensors.MustCopyFlatData[float32](out[0])[:12]), Answers(tensors.MustCopyFlatData[float32](out[1])[:12])
		for name, ask := range map[string]func() (Answers, error){
			"base":                  func() (Answers, error) { return e.Base(t.Context(), nil) },
			"mean":                  func() (Answers, error) { return e.KnockOut(t.Context(), KnockOut{By: Mean}, nil) },
			"resample":              func() (Answers, error) { return e.KnockOut(t.Context(), KnockOut{By: Resample}, nil) },
			"cut":                   func() (Answers, error) { return e.Cut(t.Context(), Cut{}, nil) },
			"cut after the softmax": func() (Answers, error) { return e.Cut(t.Context(), Cut{AfterSoftmax: true}, nil) },
		} {
			got, err := ask()
			if err != nil {
				t.Fatal(err)
			}
			want := whole // an edit makes the last block compute all tokens
			if name == "base" {
				want = short
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s of nothing changes the answers: %v, expected %v", name, got, want)
			}
		}
	})
}

// A sweep over all heads compiles once, as does one over edges and blocks.
func TestSweepCompilesOnce(t *testing.T) {
	be := fixture.Go(t)
	c := small()
	c.Blocks, c.Heads = 12, 12
	e := experiment(t, be, c, stimuli.Discrimination, 4)
	before := runner.Compiled()
	seen := map[float32]bool{}
	for l := range c.Blocks {
		for h := range c.Heads {
			a, err := e.KnockOut(t.Context(), KnockOut{Heads: []vit.Head{head(l, h)}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			seen[a[0]] = true
		}
	}
	if n := runner.Compiled() - before; n != 1 {
		t.Errorf("a sweep over 144 heads compiled %d times, expected once", n)
	}
	if len(seen) < 140 {
		t.Errorf("144 heads give %d different answers to an image", len(seen))
	}
	before = runner.Compiled()
	for _, edge := range Edges(stimuli.Discrimination) {
		for l := range c.Blocks {
			if _, err := e.Cut(t.Context(), Cut{Edges: []Edge{edge}, Blocks: Blocks{l, l}}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := runner.Compiled() - before; n != 1 {
		t.Errorf("a sweep over edges and blocks compiled %d times, expected once", n)
	}
}

// Every edge is found in an image of its task, and the edges of a task are disjoint.
func TestEdgesAreDisjoint(t *testing.T) {
	c := small()
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Task: task, Size: 8})
		T, total := c.Tokens(), 0
		union := make([]uint8, T*T)
		for _, edge := range append(Edges(task), Edge{CLS, CLS}) {
			cut := make([]uint8, T*T)
			if err := edge.mark(c, set.Stimulus(0), cut); err != nil {
				t.Errorf("%s: %v", task, err)
			}
			for i, v := range cut {
				union[i] |= v
				total += int(v)
			}
		}
		if all := slices.Repeat([]uint8{1}, T*T); !slices.Equal(union, all) || total != T*T {
			t.Errorf("the edges of %s join %d pairs of tokens, expected each of the %d once", task, total, T*T)
		}
	}
}

func TestCompare(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 8, Seed: 1})
	images := []int{0, 1, 2, 3} // same, different, same, different
	effects, err := Compare(set, images, Answers{2, -1, -3, 4}, Answers{-2, -1, 1, -4})
	if err != nil {
		t.Fatal(err)
	}
	want := Effect{Kind: All, Base: finetune.Score{N: 4, Correct: 2}, With: finetune.Score{N: 4, Correct: 3}, Lost: 1, Won: 2, BaseMargin: -1, WithMargin: 1}
	if effects[0] != want {
		t.Errorf("over all images %+v, expected %+v", effects[0], want)
	}
	same := Effect{Kind: "same", Base: finetune.Score{N: 2, Correct: 1}, With: finetune.Score{N: 2, Correct: 1}, Lost: 1, Won: 1, BaseMargin: -.5, WithMargin: -.5}
	if effects[1] != same {
		t.Errorf("on same pairs %+v, expected %+v", effects[1], same)
	}
	n := 0
	for _, e := range effects[1:] {
		n += e.Base.N
	}
	if n != 4 {
		t.Errorf("the kinds have %d images, expected 4", n)
	}
	if _, err := Compare(set, images, Answers{1}, Answers{1, 2, 3, 4}); err == nil {
		t.Error("answers to other images than these: expected an error")
	}

	rmts := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Task: stimuli.RMTS, Size: 4, Seed: 1})
	effects, err = Compare(rmts, images, Answers{1, 1, 1, 1}, Answers{1, 1, 1, 1})
	if err != nil || len(effects) != 5 {
		t.Errorf("RMTS has the kinds %+v, %v; expected all, and one for each of the two relations of two pairs", effects, err)
	}
}

func TestPaired(t *testing.T) {
	of := func(n, lost, won int) Effect { return Effect{Base: finetune.Score{N: n}, Lost: lost, Won: won} }
	// Two of 50 lost, none won: by hand, l = 3/52, w = 1/52, and 1.95996 √((4/52 - (2/52)²)/52) = .0746.
	change, low, high := of(50, 2, 0).Change()
	if math.Abs(change+.04) > 1e-12 || math.Abs(low+.11310) > 1e-4 || math.Abs(high-.03618) > 1e-4 {
		t.Errorf("2 of 50 lost: %.5f, %.5f to %.5f; expected -.04, -.11310 to .03618", change, low, high)
	}
	// Binomial tails: 2·P(X ≤ 1), 10 trials = 2·11/1024; 2·P(X = 0), 5 trials = 1/16.
	for _, c := range []struct {
		lost, won int
		want      float64
	}{{9, 1, 22. / 1024}, {1, 9, 22. / 1024}, {5, 0, 1. / 16}, {3, 3, 1}, {0, 0, 1}} {
		if p := of(100, c.lost, c.won).P(); math.Abs(p-c.want) > 1e-12 {
			t.Errorf("lost %d, won %d: p = %.6f, expected %.6f", c.lost, c.won, p, c.want)
		}
	}
	// The interval holds the true change about 95 times of 100.
	rng, covered := rand.New(rand.NewPCG(1, 2)), 0
	const trials, n, pLost, pWon = 4000, 200, .08, .02
	for range trials {
		lost, won := 0, 0
		for range n {
			switch u := rng.Float64(); {
			case u < pLost:
				lost++
			case u < pLost+pWon:
				won++
			}
		}
		if _, low, high := of(n, lost, won).Change(); low <= pWon-pLost && pWon-pLost <= high {
			covered++
		}
	}
	if share := float64(covered) / trials; share < .94 || share > .965 {
		t.Errorf("of intervals of 95 %%, %.1f %% hold the truth", 100*share)
	}
}

func head(block, head int) vit.Head { return vit.Head{Block: block, Head: head} }

func TestChoose(t *testing.T) {
	c := small()
	s := &attention.Scores{Task: stimuli.Discrimination, Measures: attention.Measures{
		Local: [][]float64{{.5, .1, .9}, {.2, .8, .7}}, Pair: [][]float64{{.1, .2, .3}, {.6, .5, .4}}}}
	for by, want := range map[Choice][]vit.Head{Local: {head(0, 1), head(1, 0)}, Pair: {head(1, 0), head(1, 1)}} {
		if got, err := Top(s, by, 2); err != nil || !slices.Equal(got, want) {
			t.Errorf("the two heads chosen by %s are %v, %v; expected %v", by, got, err, want)
		}
	}
	for _, bad := range []struct {
		by   Choice
		k    int
		says string
	}{{Between, 2, "one pair"}, {Local, 0, "1 to 6"}, {Local, 7, "1 to 6"}, {"loca", 2, `"loca"`}} {
		if _, err := Top(s, bad.by, bad.k); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%q, %d: %v, expected an error with %q", bad.by, bad.k, err, bad.says)
		}
	}
	if _, err := Top(nil, Local, 1); err == nil {
		t.Error("no scores: expected an error")
	}

	chosen := []vit.Head{head(0, 1), head(1, 0), head(1, 2)}
	drawn := map[string]bool{}
	for seed := range uint64(20) {
		got, err := Random(c, chosen, seed)
		if err != nil || len(got) != 3 || got[0].Block != 0 || got[0].Head == 1 || got[1].Block != 1 || got[2].Block != 1 || got[1] == got[2] {
			t.Fatalf("drawn %v, %v: expected another head than 1 of block 0, and two of block 1", got, err)
		}
		if !slices.Contains(got, head(1, 1)) {
			t.Errorf("drawn %v: expected the only head of block 1 that was not chosen among them", got)
		}
		again, err := Random(c, chosen, seed)
		if err != nil || !slices.Equal(got, again) {
			t.Errorf("the same seed draws %v and %v", got, again)
		}
		drawn[got[0].String()+got[1].String()+got[2].String()] = true
	}
	if len(drawn) != 4 {
		t.Errorf("20 draws gave %d different ones, expected all 4 there are", len(drawn))
	}
	if _, err := Random(c, []vit.Head{head(2, 0)}, 1); err == nil || !strings.Contains(err.Error(), "block 2") {
		t.Errorf("a head of block 2 of 2: %v", err)
	}
}

func TestErrors(t *testing.T) {
	be := fixture.Go(t)
	e := experiment(t, be, small(), stimuli.Discrimination, 4)
	one, err := NewExperiment(be, e.m, e.set, []int{2})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	other := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 4})
	three := small()
	three.Classes = 3
	classes := fixture.Model(t, three, 1)
	cut := func(edge Edge, b Blocks) func() error {
		return func() error { _, err := e.Cut(t.Context(), Cut{Edges: []Edge{edge}, Blocks: b}, nil); return err }
	}
	knock := func(e *Experiment, k KnockOut) func() error {
		return func() error { _, err := e.KnockOut(t.Context(), k, nil); return err }
	}
	begin := func(m *vit.Model, set *stimuli.Set, images []int) func() error {
		return func() error { _, err := NewExperiment(be, m, set, images); return err }
	}
	for _, c := range []struct {
		says string
		do   func() error
	}{
		{"no block 2, head 0", knock(e, KnockOut{Heads: []vit.Head{head(2, 0)}})},
		{"no block 0, head -1", knock(e, KnockOut{Heads: []vit.Head{head(0, -1)}, By: Mean})},
		{`"meen"`, knock(e, KnockOut{By: "meen"})},
		{"two images or more", knock(one, KnockOut{By: Resample})},
		{"within 0 to 1", cut(Edge{Objects, CLS}, Blocks{1, 2})},
		{"within 0 to 1", cut(Edge{Objects, CLS}, Blocks{1, 0})},
		{`"others"`, cut(Edge{Others, Objects}, Blocks{})},
		{`"display"`, cut(Edge{Display, CLS}, Blocks{})},
		{`"objekt"`, cut(Edge{"objekt", CLS}, Blocks{})},
		{"seen from an object", cut(Edge{Own, CLS}, Blocks{})},
		{"no images", begin(e.m, e.set, []int{})},
		{"no image 4", begin(e.m, e.set, []int{4})},
		{"same geometry", begin(e.m, other, nil)},
		{"3 classes", begin(classes, e.set, nil)},
		{"a model and a set", begin(nil, e.set, nil)},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, expected an error with %q", err, c.says)
		}
	}
	for _, bad := range []string{"", "objects", "objects>", ">CLS"} {
		if _, err := ParseEdge(bad); err == nil {
			t.Errorf("%q was read as an edge", bad)
		}
	}
	for _, good := range []string{"own>objects", "own → objects"} {
		if got, err := ParseEdge(good); err != nil || got != (Edge{Own, Objects}) {
			t.Errorf("%q is %v, %v", good, got, err)
		}
	}
	if _, err := Sliding(small(), 3); err == nil {
		t.Error("ranges of 3 blocks of 2: expected an error")
	}
	if got, err := Sliding(vit.B16, 3); err != nil || len(got) != 10 || got[9] != (Blocks{9, 11}) {
		t.Errorf("ranges of 3 of 12 blocks: %v, %v", got, err)
	}
}
