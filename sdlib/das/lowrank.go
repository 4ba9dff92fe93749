package das

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/optimize"
)

// lowRank learns k orthonormal directions, which are swapped whole: out = b + (c - b) R Rᵀ with
// R [D, k], as pyvene's LowRankRotatedSpaceIntervention has it. There is no mask and no temperature.
//
// R are the first k columns of Q e^S. Rotating these among themselves changes no subspace, and
// the other columns none at all; so X, of which S is made, has k columns, as in
// PyTorch's parametrization of such a matrix by the matrix exponential.
type lowRank int

func (k lowRank) params(D int) []optimize.Param {
	return []optimize.Param{{Name: skewParam, Start: zeros(D, int(k))}}
}

func (k lowRank) swapped(in optimize.Inputs, D int) *Node {
	return Ones(in.Params[0].Graph(), shapes.Make(dtypes.Float32, int(k)))
}

func (k lowRank) mask(_ *optimize.Result, D int) ([]float32, error) {
	m := make([]float32, D)
	for j := range m {
		if m[j] = -1; j < int(k) {
			m[j] = 1
		}
	}
	return m, nil
}
