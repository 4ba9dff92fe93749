package vit

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/support/exceptions"

	"samediff/sdlib/backend"
)

// This file is the model, from leaf to root. Shapes at the ends of lines:
// B batch, T tokens, D width, H heads, d = D/H, L blocks, C classes, g patches per side.
// Where families differ, the line asks f, their row of the table in families.go.
// As everywhere in GoMLX, functions that build a graph panic on a programmer's error.

// A pass is one forward pass being built: the model's sizes, its family's traits, and
// the trace through which named values go.
type pass struct {
	c Config
	f Traits
	t *Trace
}

// linear is y = x Wᵀ + b, over the last axis of x.
func (p pass) linear(x *Node, l Linear[*Node]) *Node { return p.t.precision.linear(x, l) }

// norm is y = (x - μ)/√(σ² + ε) ⊙ γ + β over the last axis of x [B, T, D]. A backend that
// has the whole of it as one operation is asked for that.
func (p pass) norm(x *Node, n Norm[*Node]) *Node {
	axis := x.Rank() - 1
	y, _ := InternalFusedOpCaller(
		func() *Node { return BackendFusedLayerNorm(x, []int{axis}, p.c.NormEps, n.Scale, n.Shift) },
		func() *Node {
			D := x.Shape().Dim(axis)
			mean := func(x *Node) *Node { return DivScalar(rowSum(x), float64(D)) } // [B, T, 1]
			centered := Sub(x, alongRow(mean(x), D))
			y := Div(centered, alongRow(Sqrt(AddScalar(mean(Square(centered)), p.c.NormEps)), D))
			return Add(Mul(y, everywhere(n.Scale, y)), everywhere(n.Shift, y))
		}, true)
	return y
}

// softmax is eˣ / Σ eˣ over the last axis of x.
func softmax(x *Node) *Node {
	axis := x.Rank() - 1
	y, _ := InternalFusedOpCaller(
		func() *Node { return BackendFusedSoftmax(x, axis) },
		func() *Node {
			e := Exp(Sub(x, StopGradient(ReduceAndKeep(x, ReduceMax, axis)))) // the largest is 1
			return Div(e, alongRow(rowSum(e), x.Shape().Dim(axis)))
		}, true)
	return y
}

// The next three are sums along the axes of a value, and what undoes them. XLA on a CPU sums
// on one lane; its products take half the time and less. So there a sum is a product with
// ones, and a repetition too, whose gradient is a sum (XLA repeats all the same). Elsewhere
// they are what they are called: a GPU may compute products in TF32, and sums as fast.

// rowSum sums over the last axis and keeps it: [..., n] gives [..., 1].
func rowSum(x *Node) *Node {
	axis := x.Rank() - 1
	if !onXLACPU(x) {
		return ReduceAndKeep(x, ReduceSum, axis)
	}
	return Dot(x, ones(x, x.Shape().Dim(axis), 1)).General([]int{axis}, nil, []int{0}, nil)
}

// alongRow repeats x [..., 1] n times along the last axis, or leaves that to the operation
// which takes it.
func alongRow(x *Node, n int) *Node {
	if !onXLACPU(x) {
		return x
	}
	return Dot(x, ones(x, 1, n)).General([]int{x.Rank() - 1}, nil, []int{0}, nil)
}

// everywhere repeats v [D] for every token of x [B, T, D] or [B, D], or leaves that to the
// operation which takes it. The gradient is a sum over the tokens of each image, then over images.
func everywhere(v, x *Node) *Node {
	if !onXLACPU(x) {
		return ExpandLeftToRank(v, x.Rank())
	}
	B, D := x.Shape().Dim(0), x.Shape().Dim(-1)
	v = Dot(ones(v, B, 1), Reshape(v, 1, D)).Product() // [B, D]
	if x.Rank() == 3 {
		v = Dot(ones(v, B, x.Shape().Dim(1), 1), Reshape(v, B, 1, D)).General([]int{2}, []int{0}, []int{1}, []int{0})
	}
	return v
}

// onXLACPU tells whether XLA runs the graph of x on a CPU.
func onXLACPU(x *Node) bool { return backend.Of(x.Graph().Backend()).IsCPU() }

// ones is a constant of ones, of the type of x.
func ones(x *Node, dims ...int) *Node { return Ones(x.Graph(), shapes.Make(x.DType(), dims...)) }

// activation is the MLP's nonlinearity.
func (p pass) activation(x *Node) *Node {
	switch p.f.Activation {
	case QuickGELU: // x σ(1.702 x)
		return Mul(x, Sigmoid(MulScalar(x, 1.702)))
	case TanhGELU: // x ½ (1 + tanh(√(2/π) (x + .044715 x³)))
		cubic := Add(x, MulScalar(Mul(x, Mul(x, x)), .044715))
		return Mul(x, MulScalar(OnePlus(Tanh(MulScalar(cubic, math.Sqrt(2/math.Pi)))), .5))
	}
	return activation.Gelu(x) // x Φ(x)
}

