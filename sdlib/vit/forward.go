package vit

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/gomlx/gomlx/support/exceptions"
)

// This file is the model, from leaf to root. Shapes at the ends of lines:
// B batch, T tokens with CLS, D width, H heads, L blocks, C classes, g patches per side.
// As everywhere in GoMLX, functions that build a graph panic on a programmer's error.

// linear is y = x Wᵀ + b, over the last axis of x.
func linear(x *Node, l Linear[*Node]) *Node {
	return nn.Dense(x, l.W, l.B, compute.DenseLayoutOutputsInput)
}

func (c Config) norm(x *Node, n Norm[*Node]) *Node {
	return nn.LayerNorm(x, []int{-1}, c.NormEps, n.Scale, n.Shift, nil)
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

// embed cuts an image into patches and gives each its vector, with CLS in front and positions added.
func (c Config) embed(w *Weights[*Node], images *Node) *Node {
	if s := images.Shape(); s.Rank() != 4 || s.Dim(1) != c.Image || s.Dim(2) != c.Image {
		exceptions.Panicf("vit: images of shape %s, expected (Uint8)[B, %d, %d, 3]", s, c.Image, c.Image)
	}
	B, D, g, p := images.Shape().Dim(0), c.Width, c.Grid(), c.Patch
	x := Reshape(c.Pixels(images), B, g, p, g, p, 3)
	x = TransposeAllAxes(x, 0, 1, 3, 2, 4, 5)         // [B, g, g, p, p, 3]
	x = Reshape(x, B, g*g, p*p*3)                     // [B, T-1, p·p·3]
	kernel := TransposeAllAxes(w.Patch.W, 0, 2, 3, 1) // [D, p, p, 3]: a convolution of stride p is a product with each patch
	x = linear(x, Linear[*Node]{Reshape(kernel, D, p*p*3), w.Patch.B})
	x = Concatenate([]*Node{BroadcastToDims(w.CLS, B, 1, D), x}, 1) // [B, T, D]
	return Add(x, w.Pos)
}

// attention lets tokens read from each other: every head h forms queries, keys and values,
// A = softmax(q kᵀ / √(D/H)), and hands on A v.
func (c Config) attention(x *Node, b Block[*Node], t *Trace, l int) *Node {
	B, T, H, d := x.Shape().Dim(0), x.Shape().Dim(1), c.Heads, c.HeadDim()
	heads := func(name string, w Linear[*Node]) *Node {
		return t.node(BlockNode(l, name), Reshape(linear(x, w), B, T, H, d)) // [B, T, H, d]
	}
	q, k, v := heads("attn/q", b.Q), heads("attn/k", b.K), heads("attn/v", b.V)
	scores := MulScalar(Einsum("bqhd,bkhd->bhqk", q, k), 1/math.Sqrt(float64(d))) // [B, H, T, T]
	scores = t.node(BlockNode(l, "attn/scores"), scores)
	A := t.node(BlockNode(l, "attn/weights"), Softmax(scores, -1))
	z := t.node(BlockNode(l, "attn/heads"), Einsum("bhqk,bkhd->bqhd", A, v)) // [B, T, H, d]
	return linear(Reshape(z, B, T, H*d), b.O)
}

// mlp works on each token alone.
func (c Config) mlp(x *Node, b Block[*Node], t *Trace, l int) *Node {
	hidden := t.node(BlockNode(l, "mlp/hidden"), activation.Gelu(linear(x, b.Up))) // [B, T, MLP]
	return linear(hidden, b.Down)
}

// block adds to the residual stream x [B, T, D] what block l has to say.
func (c Config) block(x *Node, b Block[*Node], t *Trace, l int) *Node {
	node := func(name string, x *Node) *Node { return t.node(BlockNode(l, name), x) }
	x = node("resid_pre", x)
	x = node("resid_mid", Add(x, node("attn/out", c.attention(c.norm(x, b.Norm1), b, t, l))))
	return node("resid_post", Add(x, node("mlp/out", c.mlp(c.norm(x, b.Norm2), b, t, l))))
}

// head reads the answer from the CLS token.
func (c Config) head(x *Node, w *Weights[*Node], t *Trace) *Node {
	x = t.node("final", c.norm(x, w.Norm)) // [B, T, D]
	cls := Squeeze(Slice(x, AxisRange(), AxisElem(0), AxisRange()), 1)
	return t.node("logits", linear(cls, w.Head)) // [B, C]
}

// Forward runs the model on images, uint8 [B, height, width, 3], and returns the
// logits [B, C] and the trace of what was asked for with [Want].
func Forward(c Config, w *Weights[*Node], images *Node, opts ...Option) (logits *Node, trace *Trace) {
	trace = newTrace(c, fromPixels, opts)
	x := trace.node("embed", c.embed(w, images))
	return c.blocks(x, 0, w, trace), trace
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
	trace = newTrace(c, l, opts)
	return c.blocks(resid, l+1, w, trace), trace
}

func (c Config) blocks(x *Node, from int, w *Weights[*Node], t *Trace) *Node {
	for l := from; l < c.Blocks; l++ {
		x = c.block(x, w.Blocks[l], t, l)
	}
	return c.head(x, w, t)
}
