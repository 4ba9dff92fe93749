package delta

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// normal returns a matrix of independent normal numbers.
func normal(m, n int, seed uint64) *mat.Dense {
	rng := rand.New(rand.NewPCG(seed, 0))
	A := mat.NewDense(m, n, nil)
	for i := range A.RawMatrix().Data {
		A.RawMatrix().Data[i] = rng.NormFloat64()
	}
	return A
}

// spectrum returns a matrix with the singular values of sigma, and random vectors.
func spectrum(m, n int, sigma func(k int) float64) *mat.Dense {
	k := min(m, n)
	U, V := normal(k, m, 1), normal(k, n, 2)
	orthonormalize(U)
	orthonormalize(V)
	for i := range k {
		for j := range m {
			U.Set(i, j, sigma(i)*U.At(i, j))
		}
	}
	var A mat.Dense
	A.Mul(U.T(), V)
	return &A
}

// checkVectors fails the test unless the vectors have length 1 and are orthogonal to each other, and A v = σ u, Aᵀ u = σ v.
func checkVectors(t *testing.T, A *mat.Dense, s svd, within float64) {
	t.Helper()
	for name, vectors := range map[string]*mat.Dense{"u": s.u, "v": s.v} {
		var gram mat.Dense
		gram.Mul(vectors, vectors.T())
		for i := range s.sigma {
			for j := range s.sigma {
				want := 0.
				if i == j {
					want = 1
				}
				if got := gram.At(i, j); math.Abs(got-want) > 1e-12 {
					t.Errorf("%s%d · %s%d is %g, expected %g", name, i, name, j, got, want)
				}
			}
		}
	}
	var right, left mat.Dense
	right.Mul(s.v, A.T()) // rows A v
	left.Mul(s.u, A)      // rows Aᵀ u
	for k, sigma := range s.sigma {
		for _, side := range []struct{ got, want *mat.Dense }{{&right, s.u}, {&left, s.v}} {
			_, n := side.got.Dims()
			e := 0.
			for j := range n {
				e = math.Hypot(e, side.got.At(k, j)-sigma*side.want.At(k, j))
			}
			if e > within*s.sigma[0] {
				t.Errorf("component %d: A v - σ u or Aᵀ u - σ v has norm %g, expected at most %g σ[0]", k, e, within)
			}
		}
	}
}

// Where the spectrum falls, the sketch has the values and vectors that gonum's decomposition of the whole matrix has.
func TestDecomposeFalling(t *testing.T) {
	for _, shape := range [][2]int{{120, 90}, {90, 200}} {
		sigma := func(k int) float64 { return math.Pow(.7, float64(k)) }
		A := spectrum(shape[0], shape[1], sigma)
		s := decompose(A, 8)
		if len(s.sigma) != 8 {
			t.Fatalf("%v: %d components, expected 8", shape, len(s.sigma))
		}
		whole := exact(A, 8)
		for k, got := range s.sigma {
			if want := sigma(k); math.Abs(got-want) > 1e-6*want || math.Abs(whole.sigma[k]-want) > 1e-12 {
				t.Errorf("%v: singular value %d is %.12f, gonum's %.12f, expected %.12f", shape, k, got, whole.sigma[k], want)
			}
			for _, pair := range [][2]*mat.Dense{{s.u, whole.u}, {s.v, whole.v}} { // signs too
				if cos := mat.Dot(pair[0].RowView(k), pair[1].RowView(k)); math.Abs(cos-1) > 1e-4 {
					t.Errorf("%v: vector %d has cosine %f to gonum's, expected 1", shape, k, cos)
				}
			}
		}
		checkVectors(t, A, s, 1e-2)
		checkVectors(t, A, whole, 1e-12)
	}
}

// On the worst of spectra, a random matrix's, what the sketch holds is nearly as much as anything of that rank can.
func TestDecomposeFlat(t *testing.T) {
	const r = 6
	A := normal(160, 220, 3)
	energy := func(s svd) (sum float64) {
		for _, v := range s.sigma {
			sum += v * v
		}
		return sum
	}
	got, want := energy(decompose(A, r)), energy(exact(A, r))
	if got > want*(1+1e-12) || got < .995*want {
		t.Errorf("rank %d holds %g of the energy, the best holds %g: expected .995 of it", r, got, want)
	}
}

// A matrix of low rank is found to the last digits, whatever more is asked for, and the rest is known to be rounding.
func TestDecomposeLowRank(t *testing.T) {
	A := spectrum(100, 140, func(k int) float64 { return []float64{3, 2, .5, 0}[min(k, 3)] })
	s := decompose(A, 8)
	if len(s.sigma) != 3 {
		t.Fatalf("singular values %v, expected 3, 2, 0.5 and no more", s.sigma)
	}
	for k, want := range []float64{3, 2, .5} {
		if math.Abs(s.sigma[k]-want) > 1e-12 {
			t.Errorf("singular value %d is %.15f, expected %g", k, s.sigma[k], want)
		}
	}
	checkVectors(t, A, s, 1e-12)
	if s := decompose(mat.NewDense(100, 140, nil), 8); len(s.sigma) != 0 {
		t.Errorf("zeros have singular values %v", s.sigma)
	}
}

// The same matrix gives the same bits on any number of cores, and the sign does not depend on A's.
func TestDecomposeIsDetermined(t *testing.T) {
	A := normal(300, 500, 4)
	want := decompose(A, 5)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	got := decompose(A, 5)
	if !slices.Equal(got.sigma, want.sigma) || !mat.Equal(got.u, want.u) || !mat.Equal(got.v, want.v) {
		t.Error("one core gives other bits than several")
	}
	var minus mat.Dense
	minus.Scale(-1, A)
	got = decompose(&minus, 5)
	for k := range want.sigma {
		if cos := mat.Dot(got.v.RowView(k), want.v.RowView(k)); math.Abs(cos-1) > 1e-9 {
			t.Errorf("v%d of -A has cosine %f to that of A, expected 1: the sign is u's", k, cos)
		}
	}
}
