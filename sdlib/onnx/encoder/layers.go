package encoder

import (
	"slices"

	"samediff/sdlib/onnx"
)

// This file builds the terms with weights in them: linear layers, the patch embedding, and products of two computed tensors.

// matmul returns x y over the last axis of x and the one before the last of y.
func (b *book) matmul(x, y value) value {
	if x.t == nil || y.t == nil || len(x.l) < 1 || len(y.l) < 2 {
		return b.unknown("a product of %v and %v", x, y)
	}
	if y.is(constant) && len(y.l.pad(2)) == 2 && !x.is(constant) {
		return b.linear(linear, x, y)
	}
	if len(x.l) < 2 {
		return b.unknown("a product of %v and %v", x, y)
	}
	return b.dot(x, y)
}

// linear returns x W, W [in, out].
func (b *book) linear(k kind, x, w value, more ...value) value {
	last := len(x.l) - 1
	if last < 0 || len(w.l) != 2 || size(x.l[last]) != size(w.l[0]) {
		return b.unknown("a linear layer of weights %v on %v", w.l.shape(), x.l.shape())
	}
	t := b.add(&term{kind: k, args: append([]value{x, w}, more...), axes: []*axis{{size: size(w.l[1]), features: true}}})
	return value{t: t, l: x.l.with(last, whole(t.axes[0]))}
}

// dot returns the product of two computed tensors, as attention has two of.
func (b *book) dot(x, y value) value {
	rank := max(len(x.l), len(y.l))
	xl, yl := x.l.pad(rank), y.l.pad(rank)
	// Batches of more than one axis do not occur: of the axes in front at most one, the heads, has more than one element.
	batch := -1
	for i := range rank - 2 {
		if len(xl[i]) == 0 && len(yl[i]) == 0 {
			continue
		}
		if batch >= 0 || size(xl[i]) != size(yl[i]) || len(xl[i]) != 1 || len(yl[i]) != 1 {
			return b.unknown("a product of tensors of shapes %v and %v", xl.shape(), yl.shape())
		}
		batch = i
	}
	m, k, n := xl[rank-2], xl[rank-1], yl[rank-1]
	if size(k) != size(yl[rank-2]) || len(m) > 1 || len(k) > 1 || len(n) > 1 || len(yl[rank-2]) > 1 {
		return b.unknown("a product of tensors of shapes %v and %v", xl.shape(), yl.shape())
	}
	// The axes of the result are new ones: those of x and y may be parts of the same.
	heads := 1
	if batch >= 0 {
		heads = size(xl[batch])
	}
	c := 1.
	for _, v := range []*value{&x, &y} { // (a x)·(b y) = ab (x·y)
		if v.is(product) && len(v.t.args) == 1 {
			c *= v.t.c
			v.t = v.t.args[0].t
		}
	}
	t := b.add(&term{kind: dot, args: []value{{t: x.t, l: xl}, {t: y.t, l: yl}}, axes: []*axis{{size: heads}, {size: size(m)}, {size: size(n)}}})
	l := make(layout, rank)
	if batch >= 0 {
		l[batch] = whole(t.axes[0])
	}
	l[rank-2], l[rank-1] = whole(t.axes[1]), whole(t.axes[2])
	return b.scale(value{t: t, l: l}, c)
}

// gemm returns α x y + β z, with x and y transposed where that is asked for.
func (b *book) gemm(x, y, z value, alpha, beta float64, transX, transY bool) value {
	flip := func(v value, do bool) value {
		if do && v.t != nil && len(v.l) == 2 {
			v.l = layout{v.l[1], v.l[0]}
		}
		return v
	}
	r := b.matmul(flip(x, transX), flip(y, transY))
	if r.t == nil || r.t.kind == other {
		return r
	}
	r = b.scale(r, alpha)
	if z.t == nil && z.lit == nil {
		return r
	}
	if beta != 1 {
		z = b.scale(z, beta)
	}
	return b.sum(r, z)
}

