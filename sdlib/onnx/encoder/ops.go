package encoder

import (
	"math"
	"slices"

	"samediff/sdlib/onnx"
)

// Operations that compute: elementwise functions, means, layers, and their rounded forms.

func (r *reader) divide(_ *onnx.Node, in []value) value {
	if c, ok := in[1].scalar(); ok && in[0].t != nil && c != 0 {
		return r.scale(in[0], 1/c)
	}
	if c, ok := in[0].scalar(); ok && in[1].t != nil {
		return r.scale(r.power(in[1], -1), c)
	}
	return r.times(in[0], r.power(in[1], -1))
}

func (r *reader) raise(_ *onnx.Node, in []value) value {
	p, ok := in[1].scalar()
	if !ok || in[0].t == nil {
		return r.unknown("a power that is not known")
	}
	return r.power(in[0], p)
}

func (r *reader) root(_ *onnx.Node, in []value) value    { return r.power(in[0], .5) }
func (r *reader) inverse(_ *onnx.Node, in []value) value { return r.power(in[0], -1) }
func (r *reader) negate(_ *onnx.Node, in []value) value  { return r.scale(in[0], -1) }

func (r *reader) elementwise(n *onnx.Node, in []value) value { return r.function(n.Op, in[0]) }

func (r *reader) relu(_ *onnx.Node, in []value) value { return r.function(relu, in[0]) }

func (r *reader) function(name string, x value) value {
	if x.t == nil {
		return r.unknown("a %s of a constant", name)
	}
	return value{t: r.add(&term{kind: function, name: name, args: []value{of(x.t)}}), l: x.l}
}

// gelu is ONNX's Gelu, and onnxruntime's four.
func (r *reader) gelu(n *onnx.Node, in []value) value {
	x, name := in[0], gelu
	switch {
	case n.Op == "FastGelu" || textOf(n, "approximate", "none") == "tanh":
		name = tanhGELU
	case n.Op == "QuickGelu":
		if name = quickGELU; !near(floatOf(n, "alpha", 1.702), 1.702) {
			return r.unknown("a quick GELU with α = %g", floatOf(n, "alpha", 1.702))
		}
	}
	if n.Op != "QuickGelu" && (in[1].t != nil || in[1].lit != nil) { // onnxruntime adds a bias before
		x = r.sum(x, in[1])
	}
	if x.is(other) {
		return x
	}
	return r.function(name, x)
}

func (r *reader) mean(n *onnx.Node, in []value) value {
	x := in[0]
	axes, ok := axesOf(n, in[1], len(x.shape()))
	if !ok || x.t == nil || len(axes) != 1 {
		return r.unknown("a mean over axes %v", axes)
	}
	f, ok := x.l.single(axes[0])
	if !ok {
		return r.unknown("a mean over axis %d of a tensor of shape %v", axes[0], x.l.shape())
	}
	t := r.add(&term{kind: mean, f: f, args: []value{of(x.t)}})
	l := x.l.with(axes[0], nil)
	if intOf(n, "keepdims", 1) == 0 {
		l = slices.Delete(slices.Clone(l), axes[0], axes[0]+1)
	}
	return value{t: t, l: l}
}

func (r *reader) softmax(n *onnx.Node, in []value) value {
	x := in[0]
	last := len(x.shape()) - 1
	def := -1
	if r.model.Opset[""] < 13 {
		def = 1
	}
	at := intOf(n, "axis", def)
	if at < 0 {
		at += last + 1
	}
	return r.softmaxed(x, at)
}

func (r *reader) softmaxed(x value, at int) value {
	if x.t == nil || at != len(x.l)-1 {
		return r.unknown("a softmax over axis %d of a tensor of shape %v", at, x.shape())
	}
	f, ok := x.l.single(at)
	if !ok {
		return r.unknown("a softmax over axis %d of a tensor of shape %v", at, x.shape())
	}
	return value{t: r.add(&term{kind: function, name: "Softmax", f: f, args: []value{of(x.t)}}), l: x.l}
}

func (r *reader) gemm(n *onnx.Node, in []value) value {
	return r.book.gemm(in[0], in[1], in[2], floatOf(n, "alpha", 1), floatOf(n, "beta", 1), intOf(n, "transA", 0) != 0, intOf(n, "transB", 0) != 0)
}

