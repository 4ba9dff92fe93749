package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"

	"samediff/sdlib/backend"
)

// backends are those that every machine has; the CPU's XLA joins them where it is built in.
var backends = []string{backend.Go}

// onBackends runs a test on each backend.
func onBackends(t *testing.T, test func(t *testing.T, be *backend.Backend)) {
	t.Helper()
	for _, name := range backends {
		t.Run(name, func(t *testing.T) {
			be, err := backend.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			test(t, be)
		})
	}
}

// normal returns a tensor of normally distributed numbers with a standard deviation.
func normal(rng *rand.Rand, deviation float64, dims ...int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(deviation * rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// withGradients computes f of all but the last of some tensors, and the gradient by each of them
// of its sum weighted by the last.
func withGradients(t *testing.T, be *backend.Backend, f func(in []*Node) *Node, args ...any) []*tensors.Tensor {
	t.Helper()
	exec, err := NewExec(be.Engine, func(in []*Node) []*Node {
		in, weights := in[:len(in)-1], in[len(in)-1]
		y := f(in)
		return append([]*Node{y}, Gradient(ReduceAllSum(Mul(y, weights)), in...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// distance returns the largest difference of two tensors over the largest absolute value of want, its scale.
func distance(got, want *tensors.Tensor) float64 {
	a, b := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	if len(a) != len(b) {
		return math.Inf(1)
	}
	diff, scale := 0., 0.
	for i := range b {
		diff = max(diff, math.Abs(float64(a[i])-float64(b[i]))) // NaN stays NaN
		scale = max(scale, math.Abs(float64(b[i])))
	}
	return diff / scale
}

// A layer, a softmax and a norm, with their gradients, are what GoMLX's own operations give,
// whichever form a backend prefers, and whether the weights are large or small.
func TestForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		for _, size := range []struct {
			images, tokens, in, out int
			weightsFirst, turned    bool
		}{{3, 5, 24, 40, false, false}, {3, 5, 512, 2048, true, false}, {64, 17, 24, 40, false, true}, {64, 17, 40, 24, false, false}} {
			ours, theirs := func(in []*Node) *Node {
				x, W, b, γ, β := in[0], in[1], in[2], in[3], in[4]
				o := For(x.Graph(), F32)
				if got := o.weightsFirst(x, W); got != (size.weightsFirst && be.IsCPU()) {
					t.Errorf("%+v on %s: weightsFirst = %v", size, be.Choice, got)
				}
				if got := o.gradientTurned(x, W); got != (size.turned && be.IsCPU()) {
					t.Errorf("%+v on %s: gradientTurned = %v", size, be.Choice, got)
				}
				return o.Softmax(o.Linear(o.LayerNorm(x, γ, β, 1e-6), W, b))
			}, func(in []*Node) *Node {
				x, W, b, γ, β := in[0], in[1], in[2], in[3], in[4]
				centered := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
				y := Div(centered, Sqrt(AddScalar(ReduceAndKeep(Square(centered), ReduceMean, -1), 1e-6)))
				y = Add(Mul(y, ExpandLeftToRank(γ, 3)), ExpandLeftToRank(β, 3))
				return Softmax(nn.Dense(y, W, b, compute.DenseLayoutOutputsInput), -1)
			}
			args := []any{normal(rng, 1, size.images, size.tokens, size.in), normal(rng, 1/math.Sqrt(float64(size.in)), size.out, size.in),
				normal(rng, 1, size.out), normal(rng, 1, size.in), normal(rng, 1, size.in), normal(rng, 1, size.images, size.tokens, size.out)}
			got, want := withGradients(t, be, ours, args...), withGradients(t, be, theirs, args...)
			for i, name := range []string{"value", "gradient of x", "of W", "of b", "of γ", "of β"} {
				if d := distance(got[i], want[i]); !(d < 1e-5) {
					t.Errorf("%s, %d to %d: %s is %.1e of its scale away", be.Choice, size.in, size.out, name, d)
				}
			}
		}
	})
}

// Layers computed together are what they are alone, in each precision: those of the same input
// and of another, with and without a bias.
func TestHeads(t *testing.T) {
	const B, T, in, H, d = 3, 5, 8, 2, 3
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		rng := rand.New(rand.NewPCG(2, 0))
		args := []any{normal(rng, 1, B, T, in), normal(rng, 1, B, T, in)} // x, y
		for range 3 {
			args = append(args, normal(rng, 1, H*d, in), normal(rng, 1, H*d)) // W, b
		}
		args = append(args, normal(rng, 1, 6, B, T, H, d))
		for _, p := range []Precision{F32, BF16, TF32} {
			of := func(heads func(o Ops, layers ...Layer) []*Node) []*tensors.Tensor {
				return withGradients(t, be, func(in []*Node) *Node {
					o, x, y := For(in[0].Graph(), p), in[0], in[1]
					all := heads(o, Layer{x, in[2], in[3]}, Layer{y, in[4], in[5]}, Layer{y, in[6], in[7]})
					all = append(all, heads(o, Layer{y, in[2], nil}, Layer{y, in[4], nil}, Layer{y, in[6], nil})...)
					return Stack(all, 0)
				}, args...)
			}
			got, want := of(func(o Ops, layers ...Layer) []*Node { return o.Heads(H, layers...) }), of(func(o Ops, layers ...Layer) (all []*Node) {
				for _, l := range layers {
					all = append(all, Reshape(o.Linear(l.X, l.W, l.B), B, T, H, d))
				}
				return all
			})
			for i := range want {
				most := 1e-5
				if p == BF16 && i > 0 { // a gradient is rounded once, and not in each layer
					most = 1. / 128
				}
				if d := distance(got[i], want[i]); !(d < most) {
					t.Errorf("%s, %q: output %d is %.1e of its scale away, expected less than %.0e", be.Choice, p, i, d, most)
				}
			}
		}
	})
}

// tf32 is rounding to 11 significant bits, to the nearest and ties to even.
func TestRoundTF32(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	values := []float32{0, 1, -1, 1 + 1./2048, 1 + 3./2048, 1 + 1./2048 + 1./(1<<20), -1 - 3./2048, 2 - 1./4096, 65504, 1e-38, 3e38}
	for range 1000 {
		values = append(values, float32(rng.NormFloat64()*math.Exp2(float64(rng.IntN(100)-50))))
	}
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		got, err := CallOnce(be.Engine, func(x *Node) *Node { return tf32(x) }, values)
		if err != nil {
			t.Fatal(err)
		}
		for i, rounded := range tensors.MustCopyFlatData[float32](got) {
			fraction, exponent := math.Frexp(float64(values[i])) // ½ <= |fraction| < 1: 11 bits are its multiples of 2⁻¹¹
			want := float32(math.Ldexp(math.RoundToEven(fraction*(1<<11))/(1<<11), exponent))
			if rounded != want {
				t.Errorf("%v is rounded to %v, expected %v", values[i], rounded, want)
			}
		}
	})
}

func TestUnknownPrecision(t *testing.T) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGraph(be.Engine, "test")
	defer g.Finalize()
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), `ops: there is no precision "f16": expected "bf16", "tf32"`) {
			t.Errorf("an unknown precision: panic %v", r)
		}
	}()
	For(g, "f16")
}
