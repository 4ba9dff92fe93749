package ops

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/nn"
)

// Linear is y = x Wᵀ + b over the last axis of x [B, T, in] or [B, in]; W is [out, in],
// b is [out], or nil in a layer without a bias.
func (o Ops) Linear(x, W, b *Node) *Node {
	x, W = o.precision.factor(x), o.precision.factor(W)
	plus := func(y *Node) *Node {
		if b == nil {
			return y
		}
		return Add(y, o.everywhere(b, y))
	}
	product := func() *Node {
		if o.gradientTurned(x, W) {
			return plus(turnedGradient(x, W))
		}
		return plus(o.precision.result(nn.Dense(x, W, nil, compute.DenseLayoutOutputsInput)))
	}
	if o.precision == BF16 {
		return product()
	}
	y, _ := InternalFusedOpCaller(func() *Node {
		if o.weightsFirst(x, W) {
			return plus(transposedProduct(x, W))
		}
		return BackendFusedDense(x, W, b, compute.DenseConfig{WeightLayout: compute.DenseLayoutOutputsInput})
	}, product, true) // the gradient is that of product
	return y
}

// A Layer is a linear layer with its input, the arguments of [Ops.Linear].
type Layer struct{ X, W, B *Node }

// Heads computes layers whose results are those of H heads side by side, and gives each result
// by heads: [B, T, in] to [B, T, H, d] with out = H d. All have the same out, and all have a bias
// or none. Layers that follow each other and have the same input are computed as one, which takes
// less time.
func (o Ops) Heads(H int, layers ...Layer) (all []*Node) {
	for len(layers) > 0 {
		n := 1
		for n < len(layers) && layers[n].X == layers[0].X {
			n++
		}
		all = append(all, o.joined(H, layers[:n])...)
		layers = layers[n:]
	}
	return all
}

// joined computes layers of the same input as one: its W and b are theirs, one below the other.
func (o Ops) joined(H int, layers []Layer) (parts []*Node) {
	var W, b []*Node
	for _, l := range layers {
		W = append(W, l.W)
		if l.B != nil {
			b = append(b, l.B)
		}
	}
	var bias *Node
	if len(b) > 0 {
		bias = Concatenate(b, 0)
	}
	x, n := layers[0].X, len(layers)
	y := o.Linear(x, Concatenate(W, 0), bias)                    // [B, T, n H d]
	y = Reshape(y, x.Shape().Dim(0), x.Shape().Dim(1), n, H, -1) // [B, T, n, H, d]
	for i := range n {
		parts = append(parts, Squeeze(Slice(y, AxisRange(), AxisRange(), AxisElem(i)), 2)) // [B, T, H, d]
	}
	return parts
}

// weightsFirst reports whether x Wᵀ takes less time as (W xᵀ)ᵀ: where large weights meet few
// rows, XLA on a CPU spends half of the time of x Wᵀ rearranging W. That is ViT-B with one or
// two images of 16-pixel patches, or eight of 32. Products of other sizes take longer so.
func (o Ops) weightsFirst(x, W *Node) bool {
	const fewRows, largeWeights = 512, 1 << 20
	return o.xlaCPU && rows(x) <= fewRows && W.Shape().Size() >= largeWeights && W.Shape().Dim(0)%2 == 0
}

// transposedProduct is x Wᵀ as (W xᵀ)ᵀ. The rows of W are taken as two halves: XLA would turn
// the transpose of a plain product back into x Wᵀ.
func transposedProduct(x, W *Node) *Node {
	out, in := W.Shape().Dim(0), W.Shape().Dim(1)
	y := Einsum("hvd,nd->hvn", Reshape(W, 2, out/2, in), Reshape(x, -1, in))
	y = Reshape(TransposeAllAxes(y, 2, 0, 1), -1, out)
	dims := slices.Clone(x.Shape().Dimensions)
	dims[len(dims)-1] = out
	return Reshape(y, dims...)
}

// gradientTurned reports whether the gradient of W in x Wᵀ, (∂y)ᵀ x, takes less time as (xᵀ ∂y)ᵀ:
// on XLA's CPU with many rows and more outputs than inputs, as in the first layer of an MLP.
func (o Ops) gradientTurned(x, W *Node) bool {
	const manyRows = 1 << 10
	return o.xlaCPU && rows(x) >= manyRows && W.Shape().Dim(0) > W.Shape().Dim(1) && W.DType() == dtypes.Float32
}

// turnedGradient is x Wᵀ, with the gradient of W computed as (xᵀ ∂y)ᵀ. The barrier keeps XLA
// from turning it back into (∂y)ᵀ x.
func turnedGradient(x, W *Node) *Node {
	turned := IdentityWithCustomGradient(Transpose(W, 0, 1), func(_, v *Node) *Node {
		return OptimizationBarriers(v, v)[0] // go-xla ignores a barrier around one value
	})
	return nn.Dense(x, turned, nil, compute.DenseLayoutInputOutputs)
}

// rows is the number of vectors in x [..., in].
func rows(x *Node) int { return x.Shape().Size() / x.Shape().Dim(-1) }
