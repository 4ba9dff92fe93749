package vit

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/support/exceptions"

	"samediff/sdlib/ops"
)

// This file is the model, from leaf to root. Shapes at the ends of lines:
// B batch, T tokens, D width, H heads, d = D/H, L blocks, C classes, g patches per side.
// N is the number of tokens whose stream a block computes, the first N of T. It is T, but for one
// case: where only the logits are needed, the last block may compute CLS alone (logitsonly.go).
// What a trace shows or edits has N = T.
// Where families differ, the line asks f, their row of the table in families.go.
// How products and sums are computed, to be fast on each backend, stands in package ops.
// As everywhere in GoMLX, functions that build a graph panic on a programmer's error.

// linear is y = x Wᵀ + b, over the last axis of x.
func (p *pass) linear(x *Node, l Linear[*Node]) *Node { return p.ops.Linear(x, l.W, l.B) }

// norm is y = (x - μ)/√(σ² + ε) ⊙ γ + β, over the last axis of x.
func (p *pass) norm(x *Node, n Norm[*Node]) *Node {
	return p.ops.LayerNorm(x, n.Scale, n.Shift, p.c.NormEps)
}

// activation is the MLP's nonlinearity.
func (p *pass) activation(x *Node) *Node {
	switch p.c.MLPActivation() {
	case ReLU: // max(x, 0)
		return activation.Relu(x)
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
func (p *pass) patches(images *Node, w Linear[*Node]) *Node {
	if s := images.Shape(); s.Rank() != 4 || s.Dim(1) != p.c.Image || s.Dim(2) != p.c.Image {
		exceptions.Panicf("vit: images of shape %s, expected (Uint8)[B, %d, %d, 3]", s, p.c.Image, p.c.Image)
	}
	B, D, g, side := images.Shape().Dim(0), p.c.Width, p.c.Grid(), p.c.Patch
	if seen := g * side; seen < p.c.Image { // a convolution does not reach the pixels that fill no patch
		images = Slice(images, AxisRange(), AxisRangeFromStart(seen), AxisRangeFromStart(seen))
	}
	x := Reshape(p.c.Pixels(images), B, g, side, g, side, 3)
	x = TransposeAllAxes(x, 0, 1, 3, 2, 4, 5)   // [B, g, g, side, side, 3]
	x = Reshape(x, B, g*g, side*side*3)         // [B, g², side·side·3]
	kernel := TransposeAllAxes(w.W, 0, 2, 3, 1) // [D, side, side, 3]: a convolution whose stride is the patch is a product with each patch
	kernel = Reshape(kernel, D, side*side*3)
	return p.linear(x, Linear[*Node]{kernel, w.B}) // [B, g², D]
}

// embed turns an image into the residual stream that block 0 finds: the family's special
// tokens, then the patches, with positions added.
func (p *pass) embed(w *Weights[*Node], images *Node) *Node {
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

// attention lets the tokens asking [B, N, D] read from all tokens x [B, T, D]: every head h forms
// queries of the first, keys and values of the second, A = softmax(q kᵀ / √d), and hands on A v.
func (p *pass) attention(asking, x *Node, b Block[*Node], l int) *Node {
	B, N, H, d := x.Shape().Dim(0), asking.Shape().Dim(1), p.c.Heads, p.c.HeadDim()
	layer := func(x *Node, l Linear[*Node]) ops.Layer { return ops.Layer{X: x, W: l.W, B: l.B} }
	qkv := p.ops.Heads(H, layer(asking, b.Q), layer(x, b.K), layer(x, b.V))
	q := p.node(l, "attn/q", qkv[0]) // [B, N, H, d]
	k := p.node(l, "attn/k", qkv[1]) // [B, T, H, d]
	v := p.node(l, "attn/v", qkv[2]) // [B, T, H, d]
	scores := MulScalar(p.ops.Einsum("bqhd,bkhd->bhqk", q, k), 1/math.Sqrt(float64(d)))
	scores = p.node(l, "attn/scores", scores)             // [B, H, N, T]
	A := p.node(l, "attn/weights", p.ops.Softmax(scores)) // [B, H, N, T]
	z := p.keepHeads(p.ops.Einsum("bhqk,bkhd->bqhd", A, v), l)
	z = p.node(l, "attn/heads", z)              // [B, N, H, d]
	return p.linear(Reshape(z, B, N, H*d), b.O) // [B, N, D]
}

// mlp works on each token of x [B, N, D] alone.
func (p *pass) mlp(x *Node, b Block[*Node], l int) *Node {
	hidden := p.node(l, "mlp/hidden", p.activation(p.linear(x, b.Up))) // [B, N, MLP]
	return p.linear(hidden, b.Down)                                    // [B, N, D]
}

// scale is LayerScale, λ ⊙ x, in families that have it.
func (p *pass) scale(x, λ *Node) *Node {
	if !p.f.LayerScale {
		return x
	}
	return Mul(x, ExpandLeftToRank(λ, x.Rank()))
}

// block adds to the residual stream x [B, T, D] what attention and MLP of block l compute from
// it, and returns the stream of the first N tokens.
func (p *pass) block(x *Node, b Block[*Node], l, N int) *Node {
	all := p.node(l, "resid_pre", x) // [B, T, D]
	x = first(all, N)                // [B, N, D]
	y := p.norm(all, b.Norm1)        // [B, T, D]
	x = p.node(l, "resid_mid", Add(x, p.node(l, "attn/out", p.scale(p.attention(first(y, N), y, b, l), b.Scale1))))
	y = p.norm(x, b.Norm2) // [B, N, D]
	return p.node(l, "resid_post", Add(x, p.node(l, "mlp/out", p.scale(p.mlp(y, b, l), b.Scale2))))
}

// read is what the head reads of the tokens x [B, N, D].
func (p *pass) read(x *Node) *Node {
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

// blocks goes through the blocks from one on, and reads the answer from what the last one left.
func (p *pass) blocks(x *Node, from int, w *Weights[*Node]) *Node {
	for l := from; l < p.c.Blocks; l++ {
		x = p.block(x, w.Blocks[l], l, p.needed(l))
	}
	x = p.trace.node("final", p.norm(x, w.Norm))               // [B, N, D]
	return p.trace.node("logits", p.linear(p.read(x), w.Head)) // [B, C]
}

// Forward runs the model on images, uint8 [B, height, width, 3], and returns the
// logits [B, C] and the trace of what was asked for with [Want].
func Forward(c Config, w *Weights[*Node], images *Node, opts ...Option) (logits *Node, trace *Trace) {
	p := newPass(c, images.Graph(), fromPixels, opts)
	x := p.trace.node("embed", p.embed(w, images)) // [B, T, D]
	return p.blocks(p.keepVisible(x), 0, w), p.trace
}

// ForwardFrom goes on from the residual stream resid [B, T, D] as block l left it
// (its resid_post; l = -1 is the embedding) and returns what Forward returns.
// Given an unedited stream it gives the logits of the whole pass, bit for bit. After the last
// block nothing mixes tokens any more, and a stream may have any number of them behind those of [Config.Prefix].
func ForwardFrom(c Config, w *Weights[*Node], l int, resid *Node, opts ...Option) (logits *Node, trace *Trace) {
	if l < -1 || l >= c.Blocks {
		exceptions.Panicf("vit: there is no block %d to go on from: expected -1 (the embedding) to %d", l, c.Blocks-1)
	}
	if s := resid.Shape(); s.DType != dtypes.Float32 || s.Rank() != 3 || (s.Dim(1) != c.Tokens() && (l < c.Blocks-1 || s.Dim(1) <= c.Prefix())) || s.Dim(2) != c.Width {
		exceptions.Panicf("vit: a residual stream of shape %s, expected (Float32)[B, %d, %d]", s, c.Tokens(), c.Width)
	}
	p := newPass(c, resid.Graph(), l, opts)
	return p.blocks(resid, l+1, w), p.trace
}
