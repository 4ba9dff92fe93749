package vit

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Precision is how exactly the matrix products of a pass are computed. Weights, residual
// stream, norms, softmax and everything a trace shows stay in float32 under all of them.
type Precision string

// The precisions. sdlib/vit's TestPrecision prints what each costs in exactness.
const (
	// F32 computes products in float32.
	F32 Precision = ""

	// BF16 rounds the factors of a product, and its result, to 8 significant bits; sums
	// within it are in float32. So does the gradient. It is PyTorch's autocast.
	BF16 Precision = "bf16"

	// TF32 rounds the factors of a product to 11 significant bits, to the nearest and
	// ties to even, and computes it in float32. That is what an NVIDIA GPU's tensor cores
	// do in TF32, here done by hand, so that its error shows on any machine and saves no
	// time on one; the gradient uses the rounded factors and leaves its own alone.
	//
	// go-xla knows the GPU's own TF32 as an option of a whole backend and not of a
	// product: open "xla:cuda,tf32=true" for its speed. Without the option sdlib/backend
	// switches it off, so that F32 means what it says.
	TF32 Precision = "tf32"
)

// Compute chooses the precision of a pass's matrix products.
func Compute(p Precision) Option {
	return func(_ Config, t *Trace) {
		if p != F32 && p != BF16 && p != TF32 {
			exceptions.Panicf("vit: there is no precision %q: expected %q, %q, or \"\" for float32", string(p), string(BF16), string(TF32))
		}
		t.precision = p
	}
}

// linear is y = x Wᵀ + b over the last axis of x; a layer without a bias has b = nil.
func (p Precision) linear(x *Node, l Linear[*Node]) *Node {
	x, w := p.factor(x), p.factor(l.W)
	layout := compute.DenseConfig{WeightLayout: compute.DenseLayoutOutputsInput}
	plus := func(y *Node) *Node {
		if l.B == nil {
			return y
		}
		return Add(y, everywhere(l.B, y))
	}
	product := func() *Node {
		if gradientTurned(x, w) {
			return plus(turnedGradient(x, w))
		}
		return plus(p.result(nn.Dense(x, w, nil, layout.WeightLayout)))
	}
	if p == BF16 {
		return product()
	}
	y, _ := InternalFusedOpCaller(func() *Node {
		if weightsFirst(x, w) {
			return plus(transposedProduct(x, w))
		}
		return BackendFusedDense(x, w, l.B, layout)
	}, product, true) // the gradient is that of product
	return y
}

// weightsFirst tells whether x Wᵀ takes less time as (W xᵀ)ᵀ: where large weights meet few
// rows, XLA on a CPU spends half of the time of x Wᵀ rearranging W. That is ViT-B with one or
// two images of 16-pixel patches, or eight of 32. Products of other sizes take longer so.
func weightsFirst(x, w *Node) bool {
	const fewRows, largeWeights = 512, 1 << 20
	rows := x.Shape().Size() / x.Shape().Dim(-1)
	return rows <= fewRows && w.Shape().Size() >= largeWeights && w.Shape().Dim(0)%2 == 0 && onXLACPU(x)
}

// transposedProduct is x Wᵀ as (W xᵀ)ᵀ. The rows of W are taken as two halves: XLA would turn
// the transpose of a plain product back into x Wᵀ.
func transposedProduct(x, w *Node) *Node {
	out, in := w.Shape().Dim(0), w.Shape().Dim(1)
	y := Einsum("hvd,nd->hvn", Reshape(w, 2, out/2, in), Reshape(x, -1, in))
	y = Reshape(TransposeAllAxes(y, 2, 0, 1), -1, out)
	dims := slices.Clone(x.Shape().Dimensions)
	dims[len(dims)-1] = out
	return Reshape(y, dims...)
}

// gradientTurned tells whether the gradient of W in x Wᵀ, (∂y)ᵀ x, takes less time as (xᵀ ∂y)ᵀ:
// on XLA's CPU with many rows and more outputs than inputs, as in the first layer of an MLP.
func gradientTurned(x, w *Node) bool {
	const manyRows = 1 << 10
	rows := x.Shape().Size() / x.Shape().Dim(-1)
	return rows >= manyRows && w.Shape().Dim(0) > w.Shape().Dim(1) && w.DType() == dtypes.Float32 && onXLACPU(x)
}

// turnedGradient is x Wᵀ, with the gradient of W computed as (xᵀ ∂y)ᵀ. The barrier keeps XLA
// from turning it back into (∂y)ᵀ x.
func turnedGradient(x, w *Node) *Node {
	turned := IdentityWithCustomGradient(Transpose(w, 0, 1), func(_, v *Node) *Node {
		return OptimizationBarriers(v, v)[0] // go-xla ignores a barrier around one value
	})
	return nn.Dense(x, turned, nil, compute.DenseLayoutInputOutputs)
}

// einsum is a product of two values, as in [Einsum].
func (p Precision) einsum(equation string, a, b *Node) *Node {
	return p.result(Einsum(equation, p.factor(a), p.factor(b)))
}

// factor is what goes into a product for x.
func (p Precision) factor(x *Node) *Node {
	switch p {
	case BF16:
		return ConvertDType(x, dtypes.BFloat16)
	case TF32:
		return Add(x, StopGradient(Sub(tf32(x), x))) // exact, and the gradient is that of x
	}
	return x
}

// result is a product as the rest of the pass sees it.
func (p Precision) result(x *Node) *Node {
	if p == BF16 {
		return ConvertDType(x, dtypes.Float32)
	}
	return x
}

// tf32 rounds float32 numbers to TF32's 10 explicit bits of mantissa, to the nearest and
// ties to even, by integer arithmetic on their bits: what is dropped are 13 bits.
func tf32(x *Node) *Node {
	bits := Bitcast(x, dtypes.Uint32)
	odd := BitwiseAnd(BitwiseShiftRightLogicalScalar(bits, uint32(13)), Scalar(x.Graph(), dtypes.Uint32, 1))
	bits = Add(bits, AddScalar(odd, 1<<12-1)) // a carry into the exponent is right: it rounds up to the next power of two
	return Bitcast(BitwiseAnd(bits, Scalar(x.Graph(), dtypes.Uint32, uint32(0xffff_e000))), dtypes.Float32)
}
