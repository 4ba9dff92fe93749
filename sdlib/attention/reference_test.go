package attention

import (
	"context"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// This file computes the scores a second time, in plain Go from the full attention
// maps, with sets of tokens instead of indicator matrices. Where the patches begin it takes
// from the sizes of the maps and of the image, not from the model's configuration.

type tokens map[int]bool

// tokensOf returns the tokens of some objects, behind a number of tokens in front of the patches.
func tokensOf(front int, objects ...stimuli.Object) tokens {
	set := tokens{}
	for _, o := range objects {
		for _, p := range o.Tokens {
			set[front+p] = true
		}
	}
	return set
}

// mass is the package documentation's mass(o → X) for one head's attention A [T][T].
func mass(A [][]float64, rows tokens, to func(token int) bool) float64 {
	sum := 0.0
	for q := range rows {
		for k, a := range A[q] {
			if to(k) {
				sum += a
			}
		}
	}
	return sum / float64(len(rows))
}

// plain returns the measures of one head on one image of so many patches, in the order of summarize.
func plain(A [][]float64, s stimuli.Stimulus, patches int) []float64 {
	v := make([]float64, measures)
	for _, group := range []int{0, firstPair, secondPair} {
		v[group+within] = 1
	}
	front := len(A) - patches
	anyObject := tokensOf(front, s.Objects...)
	groups := func(i int) []int { // where the measures begin that object i counts in
		begin := []int{0}
		for p, pair := range s.Pairs[:min(2, len(s.Pairs))] {
			if i == pair.First || i == pair.Second {
				begin = append(begin, []int{firstPair, secondPair}[p])
			}
		}
		return begin
	}
	toOthers := make([]float64, len(s.Objects))
	for i, o := range s.Objects {
		mine := tokensOf(front, o)
		partners := tokens{}
		for _, p := range s.Pairs {
			if p.First == i || p.Second == i {
				for t := range tokensOf(front, s.Objects[p.First], s.Objects[p.Second]) {
					partners[t] = true
				}
			}
		}
		toFront := mass(A, mine, func(k int) bool { return k < front })
		toOwn := mass(A, mine, func(k int) bool { return mine[k] })
		toPartner := mass(A, mine, func(k int) bool { return partners[k] && !mine[k] })
		toOthers[i] = mass(A, mine, func(k int) bool { return anyObject[k] && !mine[k] && !partners[k] })
		toGround := mass(A, mine, func(k int) bool { return k >= front && !anyObject[k] })
		toElsewhere := mass(A, mine, func(k int) bool { return k >= front && !mine[k] })

		for _, group := range groups(i) {
			v[group+local] = max(v[group+local], toElsewhere)
			v[group+within] = min(v[group+within], toOwn)
			v[group+pair] = max(v[group+pair], toPartner)
			v[group+ground] = max(v[group+ground], toGround)
		}
		for x, share := range []float64{toFront, toOwn, toPartner, toOthers[i], toGround} {
			v[shares+x] += share / float64(len(s.Objects))
		}
	}
	for i, p := range s.Pairs[:min(2, len(s.Pairs))] {
		mean := (toOthers[p.First] + toOthers[p.Second]) / 2
		v[[]int{firstPair, secondPair}[i]+between] = mean
		v[between] = max(v[between], mean)
	}
	return v
}

// attentionOf returns the attention of every head on some images, [L] of [B, H, T, T], and T.
func attentionOf(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int) (blocks [][]float32, T int) {
	t.Helper()
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		_, trace := vit.Forward(m.Config, w, in[0], vit.Want("block*/attn/weights"))
		return trace.All()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	pixels, err := m.Config.Images(set.Images(images))
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(m, pixels)
	if err != nil {
		t.Fatal(err)
	}
	for _, A := range out {
		blocks = append(blocks, tensors.MustCopyFlatData[float32](A))
	}
	return blocks, out[0].Shape().Dim(3)
}

// plainScores is Analyze in plain Go.
func plainScores(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int) *Scores {
	t.Helper()
	L, H := m.Config.Blocks, m.Config.Heads
	p := newPerImage(m.Config, set, images)
	blocks, T := attentionOf(t, be, m, set, images)
	for l, flat := range blocks {
		for i, image := range images {
			for h := range H {
				A := make([][]float64, T)
				for q := range A {
					for k := range T {
						A[q] = append(A[q], float64(flat[((i*H+h)*T+q)*T+k]))
					}
				}
				for x, v := range plain(A, set.Stimulus(image), set.Geometry().Patches()) {
					p.values[((i*measures+x)*L+l)*H+h] = v
				}
			}
		}
	}
	s, err := p.Scores(Resamples, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// smallConfig is a model for the course geometry (64 pixels, patches of 8) or the quick one (patches of 16).
func smallConfig(g stimuli.Geometry) vit.Config {
	c := vit.Course
	c.Image, c.Patch, c.Width, c.Blocks, c.Heads, c.MLP = g.Image, g.Patch, 24, 2, 3, 48
	return c
}

// sharp returns a random model whose queries and keys are large enough for heads to
// differ: with the usual start every weight is near 1/T.
func sharp(t *testing.T, c vit.Config) *vit.Model {
	t.Helper()
	return fixture.Sharpened(fixture.Model(t, c, 7), 25)
}

func scale(w *tensors.Tensor, by float32) {
	tensors.MustMutableFlatData(w, func(flat []float32) {
		for i := range flat {
			flat[i] *= by
		}
	})
}

// The tests run on the best backend there is and on the pure Go one.
func backends(t *testing.T) map[string]*backend.Backend {
	t.Helper()
	all := map[string]*backend.Backend{}
	for _, name := range []string{"", backend.Go} {
		be := fixture.Backend(t, name)
		all[be.Choice] = be
	}
	return all
}

// matrices lists all matrices of some scores with their names.
func matrices(s *Scores) map[string][][]float64 {
	all := map[string][][]float64{
		"share cls": s.Shares.CLS, "share own": s.Shares.Own, "share partner": s.Shares.Partner,
		"share others": s.Shares.Others, "share background": s.Shares.Background,
	}
	add := func(name string, m Measures) {
		for i, field := range m.fields() {
			all[name+" "+measureNames[i]] = *field
		}
	}
	add("original", s.Original)
	add("", s.Measures)
	for name, p := range map[string]*Part{"same": s.Same, "different": s.Different, "sample": s.Sample, "display": s.Display} {
		if p != nil {
			add(name, p.Measures)
			add(name+", low", p.Interval.Low)
			add(name+", high", p.Interval.High)
		}
	}
	add("low", s.Interval.Low)
	add("high", s.Interval.High)
	return all
}

// compare fails where two scores differ by more than tolerance.
func compare(t *testing.T, got, want *Scores, tolerance float64) {
	t.Helper()
	expected := matrices(want)
	for name, g := range matrices(got) {
		w := expected[name]
		if len(g) != len(w) {
			t.Errorf("%s has %d blocks, expected %d", name, len(g), len(w))
			continue
		}
		for l := range g {
			for h := range g[l] {
				if math.Abs(g[l][h]-w[l][h]) > tolerance {
					t.Errorf("%s of block %d, head %d is %.8f, expected %.8f", name, l, h, g[l][h], w[l][h])
				}
			}
		}
	}
}

// Analyze agrees with the plain computation, on every backend, for every kind of set:
// two objects, RMTS, and three objects off the grid, which cover a varying number of patches and may share some.
func TestAnalyzeAgainstPlainGo(t *testing.T) {
	sets := map[string]stimuli.Config{
		"discrimination": {Geometry: stimuli.Course, Size: 12},
		"one token":      {Geometry: stimuli.CourseQuick, Size: 12},
		"rmts":           {Geometry: stimuli.Course, Task: stimuli.RMTS, Size: 12},
		"off the grid":   {Geometry: stimuli.Course, Size: 12, Factors: stimuli.Factors{OffGrid: true, Count: 3}},
	}
	images := []int{11, 0, 3, 4, 8}
	for name, c := range sets {
		c.Seed = 3
		set := fixture.Set(t, c)
		for choice, be := range backends(t) {
			if be.IsXLA() && c.Task != stimuli.RMTS && !c.Factors.OffGrid {
				continue // XLA takes seconds to compile a model; the two sets that are hardest will do
			}
			t.Run(name+"/"+choice, func(t *testing.T) {
				m := sharp(t, smallConfig(set.Geometry())) // weights belong to the backend that used them first
				want := plainScores(t, be, m, set, images)
				got, err := Analyze(context.Background(), be, m, set, images, nil)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, got, want, 2e-6) // float32 sums of up to 65 weights
			})
		}
	}
}

// What reducer makes of an attention pattern drawn by hand, on images of 2 x 2 patches.
func TestPatternByHand(t *testing.T) {
	one := func(patches ...int) stimuli.Object { return stimuli.Object{Tokens: patches} }
	s := stimuli.Stimulus{Objects: []stimuli.Object{one(0), one(3)}, Pairs: []stimuli.Pair{{First: 0, Second: 1}}}
	uniform := []float32{.2, .2, .2, .2, .2}
	A := [][]float32{ // rows and columns: CLS, patches 0 to 3
		uniform,
		{.1, .6, .05, .05, .2}, // object 1: .1 to CLS, .6 to itself, .1 to the background, .2 to object 2
		uniform,
		uniform,
		{0, .5, .25, .05, .2}, // object 2: .2 to itself, .3 to the background, .5 to object 1
	}
	const T, O = 5, 2
	places, members := make([]int32, O*T), make([]float32, pairs*O)
	if err := regions(s, places, members, T, 1); err != nil {
		t.Fatal(err)
	}
	for choice, be := range backends(t) {
		out, err := CallOnce(be.Engine, func(in []*Node) *Node {
			r := newReducer(in[0], in[1])
			return r.summarize(Stack([]*Node{Mass(in[2], r.rows, r.seen)}, 0))
		}, tensors.FromFlatDataAndDimensions(places, 1, O, T), tensors.FromFlatDataAndDimensions(members, 1, pairs, O), [][][][]float32{{A}})
		if err != nil {
			t.Fatal(err)
		}
		got := tensors.MustCopyFlatData[float64](out)
		want := []float64{
			local:               .8, // object 2: 1 - .2
			within:              .2,
			pair:                .5,
			ground:              .3,
			between:             0,
			firstPair + local:   .8, // of the only pair
			firstPair + within:  .2,
			firstPair + pair:    .5,
			firstPair + ground:  .3,
			firstPair + between: 0,
			secondPair + within: 1, // of no objects

			shares + cls:        .05,
			shares + own:        .4,
			shares + partner:    .35,
			shares + others:     0,
			shares + background: .2,
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-6 {
				t.Errorf("%s: measure %d is %v, expected %v", choice, i, got[i], want[i])
			}
		}
	}
}
