package das

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Angles returns the principal angles between the subspaces that two interventions swap, in radians
// from the smallest: as many as the smaller subspace has dimensions. 0 is a direction
// that lies in both, π/2 one that is orthogonal to the other subspace. Their cosines are the
// singular values of AᵀB, where the columns of A and B are orthonormal bases (Björck & Golub 1973).
func Angles(a, b *Intervention) ([]float64, error) {
	if a.Model != b.Model || a.Config.Width != b.Config.Width {
		return nil, fmt.Errorf("das: angles between subspaces of models %.12s and %.12s: expected one model", a.Model, b.Model)
	}
	A, B := a.Directions(), b.Directions()
	if len(A) == 0 || len(B) == 0 {
		return nil, fmt.Errorf("das: angles between subspaces of %d and %d dimensions: expected at least one in each", len(A), len(B))
	}
	cosines := mat.NewDense(len(A), len(B), nil)
	for i, x := range A {
		for j, y := range B {
			dot := 0.
			for k := range x {
				dot += float64(x[k]) * float64(y[k])
			}
			cosines.Set(i, j, dot)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(cosines, mat.SVDNone) {
		return nil, fmt.Errorf("das: the angles between subspaces of %d and %d dimensions could not be computed", len(A), len(B))
	}
	values := svd.Values(nil) // from the largest
	for i, c := range values {
		values[i] = math.Acos(min(1, c))
	}
	return values, nil
}

// Overlap returns how much of the smaller of two interventions' subspaces lies in the larger one: Σ cos² θ over the
// principal angles of [Angles], divided by their number, 1 where it lies in it and 0 where they are orthogonal.
// Chance is the expectation for a random subspace, which is k/D for a larger one of k dimensions.
func Overlap(a, b *Intervention) (overlap, chance float64, err error) {
	angles, err := Angles(a, b)
	if err != nil {
		return 0, 0, err
	}
	for _, θ := range angles {
		overlap += math.Cos(θ) * math.Cos(θ) / float64(len(angles))
	}
	return overlap, float64(max(a.Dims(), b.Dims())) / float64(a.Config.Width), nil
}
