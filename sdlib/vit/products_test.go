package vit

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"

	"samediff/sdlib/backend"
)

// A layer, a softmax and a norm, with their gradients, are what GoMLX's own operations give,
// whichever way a backend prefers to sum, and whether the weights are large or small.
func TestSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	random := func(scale float64, dims ...int) *tensors.Tensor {
		n := 1
		for _, d := range dims {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(scale * rng.NormFloat64())
		}
		return tensors.FromFlatDataAndDimensions(values, dims...)
	}
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		for _, size := range []struct {
			images, tokens, in, out int
			weightsFirst, turned    bool
		}{{3, 5, 24, 40, false, false}, {3, 5, 512, 2048, true, false}, {64, 17, 24, 40, false, true}, {64, 17, 40, 24, false, false}} {
			ours, theirs := func(in []*Node) *Node {
				x, l, n := in[0], Linear[*Node]{in[1], in[2]}, Norm[*Node]{in[3], in[4]}
				if got := weightsFirst(x, l.W); got != (size.weightsFirst && be.IsCPU()) {
					t.Errorf("%+v on %s: weightsFirst = %v", size, be.Choice, got)
				}
				if got := gradientTurned(x, l.W); got != (size.turned && be.IsCPU()) {
					t.Errorf("%+v on %s: gradientTurned = %v", size, be.Choice, got)
				}
				p := pass{c: Config{NormEps: 1e-6}}
				return softmax(F32.linear(p.norm(x, n), l))
			}, func(in []*Node) *Node {
				x := in[0]
				centered := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
				y := Div(centered, Sqrt(AddScalar(ReduceAndKeep(Square(centered), ReduceMean, -1), 1e-6)))
				y = Add(Mul(y, ExpandLeftToRank(in[3], 3)), ExpandLeftToRank(in[4], 3))
				return Softmax(nn.Dense(y, in[1], in[2], compute.DenseLayoutOutputsInput), -1)
			}
			args := []any{random(1, size.images, size.tokens, size.in), random(1/math.Sqrt(float64(size.in)), size.out, size.in),
				random(1, size.out), random(1, size.in), random(1, size.in), random(1, size.images, size.tokens, size.out)}
			results := func(f func(in []*Node) *Node) []*tensors.Tensor {
				exec, err := NewExec(be.Engine, func(in []*Node) []*Node {
					y := f(in[:5])
					return append([]*Node{y}, Gradient(ReduceAllSum(Mul(y, in[5])), in[:5]...)...)
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
			got, want := results(ours), results(theirs)
			for i, name := range []string{"value", "gradient of x", "of W", "of b", "of γ", "of β"} {
				if d, err := distance(tensors.MustCopyFlatData[float32](got[i]), tensors.MustCopyFlatData[float32](want[i])); err != nil || !(d < 1e-5) {
					t.Errorf("%s, %d to %d: %s is %.1e of its scale away, %v", be.Choice, size.in, size.out, name, d, err)
				}
			}
		}
	})
}
