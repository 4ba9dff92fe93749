package finetune

import (
	"math"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// This file checks what reads the tokens of objects for a model of every family, with no,
// one, two or four tokens in front of the patches, and for objects that cover different
// numbers of patches.

// tiny returns a random model of a family for images of 64 pixels in patches of 16, whose
// queries and keys are large enough for attention to be uneven. DINOv2's positions are those
// of another grid.
func tiny(t *testing.T, f vit.Family) *vit.Model {
	t.Helper()
	c := fixture.Small(f, stimuli.CourseQuick)
	c.Width, c.MLP = 12, 24
	if f.Traits().LayerScale {
		c.PosGrid = 3
	}
	return fixture.Sharpened(fixture.Model(t, c, 7), 20)
}

// unevenSets are two sets in which P is 4 or more and some objects cover fewer patches: one
// drawn, and one of one's own images, of which one has a third object.
func unevenSets(t *testing.T) map[string]*stimuli.Set {
	t.Helper()
	drawn := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Task: stimuli.RMTS, Size: 8, Factors: stimuli.Factors{OffGrid: true}})
	own, err := stimuli.ImportFolder("../stimuli/testdata/boxes", drawn.Geometry())
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]*stimuli.Set{"rmts": drawn, "own images": own}
	for name, set := range sets {
		if set.TokensPerObject() < 4 || !slices.Contains(set.Tokens(), -1) {
			t.Fatalf("%s: P is %d with tokens %v: expected some objects with fewer", name, set.TokensPerObject(), set.Tokens())
		}
	}
	return sets
}

// TestObjectTokensOfFamilies picks the objects' tokens out of the residual stream on the
// host, behind those that stand in front of an image's patches.
func TestObjectTokensOfFamilies(t *testing.T) {
	be := fixture.Go(t)
	for name, set := range unevenSets(t) {
		for _, f := range vit.Families {
			t.Run(name+"/"+f.String(), func(t *testing.T) {
				m := tiny(t, f)
				c := m.Config
				data, err := load(c, set)
				if err != nil {
					t.Fatal(err)
				}
				out := run(t, be, m, func(w *vit.Weights[*Node], in []*Node) []*Node {
					_, trace := vit.Forward(c, w, in[0], vit.Want("block00/resid_post"))
					x := trace.Get("block00/resid_post")
					return []*Node{x, objectTokens(x, in[1], c.Prefix()), meanRows(in[1], c)}
				}, data.pixels, data.tokens)
				x := numbers(out[0]) // [B, T, D]
				T, D := out[0].Shape().Dim(1), c.Width
				front := T - set.Geometry().Patches()
				O, P := set.ObjectsPerImage(), set.TokensPerObject()
				picked, rows := make([]float32, set.Len()*O*P*D), make([]float32, set.Len()*O*T)
				for i := range set.Len() {
					for o, object := range set.Stimulus(i).Objects {
						for p, patch := range object.Tokens {
							copy(picked[((i*O+o)*P+p)*D:][:D], x[(i*T+front+patch)*D:])
							rows[(i*O+o)*T+front+patch] = 1 / float32(len(object.Tokens))
						}
					}
				}
				same(t, "objectTokens", numbers(out[1]), picked)
				same(t, "meanRows", numbers(out[2]), rows)
			})
		}
	}
}

// same fails at the first number that is not the expected one.
func same(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d numbers, expected %d", name, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: number %d of %d is %g, expected %g", name, i, len(got), got[i], want[i])
			return
		}
	}
}

// TestTrainingOfFamilies takes a few steps with all auxiliary losses. What the first one
// reports is what the plain computation makes of the model that it starts from; the loss then
// falls, and no weight stays as it was.
func TestTrainingOfFamilies(t *testing.T) {
	for name, set := range unevenSets(t) {
		r := allLosses(name, set)
		for _, f := range vit.Families {
			for _, be := range backendsFor(t, f, name) {
				t.Run(name+"/"+f.String()+"/"+be.Choice, func(t *testing.T) {
					m := tiny(t, f)
					res, err := Train(t.Context(), be, m, set, nil, r, Options{})
					if err != nil {
						t.Fatal(err)
					}
					want := plainLosses(t, m, r, set)
					first, last := res.History[0], res.History[r.Epochs-1]
					for what, x := range map[string][2]float64{
						"loss": {first.Loss, want.Loss}, "task": {first.Task, want.Task}, "aux": {first.Aux, want.Aux}, "train": {first.Train, want.Train},
						"shape": {first.Shape, want.Shape}, "color": {first.Color, want.Color}, "identity": {first.Identity, want.Identity},
						"within object": {first.WithinObject, want.WithinObject}, "within pair": {first.WithinPair, want.WithinPair},
						"between pairs": {first.BetweenPairs, want.BetweenPairs}, "relation": {first.Relation, want.Relation},
					} {
						if got, want := x[0], x[1]; !(math.Abs(got-want) <= 5e-6*max(1, want)) { // float32
							t.Errorf("%s is %.7f, expected %.7f", what, got, want)
						}
					}
					if !(last.Aux < first.Aux && last.Loss < first.Loss) {
						t.Errorf("the loss went from %g (auxiliary %g) to %g (%g) in %d steps, expected it to fall", first.Loss, first.Aux, last.Loss, last.Aux, r.Epochs)
					}
					before, after := m.Weights.Flatten(m.Config), res.Model.Weights.Flatten(m.Config)
					for i, weight := range m.Config.Names() {
						if slices.Equal(numbers(before[i]), numbers(after[i])) {
							t.Errorf("%s did not change", weight)
						}
					}
				})
			}
		}
	}
}

