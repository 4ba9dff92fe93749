package probe

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/safetensors"
)

// golden reads a file that a script in testdata wrote.
type golden struct {
	t *testing.T
	f *safetensors.File
}

func openGolden(t *testing.T, name string) golden {
	t.Helper()
	f, err := safetensors.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return golden{t, f}
}

func (g golden) tensor(name string) safetensors.Tensor {
	g.t.Helper()
	x, ok := g.f.Tensor(name)
	if !ok {
		g.t.Fatalf("no %s, there are %v", name, g.f.Names())
	}
	return x
}

func (g golden) floats(name string) []float32 {
	g.t.Helper()
	x, err := g.tensor(name).Float32s()
	if err != nil {
		g.t.Fatal(err)
	}
	return x
}

func (g golden) ints(name string) []int {
	g.t.Helper()
	data := g.tensor(name).Data
	all := make([]int, len(data)/4)
	for i := range all {
		all[i] = int(int32(binary.LittleEndian.Uint32(data[4*i:])))
	}
	return all
}

// answered makes items of answers, for features that stand beside them.
func answered(y []int, classes int) Items {
	s := Items{Target: "golden", Classes: classes}
	for i, c := range y {
		s.All = append(s.All, Item{Image: i, Class: c})
	}
	return s
}

// Fit finds scikit-learn's coefficients (testdata/make_golden_sklearn.py).
func TestFitEqualsSklearn(t *testing.T) {
	g := openGolden(t, "sklearn.safetensors")
	for name, classes := range map[string]int{"two": 2, "five": 5, "wide": 2, "free": 2} {
		F := g.tensor(name + "/x").Shape[1]
		x, xt := Matrix{g.floats(name + "/x"), F}, Matrix{g.floats(name + "/xt"), F}
		λ := math.Round(float64(g.floats(name + "/penalty")[0])*1e9) / 1e9
		p, err := Fit(t.Context(), Place{name, x}, answered(g.ints(name+"/y"), classes), λ)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		coef, intercept := g.floats(name+"/coef"), g.floats(name+"/intercept")
		size := 0.
		for _, v := range coef {
			size = max(size, math.Abs(float64(v)))
		}
		worst := 0.
		for k := range intercept {
			for j := range F + 1 {
				var got, want float64
				of := func(c int) float64 {
					if j == F {
						return float64(p.Bias[c])
					}
					return float64(p.Row(c)[j])
				}
				if got = of(k); classes == 2 {
					got = of(1) - of(0)
				}
				if want = float64(intercept[k]); j < F {
					want = float64(coef[k*F+j])
				}
				worst = max(worst, math.Abs(got-want)/max(size, 1))
			}
		}
		if worst > 1e-4 {
			t.Errorf("%s: coefficients differ from scikit-learn's by %.2g", name, worst)
		}
		scores, err := p.Score(xt, answered(g.ints(name+"/yt"), classes))
		if err != nil {
			t.Fatal(err)
		}
		if want := g.ints(name + "/correct")[0]; scores.All.Correct != want {
			t.Errorf("%s: %d right, scikit-learn has %d", name, scores.All.Correct, want)
		}
		t.Logf("%s: coefficients to %.1e, %d of %d right", name, worst, scores.All.Correct, scores.All.N)
	}
}

// steps are batches of which each is an epoch, as PyTorch saw them.
type steps struct {
	rows
	x       Matrix
	answers []int
	B       int
}

func (s steps) Len() int { return s.B }

func (s steps) Epoch(e int) (optimize.Rows, error) {
	y := make([]int32, s.B)
	for i := range y {
		y[i] = int32(s.answers[e*s.B+i])
	}
	return optimize.Rows{
		Resident: []*tensors.Tensor{tensors.FromValue(y)},
		Read: func(items []int32) ([]*tensors.Tensor, error) {
			x := make([]float32, len(items)*s.x.F)
			for b, i := range items {
				s.x.Row(x[b*s.x.F:(b+1)*s.x.F], e*s.B+int(i))
			}
			return []*tensors.Tensor{tensors.FromFlatDataAndDimensions(x, len(items), s.S, s.F)}, nil
		},
	}, nil
}

// The first 20 steps of the paper's probe at two places are PyTorch's (testdata/make_golden_torch.py).
func TestTrainEqualsPyTorch(t *testing.T) {
	g := openGolden(t, "torch.safetensors")
	shape := g.tensor("x").Shape // [steps, B, S, F]
	B, S, F := shape[1], shape[2], shape[3]
	for _, name := range []string{"", backend.Go} {
		be := fixture.Backend(t, name)
		places := make([]Place, S)
		for s := range places {
			places[s] = Place{string(rune('0' + s)), Matrix{make([]float32, F), F}}
		}
		first := [2]*tensors.Tensor{repeat(S, g.floats("start/weight"), 2, F), repeat(S, g.floats("start/bias"), 2)}
		y := g.ints("y")
		p := problem(places, y[:B], 2, first)
		p.Data = steps{p.Data.(rows), Matrix{g.floats("x"), S * F}, y, B}
		how := Paper
		how.Epochs, how.Batch = shape[0], B
		res, err := optimize.Minimize(t.Context(), be, p, how, optimize.Options{})
		if err != nil {
			t.Fatal(err)
		}
		probes, err := unstack(places, res, 2)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.
		near := func(what string, got, want []float32) {
			for i := range want {
				diff := math.Abs(float64(got[i] - want[i]))
				if worst = max(worst, diff); diff > 1e-5 {
					t.Fatalf("%s: %s[%d] is %g, PyTorch has %g", be.Choice, what, i, got[i], want[i])
				}
			}
		}
		for s, p := range probes {
			near(p.Place+"/weight", p.Weight, g.floats(p.Place+"/weight"))
			near(p.Place+"/bias", p.Bias, g.floats(p.Place+"/bias"))
			var losses []float32
			for _, e := range res.History {
				losses = append(losses, float32(e.Means["loss"][s]))
			}
			near(p.Place+"/loss", losses, g.floats(p.Place+"/loss"))
		}
		t.Logf("%s: %d steps of %d probes equal PyTorch's to %.1e", be.Choice, shape[0], S, worst)
	}
}

func repeat(S int, one []float32, dims ...int) *tensors.Tensor {
	var all []float32
	for range S {
		all = append(all, one...)
	}
	return tensors.FromFlatDataAndDimensions(all, append([]int{S}, dims...)...)
}
