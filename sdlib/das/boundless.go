package das

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/optimize"
)

// bounded is boundless distributed alignment search (Wu et al. 2023, "Interpretability at Scale"):
// the directions that are swapped are the first of the rotation's, and one number β, the share
// of them, is learned in place of a mask. With directions j = 0 to D-1,
//
//	s = σ(j/T′) σ((βD - j)/T′),    T′ = T · D/16,    β in [.001, 1], from .5
//
// which is pyvene's mask. For T → 0 direction j is swapped where j < βD. The temperature T′ is counted in
// directions, and so T′ = 48 to .24 for a ViT-B and the recipe's T = 1 to .005, close to pyvene's 50 to .1. The
// loss has Σ s as that of the other methods has; theirs has β, the same times D.
type bounded struct{}

const (
	boundaryStart = .5
	boundaryLeast = 1e-3
	// boundarySharpness is how many temperatures T′ = T·D/16 the D directions are long at T = 1.
	boundarySharpness = 16
)

func (bounded) params(D int) []optimize.Param {
	return []optimize.Param{{Name: skewParam, Start: zeros(D, D)},
		{Name: boundaryParam, Start: tensors.FromValue([]float32{boundaryStart}), Group: maskGroup}}
}

func (bounded) swapped(in optimize.Inputs, D int) *Node {
	β := in.Param(boundaryParam) // [1]
	g := β.Graph()
	T := MulScalar(in.Scalars["temperature"], float64(D)/boundarySharpness)
	j := IotaFull(g, shapes.Make(dtypes.Float32, D))
	end := MulScalar(ClipScalar(β, boundaryLeast, 1), float64(D))
	return Mul(Sigmoid(Div(j, T)), Sigmoid(Div(Sub(end, j), T)))
}

func (bounded) mask(got *optimize.Result, D int) ([]float32, error) {
	β, err := tensors.CopyFlatData[float32](got.Param(boundaryParam))
	if err != nil {
		return nil, err
	}
	m := make([]float32, D)
	for j := range m {
		m[j] = min(max(β[0], boundaryLeast), 1)*float32(D) - float32(j)
	}
	return m, nil
}
