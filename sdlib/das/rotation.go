package das

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/blame"
)

// Orthogonal returns an orthogonal matrix [D, D], row-major, drawn uniformly (from the Haar
// measure): the Q of a QR decomposition of Gaussian numbers whose R has a positive diagonal, as
// torch.nn.init.orthogonal_ draws it.
func Orthogonal(D int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0x0da5))
	gauss := make([]float64, D*D)
	for i := range gauss {
		gauss[i] = rng.NormFloat64()
	}
	var qr mat.QR
	qr.Factorize(mat.NewDense(D, D, gauss))
	var Q, R mat.Dense
	qr.QTo(&Q)
	qr.RTo(&R)
	out := make([]float32, 0, D*D)
	for i := range D {
		for j := range D {
			if R.At(j, j) < 0 {
				out = append(out, float32(-Q.At(i, j)))
			} else {
				out = append(out, float32(Q.At(i, j)))
			}
		}
	}
	return out
}

// rotation is R = Q e^S, orthogonal whatever X is: Q [D, D] is the orthogonal start, and
// S = L - Lᵀ is made of what X [D, k] has below its diagonal; where k < D the other columns are 0. So does
// torch.nn.utils.parametrizations.orthogonal with the matrix exponential, its default for k = D.
func rotation(Q, X *Node, squarings int, limit float64) *Node {
	if D, k := X.Shape().Dim(0), X.Shape().Dim(1); k < D {
		X = Concatenate([]*Node{X, Zeros(X.Graph(), shapes.Make(X.DType(), D, D-k))}, 1)
	}
	L := TakeLowerTriangular(X, -1)
	return matmul(Q, exponential(Sub(L, Transpose(L, 0, 1)), squarings, limit))
}

// finalRotation computes [rotation] in float64, where the error of squaring vanishes.
func finalRotation(be *backend.Backend, Q []float32, X *tensors.Tensor, squarings int) ([]float32, error) {
	D := X.Shape().Dim(0)
	out, err := ExecOnce(be.Engine, func(Q, X *Node) *Node {
		double := func(x *Node) *Node { return ConvertDType(x, dtypes.Float64) }
		return ConvertDType(rotation(double(Q), double(X), squarings, limit64), dtypes.Float32)
	}, tensors.FromFlatDataAndDimensions(Q, D, D), X)
	if err != nil {
		return nil, fmt.Errorf("das: the learned rotation: %w", blame.Of(err))
	}
	defer out.FinalizeAll()
	return tensors.CopyFlatData[float32](out)
}
