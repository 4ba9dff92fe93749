//go:build cgo && !noxla && linux && (amd64 || arm64)

package ops

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"

	"samediff/sdlib/backend"
)

// BenchmarkProducts compares on XLA's CPU the two forms of x Wᵀ, for 400 tokens of ViT-B, and for 64
// images of 65 tokens the two forms of the gradient of a bias and of weights with 384 outputs:
//
//	go test -run '^$' -bench Products ./sdlib/ops
func BenchmarkProducts(b *testing.B) {
	be, err := backend.Open(backend.CPU)
	if err != nil {
		b.Skip(err)
	}
	for _, c := range []struct {
		name string
		in   [][]int
		f    func(in []*Node) *Node
	}{
		{"ViT-B MLP, x·Wᵀ", [][]int{{400, 768}, {3072, 768}}, func(in []*Node) *Node {
			return nn.Dense(in[0], in[1], nil, compute.DenseLayoutOutputsInput)
		}},
		{"ViT-B MLP, (W·xᵀ)ᵀ", [][]int{{400, 768}, {3072, 768}}, func(in []*Node) *Node {
			return transposedProduct(in[0], in[1])
		}},
		{"bias gradient, sum", [][]int{{384}, {64, 65, 384}}, func(in []*Node) *Node {
			return Gradient(ReduceAllSum(Mul(ExpandLeftToRank(in[0], 3), in[1])), in[0])[0]
		}},
		{"bias gradient, products", [][]int{{384}, {64, 65, 384}}, func(in []*Node) *Node {
			return Gradient(ReduceAllSum(Mul(For(in[0].Graph(), F32).everywhere(in[0], in[1]), in[1])), in[0])[0]
		}},
		{"weight gradient, (∂y)ᵀ·x", [][]int{{64, 65, 96}, {384, 96}, {64, 65, 384}}, func(in []*Node) *Node {
			return Gradient(ReduceAllSum(Mul(nn.Dense(in[0], in[1], nil, compute.DenseLayoutOutputsInput), in[2])), in[1])[0]
		}},
		{"weight gradient, (xᵀ·∂y)ᵀ", [][]int{{64, 65, 96}, {384, 96}, {64, 65, 384}}, func(in []*Node) *Node {
			return Gradient(ReduceAllSum(Mul(turnedGradient(in[0], in[1]), in[2])), in[1])[0]
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			exec, err := NewExec(be.Engine, func(in []*Node) []*Node {
				return []*Node{c.f(in)}
			})
			if err != nil {
				b.Fatal(err)
			}
			defer exec.Finalize()
			var args []any
			for _, dims := range c.in {
				args = append(args, tensors.FromShape(shapes.Make(dtypes.Float32, dims...)))
			}
			for b.Loop() {
				out, err := exec.Call(args...)
				if err != nil {
					b.Fatal(err)
				}
				if err := out[0].ToLocal(); err != nil {
					b.Fatal(err)
				}
				out[0].FinalizeAll()
			}
		})
	}
}