func (r *reader) fusedMatMul(n *onnx.Node, in []value) value {
	x, y := in[0], in[1]
	for i, v := range []*value{&x, &y} {
		if intOf(n, []string{"transA", "transB"}[i], 0) != 0 && v.t != nil && len(v.l) > 1 {
			k := len(v.l)
			v.l = slices.Concat(v.l[:k-2], layout{v.l[k-1], v.l[k-2]})
		}
	}
	if intOf(n, "transBatchA", 0)+intOf(n, "transBatchB", 0) != 0 {
		return r.unknown("a product of transposed batches")
	}
	v := r.matmul(x, y)
	if v.is(other) {
		return v
	}
	return r.scale(v, floatOf(n, "alpha", 1))
}

func (r *reader) conv(n *onnx.Node, in []value) value {
	v := r.book.conv(conv, n, in[0], in[1])
	if v.is(other) || in[2].t == nil {
		return v
	}
	bias := in[2]
	bias.l = layout{nil, bias.l.list(), nil, nil}
	return r.sum(v, bias)
}

func (r *reader) layerNorm(n *onnx.Node, in []value) value {
	at := intOf(n, "axis", -1)
	if at != -1 && at != len(in[0].shape())-1 {
		return r.unknown("a LayerNorm from axis %d of a tensor of shape %v", at, in[0].shape())
	}
	return r.book.layerNorm(in[0], in[1], in[2], floatOf(n, "epsilon", 1e-5))
}

// skipLayerNorm is onnxruntime's LayerNorm of x + y + bias, which hands on that sum as its fourth output.
func (r *reader) skipLayerNorm(n *onnx.Node, in []value) []value {
	x := in[0]
	if in[4].t != nil { // the bias is that of the layer which made one of the two
		if x.is(linear) && len(x.t.args) == 2 {
			x = r.sum(x, in[4])
		} else {
			in[1] = r.sum(in[1], in[4])
		}
	}
	s := r.sum(x, in[1])
	if s.is(other) {
		return []value{s, s, s, s}
	}
	return []value{r.book.layerNorm(s, in[2], in[3], floatOf(n, "epsilon", 1e-5)), r.unknown("a mean"), r.unknown("a deviation"), s}
}

// quantize is DynamicQuantizeLinear: x rounded, the step, the zero point.
func (r *reader) quantize(_ *onnx.Node, in []value) []value {
	x := in[0]
	if x.t == nil {
		return []value{r.unknown("a rounded constant")}
	}
	make := func(k kind, l layout) value { return value{t: r.add(&term{kind: k, args: []value{of(x.t)}}), l: l} }
	return []value{make(quantized, x.l), make(quantScale, layout{}), make(quantZero, layout{})}
}

// dequantize is DequantizeLinear, of weights.
func (r *reader) dequantize(n *onnx.Node, in []value) value {
	w, scale := in[0], in[1]
	if !w.is(constant) || !scale.is(constant) || intOf(n, "block_size", 0) != 0 {
		return r.unknown("rounded values of %v", w)
	}
	at := intOf(n, "axis", 1)
	if at < 0 {
		at += len(w.l)
	}
	var zero []value
	if in[2].t != nil {
		zero = in[2:3]
	}
	if scale.l.elements() == 1 {
		at = -1
	}
	p, problem := r.rounded(w, at, scale.t.param, 1, zero)
	if p == nil {
		return r.unknown("%s", problem)
	}
	return value{t: r.param(p).t, l: w.l}
}

// rounds reports whether x, with its zero point, is what DynamicQuantizeLinear made of something.
func rounds(x, zero value) bool {
	return x.is(quantized) && zero.is(quantZero) && zero.t.args[0].t == x.t.args[0].t
}

func (r *reader) matmulInteger(_ *onnx.Node, in []value) value {
	if !rounds(in[0], in[2]) || !in[1].is(constant) {
		return r.unknown("a product of whole numbers that is no rounded linear layer")
	}
	return r.linear(integerDot, in[0], in[1], present(in[3])...)
}

func (r *reader) convInteger(n *onnx.Node, in []value) value {
	if !rounds(in[0], in[2]) || !in[1].is(constant) {
		return r.unknown("a convolution of whole numbers that is no rounded patch embedding")
	}
	return r.book.conv(integerConv, n, in[0], in[1], present(in[3])...)
}

// present is a list of the value, empty where there is none.
func present(v value) []value {
	if v.t == nil {
		return nil
	}
	return []value{v}
}