// TestGradientsOfFamilies compares the length of the loss's gradient with the loss's slope
// along it. For a loss L and the gradient's direction u,
//
//	‖g‖ = (4 D(ε) - D(2ε)) / 3 + O(ε⁴),  D(ε) = (L(θ + εu) - L(θ - εu)) / 2ε
func TestGradientsOfFamilies(t *testing.T) {
	be := fixture.Go(t)
	for name, set := range unevenSets(t) {
		r := allLosses(name, set)
		for _, f := range vit.Families {
			t.Run(name+"/"+f.String(), func(t *testing.T) {
				m := tiny(t, f)
				params := r.problem(m, nil).Params
				data, err := load(m.Config, set)
				if err != nil {
					t.Fatal(err)
				}
				n := len(params)
				exec := MustNewExec(be.Engine, func(in []*Node) []*Node {
					θ, b := in[:n], batch{in[n:]}
					L, _ := r.loss(m.Config, θ, b)
					g := Gradient(L, θ...)
					length := ScalarZero(L.Graph(), L.DType())
					for _, x := range g {
						length = Add(length, ReduceAllSum(Square(x)))
					}
					length = Sqrt(length)
					at := func(step float64) *Node {
						moved := make([]*Node, n)
						for i := range moved {
							moved[i] = Add(θ[i], Div(MulScalar(g[i], step), length))
						}
						L, _ := r.loss(m.Config, moved, b)
						return L
					}
					D := func(ε float64) *Node { return DivScalar(Sub(at(ε), at(-ε)), 2*ε) }
					const ε = 1e-3
					return []*Node{length, DivScalar(Sub(MulScalar(D(ε), 4), D(2*ε)), 3)}
				})
				defer exec.Finalize()
				var args []any
				for _, x := range params {
					args = append(args, x.Start)
				}
				for _, x := range data.all() {
					args = append(args, x)
				}
				out, err := exec.Call(args...)
				if err != nil {
					t.Fatal(err)
				}
				length, slope := float64(numbers(out[0])[0]), float64(numbers(out[1])[0])
				if !(math.Abs(slope/length-1) < 5e-4) { // L(ε) - L(-ε) is .01 and more, with an error of about 1e-6
					t.Errorf("the gradient is %.5f long, the slope along it is %.5f", length, slope)
				}
			})
		}
	}
}

// allLosses is a recipe of four steps, each on the whole of a set, with all auxiliary
// losses, in other forms for each of unevenSets.
func allLosses(name string, set *stimuli.Set) Recipe {
	r := Recipe{Epochs: 4, Batch: set.Len(), LR: 1e-4, Schedule: Constant,
		Disentangle: Disentangle{Weight: .7, After: 0},
		Pipeline:    Pipeline{Weight: .9, WithinObject: []int{0}, WithinPair: []int{0, 1}, BetweenPairs: []int{1}, Heads: 1, Seed: 1},
		Relation:    Relation{Weight: 1.3, After: 1}}
	if name != "rmts" {
		r.Disentangle.Identity = true
		r.Pipeline.BetweenPairs, r.Pipeline.Heads, r.Pipeline.Log = nil, 0, true
	}
	return r
}

// backendsFor are the backends that train a family: pure Go all of them, XLA, which compiles
// for seconds, the one without a token in front (TestTrainingEqualsPyTorch has one with CLS).
func backendsFor(t *testing.T, f vit.Family, set string) []*backend.Backend {
	t.Helper()
	all := []*backend.Backend{fixture.Go(t)}
	if set == "rmts" && f == vit.SigLIP {
		be := fixture.Backend(t, "")
		if be.Choice != all[0].Choice {
			all = append(all, be)
		}
	}
	return all
}

// run compiles a program, runs it once and returns its outputs.
func run(t *testing.T, be *backend.Backend, m *vit.Model, fn func(w *vit.Weights[*Node], in []*Node) []*Node, inputs ...any) []*tensors.Tensor {
	t.Helper()
	p, err := vit.Compile(be, m.Config, fn)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	out, err := p.Run(m, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// numbers copies a tensor to the host.
func numbers(x *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](x) }
