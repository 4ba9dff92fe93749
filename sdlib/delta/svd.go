package delta

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// A svd is the largest singular values of a matrix [m, n], with their vectors: the matrix is nearly Σ_k σ[k] u[k] v[k]ᵀ.
type svd struct {
	sigma []float64  // [r], falling
	u     *mat.Dense // [r, m], rows of length 1, orthogonal to each other
	v     *mat.Dense // [r, n], likewise
}

const (
	// oversample is by how many directions the sketch is larger than the rank that is asked for (Halko et al. recommend 5 to 10).
	oversample = 10
	// Iterations end when one adds less than this share to the energy that the sketch holds, or after so many.
	tolerance     = 1e-5
	maxIterations = 20
	// Singular values below this share of the largest are rounding.
	negligible = 1e-7
)

// decompose returns the r largest singular values of a matrix and their vectors, fewer where the rest is nothing but rounding.
//
// It is the randomized subspace iteration of Halko, Martinsson and Tropp (Finding structure with randomness, 2011, algorithm
// 4.4): a few random directions, multiplied by A and Aᵀ in turn, turn into the leading singular vectors, and the small matrix that is
// A seen in them has a singular value decomposition that costs little. Values are a little low where the spectrum is flat. All of
// it is kept by rows, along which gonum's products run fastest.
func decompose(A *mat.Dense, r int) svd {
	m, n := A.Dims()
	l := min(r+oversample, m, n)
	if 2*l >= min(m, n) {
		return exact(A, r)
	}
	rng := rand.New(rand.NewPCG(0xde17a, uint64(m)<<32|uint64(n)))
	Z := mat.NewDense(l, n, nil) // directions in the space of rows
	for i := range Z.RawMatrix().Data {
		Z.RawMatrix().Data[i] = rng.NormFloat64()
	}
	Q := mat.NewDense(l, m, nil) // and of columns
	held := 0.
	for i := 0; ; i++ {
		Q.Mul(Z, A.T())
		orthonormalize(Q)
		Z.Mul(Q, A)
		energy := mat.Norm(Z, 2) // Frobenius
		energy *= energy
		if energy-held <= tolerance*energy || i == maxIterations {
			break
		}
		held = energy
		orthonormalize(Z)
	}
	small := exact(Z, r) // of Q A
	var u mat.Dense
	u.Mul(small.u, Q)
	small.u = &u
	return small
}

// exact is decompose by gonum's decomposition of the whole matrix, for small ones.
func exact(A *mat.Dense, r int) svd {
	var d mat.SVD
	if !d.Factorize(A, mat.SVDThin) {
		panic("delta: the singular value decomposition of finite numbers did not converge") // LAPACK knows of no such matrix
	}
	sigma := d.Values(nil)
	r = min(r, len(sigma))
	for r > 0 && sigma[r-1] <= negligible*sigma[0] {
		r--
	}
	var U, V mat.Dense
	d.UTo(&U)
	d.VTo(&V)
	m, n := A.Dims()
	s := svd{sigma[:r], mat.NewDense(max(r, 1), m, nil), mat.NewDense(max(r, 1), n, nil)}
	for k := range r {
		// Of the two signs that both vectors may have, the one that makes the largest component of v positive.
		sign := 1.
		for j, largest := 0, 0.; j < n; j++ {
			if x := V.At(j, k); math.Abs(x) > largest {
				largest, sign = math.Abs(x), math.Copysign(1, x)
			}
		}
		for i := range m {
			s.u.Set(k, i, sign*U.At(i, k))
		}
		for j := range n {
			s.v.Set(k, j, sign*V.At(j, k))
		}
	}
	return s
}

// orthonormalize replaces the rows of a wide matrix by rows of length 1, orthogonal to each other, that span the same space, or one
// that holds it.
func orthonormalize(rows *mat.Dense) {
	a := rows.RawMatrix()
	tau, size := make([]float64, a.Rows), make([]float64, 1)
	lapack64.Gelqf(a, tau, size, -1) // asks how much memory it wants
	work := make([]float64, max(int(size[0]), a.Rows))
	lapack64.Gelqf(a, tau, work, len(work))
	lapack64.Orglq(a, tau, work, len(work))
}