// conv returns the patch embedding: a convolution whose stride is its kernel.
func (b *book) conv(k kind, n *onnx.Node, x, w value, more ...value) value {
	ws := w.l.shape()
	if !x.is(image) && !x.is(quantized) || !w.is(constant) || len(ws) != 4 || len(x.l) != 4 {
		return b.unknown("a convolution of %v with %v", x, w)
	}
	xs := x.l.shape()
	for _, f := range []struct {
		name string
		want []int
	}{{"strides", ws[2:]}, {"pads", []int{0, 0, 0, 0}}, {"dilations", []int{1, 1}}} {
		if got := intsOf(n, f.name); got != nil && !slices.Equal(got, f.want) || got == nil && f.name == "strides" {
			return b.unknown("a convolution with %s %v and a kernel of %v, expected patches that lie side by side, with %s %v", f.name, got, ws, f.name, f.want)
		}
	}
	pad := n.Attributes["auto_pad"].Text
	if group := n.Attributes["group"].Int; group != nil && *group != 1 || pad != nil && *pad != "NOTSET" && *pad != "VALID" || ws[2] != ws[3] || ws[1] != xs[1] {
		return b.unknown("a convolution of an image %v with a kernel of %v, expected square patches of all %d channels", xs, ws, xs[1])
	}
	side := ws[2]
	if xs[2] < side || xs[2] != xs[3] {
		return b.unknown("patches of %d pixels in an image of %d by %d, expected a square of at least one patch", side, xs[2], xs[3])
	}
	g := xs[2] / side
	t := b.add(&term{kind: k, args: append([]value{x, w}, more...), axes: []*axis{{size: ws[0], features: true}, {size: g * g}}})
	l := layout{nil, whole(t.axes[0]), {{t.axes[1], g, g}}, {{t.axes[1], 1, g}}}
	if g == 1 {
		l[2], l[3] = nil, nil
	}
	return value{t: t, l: l}
}

// layerNorm returns the LayerNorm of x over its last axis.
func (b *book) layerNorm(x, scale, shift value, epsilon float64) value {
	if x.t == nil || !scale.is(constant) {
		return b.unknown("a LayerNorm of %v with weights %v", x, scale)
	}
	f, ok := x.l.single(len(x.l) - 1)
	if !ok || scale.l.elements() != f.size {
		return b.unknown("a LayerNorm of %v with weights %v", x, scale)
	}
	v := value{t: b.add(&term{kind: normalized, c: epsilon, f: f, args: []value{of(x.t)}}), l: x.l}
	v = b.times(v, scale)
	if shift.t == nil {
		return v
	}
	return b.sum(v, shift)
}

// dequantized recognizes the product of whole numbers with the steps of both roundings: the layer that was rounded.
func (b *book) dequantized(t *term, l layout) *term {
	i := slices.IndexFunc(t.args, func(a value) bool { return a.l == nil && (a.is(integerDot) || a.is(integerConv)) })
	if i < 0 {
		return nil
	}
	whole := t.args[i].t
	x := whole.args[0].t.args[0].t // below its rounding
	c, steps := t.c, 0
	var scale *param
	var collect func(args []value) bool
	collect = func(args []value) bool {
		for _, a := range args {
			switch {
			case a.t == whole:
			case a.is(quantScale) && a.t.args[0].t == x:
				steps++
			case a.is(constant) && scale == nil:
				scale = a.t.param
			case a.is(product):
				c *= a.t.c
				if !collect(a.t.args) {
					return false
				}
			default:
				return false
			}
		}
		return true
	}
	if !collect(t.args) || steps != 1 {
		return nil
	}
	layer := *whole
	layer.kind = linear
	out := 1
	if whole.kind == integerConv {
		layer.kind, out = conv, 0
	}
	w := whole.args[1]
	p, err := b.rounded(w, out, scale, c, whole.args[2:])
	if err != "" {
		return b.unknown("%s", err).t
	}
	layer.args = []value{{t: x, l: whole.args[0].l}, {t: b.param(p).t, l: w.l}}
	return b.add(&layer)
}

// rounded returns a weight w that is kept as whole numbers, with their steps and zero points, which are of one element or one for each
// index of axis at.
func (b *book) rounded(w value, at int, scale *param, c float64, zero []value) (p *param, problem string) {
	rounded := *w.t.param
	rounded.c = c
	channel, ok := w.l.single(at)
	fits := func(t *onnx.Tensor) bool {
		return t.Elements() == 1 || ok && channel.whole() && t.Elements() == channel.size
	}
	if scale != nil {
		if rounded.scale = scale.tensor; !fits(scale.tensor) {
			return nil, "rounded weights with steps " + scale.tensor.String()
		}
	}
	if len(zero) > 0 {
		if !zero[0].is(constant) || !fits(zero[0].t.param.tensor) {
			return nil, "rounded weights with zero points " + zero[0].String()
		}
		rounded.zero = zero[0].t.param.tensor
	}
	if ok {
		rounded.axis = slices.Index(rounded.axes, channel.axis)
	}
	return b.remember(rounded), ""
}

// remember returns the same rounded weight for the same numbers.
func (b *book) remember(p param) *param {
	for _, old := range b.rounds[p.tensor] {
		if old.scale == p.scale && old.zero == p.zero && old.c == p.c && old.axis == p.axis {
			return old
		}
	}
	b.rounds[p.tensor] = append(b.rounds[p.tensor], &p)
	return &p
}