// dynamicMatMul is onnxruntime's product of x with rounded weights: in are x, W, its step, its zero point, the bias.
func (r *reader) dynamicMatMul(_ *onnx.Node, in []value) value {
	return r.dequantizedMatMul(in[0], in[1], in[2], in[3], in[4])
}

// integerToFloat is onnxruntime's product of rounded x and W: in are x, W, their steps, their zero points, the bias.
func (r *reader) integerToFloat(_ *onnx.Node, in []value) value {
	if !rounds(in[0], in[4]) || !in[2].is(quantScale) || in[2].t.args[0].t != in[0].t.args[0].t {
		return r.unknown("a product of whole numbers that is no rounded linear layer")
	}
	return r.dequantizedMatMul(value{t: in[0].t.args[0].t, l: in[0].l}, in[1], in[3], in[5], in[6])
}

func (r *reader) dequantizedMatMul(x, w, scale, zero, bias value) value {
	if !w.is(constant) || !scale.is(constant) || x.t == nil {
		return r.unknown("a product of whole numbers that is no rounded linear layer")
	}
	p, problem := r.rounded(w, 1, scale.t.param, 1, present(zero))
	if p == nil {
		return r.unknown("%s", problem)
	}
	v := r.matmul(x, value{t: r.param(p).t, l: w.l})
	if bias.t == nil || v.is(other) {
		return v
	}
	return r.sum(v, bias)
}

// attention is ONNX's Attention of queries, keys and values, which may be [B, H, T, d] or [B, T, H d].
func (r *reader) attention(n *onnx.Node, in []value) []value {
	mask := in[3]
	if mask.lit != nil { // true, or 0 to be added, everywhere
		if c, ok := mask.lit.uniform(mask.lit.shape); ok && (c == 0 && mask.lit.ints == nil || c == 1 && mask.lit.ints != nil) {
			mask = value{}
		}
	}
	if mask.exists() || in[4].exists() || in[5].exists() || intOf(n, "is_causal", 0) != 0 || floatOf(n, "softcap", 0) != 0 {
		return []value{r.unknown("an attention with a mask, a cache or a cap")}
	}
	return []value{r.attend(in[0], in[1], in[2], intOf(n, "q_num_heads", 0), intOf(n, "kv_num_heads", 0), floatOf(n, "scale", 0))}
}

// multiHead is onnxruntime's attention of queries, keys and values [B, T, H d], with their biases joined.
func (r *reader) multiHead(n *onnx.Node, in []value) []value {
	for _, v := range in[3:] {
		if v.exists() {
			return []value{r.unknown("an attention with a bias, a mask or a cache")}
		}
	}
	heads := intOf(n, "num_heads", 0)
	return []value{r.attend(in[0], in[1], in[2], heads, heads, floatOf(n, "scale", 0))}
}

// attend writes attention out.
func (r *reader) attend(q, k, v value, heads, kvHeads int, scale float64) value {
	flat := len(q.shape()) == 3
	for _, x := range []*value{&q, &k, &v} {
		s := x.shape()
		switch {
		case x.t == nil || len(s) < 3 || len(s) > 4 || flat != (len(s) == 3):
			return r.unknown("an attention of tensors of shapes %v, %v, %v", q.shape(), k.shape(), v.shape())
		case flat:
			if heads < 1 || kvHeads != heads || s[2]%heads != 0 {
				return r.unknown("an attention of %d and %d heads of %d components", heads, kvHeads, s[2])
			}
			if *x = r.reshaped(*x, []int{s[0], s[1], heads, s[2] / heads}, false); x.is(other) {
				return *x
			}
			x.l = layout{x.l[0], x.l[2], x.l[1], x.l[3]}
		}
	}
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(q.shape()[3]))
	}
	k.l = layout{k.l[0], k.l[1], k.l[3], k.l[2]}
	scores := r.matmul(q, k)
	if scores.is(other) {
		return scores
	}
	weights := r.softmaxed(r.scale(scores, scale), 3)
	if weights.is(other) {
		return weights
	}
	z := r.matmul(weights, v)
	if z.is(other) || !flat {
		return z
	}
	s := z.shape()
	z.l = layout{z.l[0], z.l[2], z.l[1], z.l[3]}
	return r.reshaped(z, []int{s[0], s[2], s[1] * s[3]}, false)
}
