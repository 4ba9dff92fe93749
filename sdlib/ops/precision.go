package ops

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Precision is how exactly products are computed. What goes in and what comes out is float32 in
// all of them, and so are sums, normalizations and softmax.
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

// Check returns an error unless p is one of the precisions.
func (p Precision) Check() error {
	if p != F32 && p != BF16 && p != TF32 {
		return fmt.Errorf("there is no precision %q: expected %q, %q, or \"\" for float32", string(p), string(BF16), string(TF32))
	}
	return nil
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

// result is a product as the rest of the graph sees it.
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
