package vit

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Parts is the residual stream as the last block leaves it, taken apart into what wrote it:
//
//	resid_post = Embed + Σ_l (Σ_h Heads[l][h] + Bias[l] + MLP[l])
//
// So what lies in a direction of the stream, such as a probe's or the head's, is a sum of what
// single heads and MLPs wrote in it.
type Parts struct {
	Embed *Node   // [B, T, D]
	Heads []*Node // per block [B, H, T, D]
	Bias  []*Node // per block [D], of attention's output layer, which belongs to no head
	MLP   []*Node // per block [B, T, D]
}

// PartNodes are the values to [Want] from a whole pass that is going to be decomposed.
var PartNodes = []string{"embed", "block*/attn/heads", "block*/mlp/out"}

// Decompose takes the residual stream of a pass apart. The trace must hold [PartNodes].
func Decompose(w *Weights[*Node], trace *Trace) Parts {
	p := trace.pass
	parts := Parts{Embed: trace.Get("embed")}
	for l, b := range w.Blocks {
		// attn/out = λ ⊙ (b_O + Σ_h W_O[h] z[h]), where W_O[h] are the columns that head h meets
		z := trace.Get(BlockNode(l, "attn/heads"))                     // [B, T, H, d]
		columns := Reshape(b.O.W, p.c.Width, p.c.Heads, p.c.HeadDim()) // [D, H, d]
		heads := p.ops.Einsum("bthd,ohd->bhto", z, columns)            // [B, H, T, D]
		parts.Heads = append(parts.Heads, p.scale(heads, b.Scale1))
		parts.Bias = append(parts.Bias, p.scale(b.O.B, b.Scale1))
		parts.MLP = append(parts.MLP, trace.Get(BlockNode(l, "mlp/out")))
	}
	return parts
}

// Sum puts the parts together again: the residual stream [B, T, D].
func (p Parts) Sum() *Node {
	x := p.Embed
	for l := range p.Heads {
		attention := Add(ReduceSum(p.Heads[l], 1), ExpandLeftToRank(p.Bias[l], x.Rank()))
		x = Add(Add(x, attention), p.MLP[l])
	}
	return x
}
