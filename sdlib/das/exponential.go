package das

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// exponential returns e^S of a skew-symmetric matrix S [D, D], an orthogonal matrix.
//
// It is scaled and squared: e^S = (e^(S/2ᵏ))^(2ᵏ), with the least k at which no eigenvalue of
// S/2ᵏ can be larger than limit, and at most a given number of squarings. Eigenvalues of S are
// ±iθ in pairs, so that θ ≤ ‖S‖/√2 by the Frobenius norm.
func exponential(S *Node, squarings int, limit float64) *Node {
	g, dtype := S.Graph(), S.DType()
	largest := Sqrt(MulScalar(ReduceAllSum(Square(StopGradient(S))), .5)) // bounds every θ
	halve := make([]*Node, squarings)
	for i := range halve { // compares, so that scaling is exact
		halve[i] = GreaterThan(largest, Scalar(g, dtype, limit*math.Pow(2, float64(i))))
		S = Mul(S, Where(halve[i], Scalar(g, dtype, .5), Scalar(g, dtype, 1)))
	}
	X := taylor8(S)
	for _, again := range halve {
		X = Where(again, matmul(X, X), X)
	}
	return X
}

// The Taylor polynomial of degree 8 is within one rounding of e^S up to these eigenvalues.
const (
	limit32 = .58 // in float32: θ⁹/9! = 2·10⁻⁸
	limit64 = .03 // in float64: 5·10⁻²⁰, and 2⁹ times that after squaring
)

// squarings is how many halvings bring any S down to a limit whose entries are at most x.
func squarings(D int, x, limit float64) int {
	return max(0, int(math.Ceil(math.Log2(float64(D)*x/(math.Sqrt2*limit)))))
}

// taylor8 is the Taylor polynomial Σ Sⁱ/i! up to the eighth power in three products, as
// torch.matrix_exp computes it: Bader, Blanes & Casas 2019, "Computing the matrix exponential
// with an optimized Taylor polynomial approximation", equation (16).
func taylor8(S *Node) *Node {
	r := math.Sqrt(177)
	x3 := 2. / 3
	x1, x2 := x3*(1+r)/88, x3*(1+r)/352
	x4 := (-271 + 29*r) / (315 * x3)
	x5 := 11 * (-1 + r) / (1260 * x3)
	x6 := 11 * (-9 + r) / (5040 * x3)
	x7 := (89 - r) / (5040 * x3 * x3)
	y2 := (857 - 58*r) / 630

	I := identity(S)
	S2 := matmul(S, S)
	S4 := matmul(S2, Add(MulScalar(S, x1), MulScalar(S2, x2)))
	S8 := matmul(Add(MulScalar(S2, x3), S4), sum(MulScalar(I, x4), MulScalar(S, x5), MulScalar(S2, x6), MulScalar(S4, x7)))
	return sum(I, S, MulScalar(S2, y2), S8)
}

func identity(like *Node) *Node {
	return DiagonalWithValue(Scalar(like.Graph(), like.DType(), 1), like.Shape().Dim(0))
}

func matmul(a, b *Node) *Node { return Einsum("ij,jk->ik", a, b) }

func sum(first *Node, more ...*Node) *Node {
	for _, x := range more {
		first = Add(first, x)
	}
	return first
}
