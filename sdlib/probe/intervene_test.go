package probe

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model of a family with three blocks, all of whose weights are random.
func small(t *testing.T, f vit.Family) *vit.Model {
	t.Helper()
	c := fixture.Small(f, stimuli.Course)
	c.Blocks = 3
	return fixture.Shaken(fixture.Model(t, c, 1))
}

func testSet(t *testing.T, task stimuli.Task) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Task: task, Geometry: stimuli.Course, Size: 24, Seed: 1})
}

// anyDirections returns directions that mean nothing.
func anyDirections(F int) Directions {
	rng := rand.New(rand.NewPCG(5, 6))
	d := Directions{Place: "test", Vectors: map[Direction][2][]float32{}}
	for _, name := range AllDirections {
		var both [2][]float32
		for r := range both {
			for range F {
				both[r] = append(both[r], float32(rng.NormFloat64()))
			}
		}
		d.Vectors[name] = both
	}
	return d
}

// collect computes an intervention's logits, by item, pair and variant.
func collect(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, v Intervention) map[[3]int][]float32 {
	t.Helper()
	s := &steering{be: be, m: m, set: set, images: indices(set.Len()), P: set.TokensPerObject(), Q: len(set.Stimulus(0).Pairs)}
	if err := s.check(v); err != nil {
		t.Fatal(err)
	}
	all := map[[3]int][]float32{}
	err := s.logits(t.Context(), v, func(item, q, k int, logits []float32) {
		all[[3]int{item, q, k}] = slices.Clone(logits)
	}, progress.New("", "", 0, nil))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// All variants of all pairs in one pass are what editing a single image by hand gives.
func TestInterventionEqualsByHand(t *testing.T) {
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		families := []vit.Family{vit.ViT, vit.CLIP, vit.DINOv2}
		if be.IsXLA() {
			families = families[:1] // compiling takes seconds
		}
		for _, f := range families {
			m, set := small(t, f), testSet(t, stimuli.RMTS)
			c, d := m.Config, anyDirections(8*16)
			v := Intervention{Block: 1, Add: d, Directions: []Direction{Opposite, Means}, Alphas: []float64{-1, 0, .5}}
			got := collect(t, be, m, set, v)
			if len(got) != 24*2*6 {
				t.Fatalf("%d answers, expected 24 images of 2 pairs in 6 variants", len(got))
			}
			stream, err := vit.Compile(be, c, func(w *vit.Weights[*Node], in []*Node) []*Node {
				logits, trace := vit.Forward(c, w, in[0], vit.Want("block01/resid_post"))
				return []*Node{trace.Get("block01/resid_post"), logits}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			above, err := vit.Compile(be, c, func(w *vit.Weights[*Node], in []*Node) []*Node {
				logits, _ := vit.ForwardFrom(c, w, 1, in[0])
				return []*Node{logits}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer above.Close()
			worst := 0.
			for _, item := range []int{0, 5, 23} {
				pixels, err := c.Images(set.Images([]int{item}))
				if err != nil {
					t.Fatal(err)
				}
				out, err := stream.Run(m, pixels)
				if err != nil {
					t.Fatal(err)
				}
				clean := tensors.MustCopyFlatData[float32](out[0])
				s := set.Stimulus(item)
				for q, pair := range s.Pairs {
					for k := range 6 {
						direction, α := v.Directions[k/3], v.Alphas[k%3]
						x := slices.Clone(clean)
						vector := d.Vectors[direction][pair.Label]
						for slot, patch := range append(slices.Clone(s.Objects[pair.First].Tokens), s.Objects[pair.Second].Tokens...) {
							for j := range c.Width {
								x[(c.Prefix()+patch)*c.Width+j] += float32(α) * vector[slot*c.Width+j]
							}
						}
						out, err := above.Run(m, tensors.FromFlatDataAndDimensions(x, 1, c.Tokens(), c.Width))
						if err != nil {
							t.Fatal(err)
						}
						for i, want := range tensors.MustCopyFlatData[float32](out[0]) {
							worst = max(worst, math.Abs(float64(want-got[[3]int{item, q, k}][i])))
						}
					}
				}
			}
			if worst > 2e-5 {
				t.Errorf("%s: logits differ by %g from those of one image edited by hand", f, worst)
			}
			t.Logf("%s: equal to %.1e", f, worst)
		}
	})
}

// With α = 0 every answer is the model's own: bit for bit what the same program computes when
// there is nothing to add, and up to rounding what the model computes by itself in batches of
// another shape.
func TestAlphaZeroIsBase(t *testing.T) {
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		m, set := small(t, vit.ViT), testSet(t, stimuli.RMTS)
		base := &steering{be: be, m: m, set: set, images: indices(set.Len()), P: 4, Q: 2}
		if err := base.answers(t.Context(), progress.New("", "", 0, nil)); err != nil {
			t.Fatal(err)
		}
		nothing := anyDirections(8 * 16)
		for name := range nothing.Vectors {
			nothing.Vectors[name] = [2][]float32{make([]float32, 8*16), make([]float32, 8*16)}
		}
		for block := range m.Config.Blocks {
			v := Intervention{Block: block, Add: anyDirections(8 * 16), Directions: AllDirections, Alphas: []float64{0, 7}}
			got := collect(t, be, m, set, v)
			v.Add = nothing
			want := collect(t, be, m, set, v)
			changed := false
			for at, logits := range got {
				zero := at[2]%2 == 0
				if zero && !slices.Equal(logits, want[at]) {
					t.Fatalf("block %d, image %d, pair %d, variant %d: %v, expected %v", block, at[0], at[1], at[2], logits, want[at])
				}
				if zero && larger(logits) != base.own[at[0]] {
					t.Errorf("block %d, image %d: the answer is %v with nothing added, the model's own %d", block, at[0], logits, base.own[at[0]])
				}
				changed = changed || !zero && math.Abs(float64(logits[0]-want[at][0])) > 1e-3
			}
			if changed == Derivable(m.Config, block) {
				t.Errorf("block %d: α = 7 changes logits: %v", block, changed)
			}
		}
	})
}

// What is added after the last block changes nothing where the head reads CLS, and something
// where it reads patches.
func TestLastBlock(t *testing.T) {
	be := fixture.Go(t)
	for f, changes := range map[vit.Family]bool{vit.ViT: false, vit.CLIP: false, vit.DINOv2: true} {
		m, set := small(t, f), testSet(t, stimuli.RMTS)
		last := m.Config.Blocks - 1
		v := Intervention{Block: last, Add: anyDirections(8 * 16), Directions: []Direction{Opposite}, Alphas: []float64{0, 5}}
		all := collect(t, be, m, set, v)
		changed := false
		for at, logits := range all {
			changed = changed || !slices.Equal(logits, all[[3]int{at[0], at[1], 0}])
		}
		if changed != changes {
			t.Errorf("%s: the logits change: %v, expected %v", f, changed, changes)
		}
		if Derivable(m.Config, last) == changes || Derivable(m.Config, last-1) {
			t.Errorf("%s: the last block is derivable: %v, the one before %v", f, Derivable(m.Config, last), Derivable(m.Config, last-1))
		}
		effects, err := Intervene(t.Context(), be, m, set, nil, []Intervention{v}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(effects) != 3 || effects[2].Derived == changes || effects[1].Flipped(nil) != effects[0].Flipped(nil) {
			t.Errorf("%s: effects %+v", f, effects)
		}
	}
}

// undecided moves the bias of a model's head so that it gives both answers on a set.
func undecided(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set) {
	t.Helper()
	var differences []float32
	for _, logits := range collect(t, be, m, set, Intervention{Add: anyDirections(8 * 16), Directions: AllDirections[:1], Alphas: []float64{0}}) {
		differences = append(differences, logits[1]-logits[0])
	}
	slices.Sort(differences)
	n := len(differences)
	tensors.MustMutableFlatData(m.Weights.Head.B, func(b []float32) { b[0] += (differences[n/2-1] + differences[n/2]) / 2 })
}

// Effects count every pair of every image once, and their parts add up.
func TestEffectsAddUp(t *testing.T) {
	be := fixture.Go(t)
	for task, pairs := range map[stimuli.Task][]string{stimuli.RMTS: {"sample", "display"}, stimuli.Discrimination: {"pair"}} {
		m, set := small(t, vit.ViT), testSet(t, task)
		undecided(t, be, m, set)
		effects, err := Intervene(t.Context(), be, m, set, nil, []Intervention{
			{Block: 0, Add: anyDirections(8 * 16), Alphas: []float64{0, 9}},
			{Block: 1, Add: anyDirections(8 * 16), Alphas: []float64{9}, Directions: []Direction{Present}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(effects) != 1+8+1 {
			t.Fatalf("%d effects, expected the floor, 4 directions by 2 factors, and 1", len(effects))
		}
		for _, e := range effects {
			n, changed := 0, 0
			for _, pair := range pairs {
				n += e.Flipped(func(c Cell) bool { return c.Pair == pair }).N
			}
			for _, c := range e.Cells {
				changed += c.Changed
				if (c.Other == -1) != (task == stimuli.Discrimination) {
					t.Errorf("%s: a cell says that the other pair is %d", task, c.Other)
				}
			}
			if n != 24*len(pairs) || e.Flipped(nil).N != n {
				t.Errorf("%s: %d answers in %+v, expected one for each of %d pairs of 24 images", task, n, e, len(pairs))
			}
			if (e.Alpha == 0) != (changed == 0) {
				t.Errorf("%s: α %g of %s after block %d changed %d answers", task, e.Alpha, e.Direction, e.Block, changed)
			}
		}
	}
}

func TestInterventionRefusals(t *testing.T) {
	be, m, set := fixture.Go(t), small(t, vit.ViT), testSet(t, stimuli.RMTS)
	d := anyDirections(8 * 16)
	for want, v := range map[string]Intervention{
		"no block 3":                    {Block: 3, Add: d, Alphas: []float64{1}},
		"without factors":               {Block: 1, Add: d},
		"α is NaN":                      {Block: 1, Add: d, Alphas: []float64{math.NaN()}},
		"expected 128: the 8 tokens":    {Block: 1, Add: anyDirections(16), Alphas: []float64{1}},
		`direction "up" of block 1 has`: {Block: 1, Add: d, Directions: []Direction{"up"}, Alphas: []float64{1}},
	} {
		_, err := Intervene(t.Context(), be, m, set, nil, []Intervention{v}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// Directions are the probe's rows, and their lengths and angles are as defined.
func TestDirections(t *testing.T) {
	p := Probe{Place: "a", Weight: []float32{3, 0, 0, 4}, Bias: []float32{0, 0}} // rows (3, 0) of different, (0, 4) of same
	items := answered([]int{0, 1, 0, 1}, 2)
	items.Target = Relation
	x := Matrix{[]float32{0, 0, 1, 2, 2, 0, 1, 4}, 2} // means (1, 0) and (1, 3)
	d, err := NewDirections(p, x, items, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[Direction][2][]float32{
		Opposite: {{0, 4}, {3, 0}}, Present: {{3, 0}, {0, 4}}, Means: {{0, 3}, {0, -3}},
	} {
		for r := range want {
			if !slices.Equal(d.Vectors[name][r], want[r]) {
				t.Errorf("%s of relation %d is %v, expected %v", name, r, d.Vectors[name][r], want[r])
			}
		}
	}
	for r, want := range []float64{4, 3} {
		if got := norm(d.Vectors[Random][r]); math.Abs(got-want) > 1e-6 {
			t.Errorf("a random direction of length %g, expected %g as of the opposite relation", got, want)
		}
	}
	g, err := Measure([]Probe{p}, []Place{{"a", x}}, items)
	if err != nil {
		t.Fatal(err)
	}
	at := g.Places[0]
	stream := (0 + math.Sqrt(5) + 2 + math.Sqrt(17)) / 4
	for name, pair := range map[string][2]float64{
		"row of different": {at.Different, 3}, "row of same": {at.Same, 4}, "cosine of rows": {at.RowCosine, 0}, "stream": {at.Stream, stream},
		"means": {at.Means, 3}, "cosine with means": {at.MeansCosine, .8}, "separation": {at.Separation, 2 * 12. / 25}, "cosine with itself": {g.Cosine[0][0], 1},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-6 {
			t.Errorf("%s is %g, expected %g", name, pair[0], pair[1])
		}
	}
	items.Target = Shape
	if _, err := NewDirections(p, x, items, 1); err == nil {
		t.Error("directions of a probe of shapes")
	}
}