// Pixels turns bytes into what the model sees: (x/255 - mean) / std per channel.
// images is uint8 [B, height, width, 3]; the result is float32 of the same shape.
func (c Config) Pixels(images *Node) *Node {
	if s := images.Shape(); s.DType != dtypes.Uint8 || s.Rank() != 4 || s.Dim(3) != 3 {
		exceptions.Panicf("vit: images of shape %s, expected bytes, (Uint8)[B, height, width, 3]: scaling and normalization belong to the model", s)
	}
	g := images.Graph()
	channel := func(of func(i int) float64) *Node {
		return Const(g, [][][][]float32{{{{float32(of(0)), float32(of(1)), float32(of(2))}}}})
	}
	scale := channel(func(i int) float64 { return 1 / (255 * c.Std[i]) })
	shift := channel(func(i int) float64 { return -c.Mean[i] / c.Std[i] })
	return Add(Mul(ConvertDType(images, dtypes.Float32), scale), shift)
}

// patches cuts an image into patches and gives each its vector.
func (p pass) patches(images *Node, w Linear[*Node]) *Node {
	if s := images.Shape(); s.Rank() != 4 || s.Dim(1) != p.c.Image || s.Dim(2) != p.c.Image {
		exceptions.Panicf("vit: images of shape %s, expected (Uint8)[B, %d, %d, 3]", s, p.c.Image, p.c.Image)
	}
	B, D, g, side := images.Shape().Dim(0), p.c.Width, p.c.Grid(), p.c.Patch
	x := Reshape(p.c.Pixels(images), B, g, side, g, side, 3)
	x = TransposeAllAxes(x, 0, 1, 3, 2, 4, 5)   // [B, g, g, side, side, 3]
	x = Reshape(x, B, g*g, side*side*3)         // [B, g², side·side·3]
	kernel := TransposeAllAxes(w.W, 0, 2, 3, 1) // [D, side, side, 3]: a convolution whose stride is the patch is a product with each patch
	kernel = Reshape(kernel, D, side*side*3)
	return p.linear(x, Linear[*Node]{kernel, w.B}) // [B, g², D]
}

// embed turns an image into the residual stream that block 0 finds: the family's special
// tokens, then the patches, with positions added.
func (p pass) embed(w *Weights[*Node], images *Node) *Node {
	x := p.patches(images, w.Patch) // [B, g², D]
	each := func(token *Node) *Node {
		return BroadcastToDims(token, x.Shape().Dim(0), token.Shape().Dim(1), p.c.Width)
	}
	if p.f.Distill {
		x = Concatenate([]*Node{each(w.Distill), x}, 1)
	}
	if p.f.CLS {
		x = Concatenate([]*Node{each(w.CLS), x}, 1)
	}
	x = Add(x, p.c.positions(w.Pos))
	if p.f.Registers { // behind CLS; they have no positions
		cls, patches := Slice(x, AxisRange(), AxisRangeFromStart(1)), Slice(x, AxisRange(), AxisRangeToEnd(1))
		x = Concatenate([]*Node{cls, each(w.Registers), patches}, 1)
	}
	if p.f.PreNorm {
		x = p.norm(x, w.PreNorm)
	}
	return x // [B, T, D]
}

// attention lets tokens read from each other: every head h forms queries, keys and values,
// A = softmax(q kᵀ / √d), and hands on A v.
//
// Only the first n tokens ask, all answer: the result is [B, n, D].
func (p pass) attention(x *Node, b Block[*Node], l, n int) *Node {
	B, T, H, d := x.Shape().Dim(0), x.Shape().Dim(1), p.c.Heads, p.c.HeadDim()
	var qkv []*Node // [B, T, H, d]
	if n == T {     // one product takes less time than three
		qkv = p.heads(x, b.Q, b.K, b.V)
	} else {
		qkv = append(p.heads(first(x, n), b.Q), p.heads(x, b.K, b.V)...)
	}
	q, k, v := p.t.node(BlockNode(l, "attn/q"), qkv[0]), p.t.node(BlockNode(l, "attn/k"), qkv[1]), p.t.node(BlockNode(l, "attn/v"), qkv[2])
	product := p.t.precision.einsum
	scores := MulScalar(product("bqhd,bkhd->bhqk", q, k), 1/math.Sqrt(float64(d))) // [B, H, T, T]
	scores = p.t.node(BlockNode(l, "attn/scores"), scores)
	A := p.t.node(BlockNode(l, "attn/weights"), softmax(scores))
	z := p.t.node(BlockNode(l, "attn/heads"), p.keepHeads(product("bhqk,bkhd->bqhd", A, v), l)) // [B, T, H, d]
	return p.linear(Reshape(z, B, n, H*d), b.O)
}

