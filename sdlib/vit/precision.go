package vit

import (
	"fmt"

	"samediff/sdlib/ops"
)

// Precision is how exactly the matrix products of a pass are computed. Weights, residual
// stream, norms, softmax and everything a trace shows stay in float32 under all of them.
type Precision = ops.Precision

// The precisions, as package ops defines them. TestPrecision prints what each costs.
const (
	F32  = ops.F32  // products in float32
	BF16 = ops.BF16 // factors and results rounded to 8 significant bits: PyTorch's autocast
	TF32 = ops.TF32 // factors rounded to 11 significant bits, as an NVIDIA GPU's TF32 does
)

// Compute chooses the precision of a pass's matrix products.
func Compute(precision Precision) Option {
	return func(p *pass) {
		if err := precision.Check(); err != nil {
			panic(fmt.Errorf("vit: %w", err))
		}
		p.precision = precision
	}
}
