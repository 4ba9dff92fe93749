package attention

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Mass returns mass(o → X), the share of the attention of object o's tokens that goes to
// the tokens of a set X, for every head: [B, H, O, X]. B batch, H heads, O objects, X sets,
// T tokens.
//
// A [B, H, T, T] are attention weights, query by key. rows [B, O, T] is 1/|o| at the tokens
// of each object and 0 elsewhere. in is 1 where a token belongs to a set and 0 elsewhere:
// [B, X, T] for sets that are the same for all objects, [B, O, T, X] for sets as seen from
// each object.
//
// The scores of [Analyze] and the pipeline loss of package finetune are made of it.
func Mass(A, rows, in *Node) *Node {
	from := Einsum("boq,bhqk->bhok", rows, A) // [B, H, O, T] an object's mean row
	if in.Rank() == 4 {
		return Einsum("bhok,bokx->bhox", from, in)
	}
	return Einsum("bhok,bxk->bhox", from, in)
}
