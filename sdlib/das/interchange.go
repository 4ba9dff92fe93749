package das

import . "github.com/gomlx/gomlx/core/graph"

// This file is the intervention. Shapes: B pairs, T tokens, K tokens that are written to, D width.

// interchange gives a residual stream base [B, T, D] at some tokens what source [B, K, D] has in
// a subspace. R [D, D] is orthogonal, and s [D] says how much of each of its directions, the
// columns of R, is swapped. With row vectors b and c of base and source (paper, section 4)
//
//	out = [(1 - s) ⊙ bR + s ⊙ cR] Rᵀ = b + [s ⊙ (c - b)R] Rᵀ
//
// The right-hand side needs one product less, and leaves b as it is, to the bit, where s is 0.
// tokens, int32 [B, K], count from the stream's first, CLS.
func interchange(base, source, tokens, R, s *Node) *Node {
	at := OneHot(tokens, base.Shape().Dim(1), base.DType()) // [B, K, T]
	b := Einsum("bkt,btd->bkd", at, base)                   // exact: one factor is 1, the others 0
	swapped := Mul(Einsum("bkd,dj->bkj", Sub(source, b), R), ExpandLeftToRank(s, 3))
	change := Einsum("bkj,dj->bkd", swapped, R)
	return Add(base, Einsum("bkt,bkd->btd", at, change))
}

// shuffled permutes tokens: source [B, P, D] becomes [B, P, D] with token order[b, p] of pair b
// in place p. order is int32 [B, P].
func shuffled(source, order *Node) *Node {
	P := source.Shape().Dim(1)
	return Einsum("bpq,bqd->bpd", OneHot(order, P, source.DType()), source)
}
