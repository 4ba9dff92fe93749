package vit

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Visible leaves patches out behind the embedding, as MAE's encoder does (He et al. 2022, section 3): of each image only those
// that patches names, int32 [B, V], raster indices without the prefix, go on, in that order, behind CLS and what else stands in front.
// All values but "embed" then have Prefix + V tokens. Positions are added before, so a patch keeps its own.
func Visible(patches *Node) Option {
	if s := patches.Shape(); s.DType != dtypes.Int32 || s.Rank() != 2 {
		exceptions.Panicf("vit: visible patches of shape %s, expected (Int32)[B, V]", s)
	}
	return func(p *pass) { p.visible = patches }
}

// tokens is T, the number of tokens of the residual stream.
func (p *pass) tokens() int {
	if p.visible == nil {
		return p.c.Tokens()
	}
	return p.c.Prefix() + p.visible.Shape().Dim(1)
}

// keepVisible picks the visible tokens of x [B, T, D]. It is written as a product with a one-hot matrix, whose gradient is
// several times faster on a CPU than a gather's.
func (p *pass) keepVisible(x *Node) *Node {
	if p.visible == nil {
		return x
	}
	if B, got := x.Shape().Dim(0), p.visible.Shape(); got.Dim(0) != B || got.Dim(1) > p.c.Tokens()-p.c.Prefix() {
		exceptions.Panicf("vit: visible patches of shape %s, expected (Int32)[%d, up to %d]", got, B, p.c.Tokens()-p.c.Prefix())
	}
	front, patches := Slice(x, AxisRange(), AxisRangeFromStart(p.c.Prefix())), Slice(x, AxisRange(), AxisRangeToEnd(p.c.Prefix()))
	kept := Einsum("bvt,btd->bvd", OneHot(p.visible, patches.Shape().Dim(1), x.DType()), patches)
	if p.c.Prefix() == 0 {
		return kept
	}
	return Concatenate([]*Node{front, kept}, 1)
}