// heads applies layers of the same shape to x [B, T, D] in one product, and gives each one's
// result by heads, [B, T, H, d].
func (p pass) heads(x *Node, layers ...Linear[*Node]) []*Node {
	var w, b []*Node
	for _, l := range layers {
		w = append(w, l.W)
		if l.B != nil {
			b = append(b, l.B)
		}
	}
	joined := Linear[*Node]{W: Concatenate(w, 0)}
	if len(b) > 0 {
		joined.B = Concatenate(b, 0)
	}
	B, T, H := x.Shape().Dim(0), x.Shape().Dim(1), p.c.Heads
	y := Reshape(p.linear(x, joined), B, T, len(layers), H, p.c.HeadDim())
	out := make([]*Node, len(layers))
	for i := range out {
		out[i] = Squeeze(Slice(y, AxisRange(), AxisRange(), AxisElem(i)), 2)
	}
	return out
}

// first is the first n tokens of x [B, T, D].
func first(x *Node, n int) *Node {
	if n == x.Shape().Dim(1) {
		return x
	}
	return Slice(x, AxisRange(), AxisRangeFromStart(n))
}

// mlp works on each token alone.
func (p pass) mlp(x *Node, b Block[*Node], l int) *Node {
	hidden := p.t.node(BlockNode(l, "mlp/hidden"), p.activation(p.linear(x, b.Up))) // [B, T, MLP]
	return p.linear(hidden, b.Down)
}

// scale is LayerScale, λ ⊙ x, in families that have it.
func (p pass) scale(x, λ *Node) *Node {
	if !p.f.LayerScale {
		return x
	}
	return Mul(x, ExpandLeftToRank(λ, x.Rank()))
}

// block adds to the residual stream x [B, T, D] what block l has to say, and returns its
// first n tokens.
func (p pass) block(x *Node, b Block[*Node], l, n int) *Node {
	node := func(name string, x *Node) *Node { return p.t.node(BlockNode(l, name), x) }
	x = node("resid_pre", x)
	x = node("resid_mid", Add(first(x, n), node("attn/out", p.scale(p.attention(p.norm(x, b.Norm1), b, l, n), b.Scale1))))
	return node("resid_post", Add(x, node("mlp/out", p.scale(p.mlp(p.norm(x, b.Norm2), b, l), b.Scale2))))
}

// read is what the head reads of the tokens x [B, T, D].
func (p pass) read(x *Node) *Node {
	cls := func() *Node { return Squeeze(Slice(x, AxisRange(), AxisElem(0)), 1) }                      // [B, D]
	mean := func() *Node { return ReduceMean(Slice(x, AxisRange(), AxisRangeToEnd(p.c.Prefix())), 1) } // [B, D] of the patches
	switch p.f.Readout {
	case ReadMean:
		return mean()
	case ReadCLSMean:
		return Concatenate([]*Node{cls(), mean()}, -1)
	}
	return cls()
}

// needed is how many of the T tokens block l has to hand on. With [LogitsOnly], where the head
// reads CLS alone, the last block computes no other token's stream, unless something of that
// is asked for or changed.
func (p pass) needed(l, T int) int {
	if l == p.c.Blocks-1 && p.t.logitsOnly && p.f.Readout == ReadCLS && !p.t.touches(l) {
		return 1
	}
	return T
}

// blocks goes through the blocks from one on, and reads the answer from what the last one left.
func (p pass) blocks(x *Node, from int, w *Weights[*Node]) *Node {
	for l := from; l < p.c.Blocks; l++ {
		x = p.block(x, w.Blocks[l], l, p.needed(l, x.Shape().Dim(1)))
	}
	x = p.t.node("final", p.norm(x, w.Norm))               // [B, T, D]
	return p.t.node("logits", p.linear(p.read(x), w.Head)) // [B, C]
}

// Forward runs the model on images, uint8 [B, height, width, 3], and returns the
// logits [B, C] and the trace of what was asked for with [Want].
func Forward(c Config, w *Weights[*Node], images *Node, opts ...Option) (logits *Node, trace *Trace) {
	p := pass{c, c.Family.Traits(), newTrace(c, fromPixels, opts)}
	x := p.t.node("embed", p.embed(w, images))
	return p.blocks(x, 0, w), p.t
}

// ForwardFrom goes on from the residual stream resid [B, T, D] as block l left it
// (its resid_post; l = -1 is the embedding) and returns what Forward returns.
// Given an unedited stream it gives the logits of the whole pass, bit for bit.
func ForwardFrom(c Config, w *Weights[*Node], l int, resid *Node, opts ...Option) (logits *Node, trace *Trace) {
	if l < -1 || l >= c.Blocks {
		exceptions.Panicf("vit: there is no block %d to go on from: expected -1 (the embedding) to %d", l, c.Blocks-1)
	}
	if s := resid.Shape(); s.DType != dtypes.Float32 || s.Rank() != 3 || s.Dim(1) != c.Tokens() || s.Dim(2) != c.Width {
		exceptions.Panicf("vit: a residual stream of shape %s, expected (Float32)[B, %d, %d]", s, c.Tokens(), c.Width)
	}
	p := pass{c, c.Family.Traits(), newTrace(c, l, opts)}
	return p.blocks(resid, l+1, w), p.t
}
