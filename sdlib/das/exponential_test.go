package das

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
)

// The rotation equals gonum's exponential of the same skew-symmetric matrix, which it computes by
// Padé's approximation, for none to large angles, and is orthogonal.
func TestRotation(t *testing.T) {
	const D = 24
	Q := Orthogonal(D, 1)
	checkOrthogonal(t, Q)
	for _, name := range []string{backend.Go, ""} {
		be := fixture.Backend(t, name)
		sizes := []float64{0, 1e-4, .05, 1, 5}
		if be.IsXLA() {
			sizes = sizes[3:4] // compiling takes seconds
		}
		for _, size := range sizes {
			rng := rand.New(rand.NewPCG(7, 8))
			X, S := make([]float32, D*D), mat.NewDense(D, D, nil)
			for i := range D {
				for j := range D { // what lies on or above the diagonal does not count
					X[i*D+j] = float32(size * rng.NormFloat64())
					if j < i {
						S.Set(i, j, float64(X[i*D+j]))
						S.Set(j, i, -float64(X[i*D+j]))
					}
				}
			}
			var E, want mat.Dense
			E.Exp(S)
			q := mat.NewDense(D, D, nil)
			for i, x := range Q {
				q.Set(i/D, i%D, float64(x))
			}
			want.Mul(q, &E)
			x := tensors.FromFlatDataAndDimensions(X, D, D)
			final, err := finalRotation(be, Q, x, squarings(D, 4*size, limit64))
			if err != nil {
				t.Fatal(err)
			}
			checkOrthogonal(t, final)
			out := MustExecOnce(be.Engine, func(Q, X *Node) *Node { return rotation(Q, X, squarings(D, 4*size, limit32), limit32) },
				tensors.FromFlatDataAndDimensions(Q, D, D), x)
			training := tensors.MustCopyFlatData[float32](out)
			worst32, worst64 := 0., 0.
			for i := range D * D {
				worst32 = max(worst32, math.Abs(float64(training[i])-want.At(i/D, i%D)))
				worst64 = max(worst64, math.Abs(float64(final[i])-want.At(i/D, i%D)))
			}
			t.Logf("%s, entries of size %g: off by %.1e in float32, %.1e in float64", be.Choice, size, worst32, worst64)
			if worst64 > 1e-6 || worst32 > 2e-5*max(1, size) {
				t.Errorf("%s, entries of size %g: off by %.1e in float32, %.1e in float64", be.Choice, size, worst32, worst64)
			}
		}
	}
}

// The gradient through scaling and squaring is that of finite differences.
func TestRotationGradient(t *testing.T) {
	const D = 5
	rng := rand.New(rand.NewPCG(1, 2))
	normal := func(size float64) []float64 {
		x := make([]float64, D*D)
		for i := range x {
			x[i] = size * rng.NormFloat64()
		}
		return x
	}
	Q, X, along := normal(1), normal(.7), normal(1)
	be := fixture.Go(t)
	value := func(X []float64) []*tensors.Tensor {
		node := func(x []float64) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(x, D, D) }
		return MustExecOnceN(be.Engine, func(in []*Node) []*Node {
			y := ReduceAllSum(Mul(in[2], rotation(in[0], in[1], 6, limit64)))
			return []*Node{y, Gradient(y, in[1])[0]}
		}, node(Q), node(X), node(along))
	}
	gradient := tensors.MustCopyFlatData[float64](value(X)[1])
	const step = 1e-5
	for i := range X {
		at := func(by float64) float64 {
			moved := append([]float64(nil), X...)
			moved[i] += by
			return tensors.MustCopyFlatData[float64](value(moved)[0])[0]
		}
		if diff := (at(step) - at(-step)) / (2 * step); math.Abs(diff-gradient[i]) > 1e-6 {
			t.Errorf("the derivative by entry %d is %g, by differences %g", i, gradient[i], diff)
		}
	}
}
