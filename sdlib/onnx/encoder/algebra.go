package encoder

import (
	"cmp"
	"math"
	"slices"
)

// This file builds elementwise terms. Exporters take LayerNorm and activations apart into sums, products and powers, each in its own
// way; put together here in one normal form, they are recognized as what they were.

// maxFactors bounds products: x³ in the tanh GELU has the most.
const maxFactors = 6

// near compares constants, which float16 has with three digits.
func near(x, y float64) bool { return math.Abs(x-y) <= 2e-3*math.Abs(y) }

// add returns x + y.
func (b *book) sum(x, y value) value {
	if c, ok := y.scalar(); ok && !(y.t != nil && wantsBias(x)) {
		return b.shift(x, c)
	}
	if c, ok := y.lit.uniform(x.shape()); ok && y.t == nil && x.t != nil { // a mask that masks nothing
		return b.shift(x, c)
	}
	if _, ok := x.scalar(); ok || x.is(constant) && !y.is(constant) {
		if _, both := y.scalar(); !both && !y.is(constant) {
			return b.sum(y, x)
		}
	}
	if x.t == nil || y.t == nil {
		return b.unknown("the sum of %v and %v", x, y)
	}
	l, ok := broadcast(x.l, y.l)
	if !ok {
		return b.unknown("the sum of tensors whose axes differ, of shapes %v and %v", x.l.shape(), y.l.shape())
	}
	if y.is(constant) && l.equal(x.l) {
		if t := b.biased(x, y); t != nil {
			return value{t: t, l: l}
		}
	}
	args := []value{x, y}
	if x.l.equal(y.l) {
		args = []value{of(x.t), of(y.t)}
		slices.SortFunc(args, func(a, b value) int { return cmp.Compare(a.t.id, b.t.id) })
	}
	return value{t: b.add(&term{kind: sum, args: args}), l: l}
}

// wantsBias reports whether x is a layer whose bias is not there yet, and of one output: its bias is then a scalar.
func wantsBias(x value) bool {
	return (x.is(linear) || x.is(conv)) && len(x.t.args) == 2 && x.t.axes[0].size == 1
}

// biased returns the layer x with the bias y, nil where y is none.
func (b *book) biased(x, y value) *term {
	layer := *x.t
	if !x.is(linear) && !x.is(conv) && !x.is(norm) || len(layer.args) != 2 {
		return nil
	}
	own := layer.f // what a bias has one number for
	if layer.kind != norm {
		own = factor{layer.axes[0], 1, layer.axes[0].size}
	}
	at, f, ok := y.l.pad(len(x.l)).vector()
	if ok && !slices.Equal(x.l[at], []factor{own}) || ok && f.size != own.size || !ok && own.size != 1 {
		return nil
	}
	layer.args = append(slices.Clone(layer.args), value{t: y.t, l: layout{y.l.list()}})
	return b.add(&layer)
}

// list returns the factors of all axes.
func (l layout) list() []factor { return slices.Concat(l...) }

// shift returns x + c.
func (b *book) shift(x value, c float64) value {
	if x.t == nil {
		return b.unknown("a sum of constants")
	}
	if x.t.kind == shift {
		c += x.t.c
		x.t = x.t.args[0].t
	}
	if c == 0 {
		return value{t: x.t, l: x.l}
	}
	return value{t: b.add(&term{kind: shift, c: c, args: []value{of(x.t)}}), l: x.l}
}

// difference returns x - y.
func (b *book) difference(x, y value) value {
	if c, ok := y.scalar(); ok && x.t != nil {
		return b.shift(x, -c)
	}
	if c, ok := x.scalar(); ok && y.t != nil {
		return b.shift(b.scale(y, -1), c)
	}
	// x less its mean over the last axis
	if y.is(mean) && x.t != nil && y.t.args[0].t == x.t && len(x.l) == len(y.l) {
		if at := slices.IndexFunc(x.l, func(list []factor) bool { return slices.Equal(list, []factor{y.t.f}) }); at >= 0 && y.l.equal(x.l.with(at, nil)) {
			return value{t: b.add(&term{kind: centered, f: y.t.f, args: []value{of(x.t)}}), l: x.l}
		}
	}
	if x.t == nil || y.t == nil {
		return b.unknown("the difference of %v and %v", x, y)
	}
	return b.sum(x, b.scale(y, -1))
}

// scale returns c x.
func (b *book) scale(x value, c float64) value {
	if x.t == nil {
		return b.unknown("a product of constants")
	}
	return b.product(c, []value{x}, x.l)
}

// times returns x y.
func (b *book) times(x, y value) value {
	if c, ok := y.scalar(); ok && x.t != nil {
		if _, both := x.scalar(); !both {
			return b.scale(x, c)
		}
	}
	if c, ok := x.scalar(); ok && y.t != nil {
		return b.scale(y, c)
	}
	if x.t == nil || y.t == nil {
		return b.unknown("the product of %v and %v", x, y)
	}
	if x.is(constant) && !y.is(constant) {
		x, y = y, x
	}
	l, ok := broadcast(x.l, y.l)
	if !ok {
		return b.unknown("the product of tensors whose axes differ, of shapes %v and %v", x.l.shape(), y.l.shape())
	}
	return b.product(1, []value{x, y}, l)
}

// power returns x to the p.
func (b *book) power(x value, p float64) value {
	if x.t == nil {
		return b.unknown("a power of a constant")
	}
	if p == 1 {
		return x
	}
	if p == 2 || p == 3 {
		return b.product(1, slices.Repeat([]value{x}, int(p)), x.l)
	}
	if x.t.kind == power {
		return b.power(value{t: x.t.args[0].t, l: x.l}, p*x.t.c)
	}
	return value{t: b.add(&term{kind: power, c: p, args: []value{of(x.t)}}), l: x.l}
}

// product returns c times all factors, of layout l, which each of them fills or is repeated to fill.
func (b *book) product(c float64, factors []value, l layout) value {
	var all []value
	for _, x := range factors {
		if !x.l.equal(l) {
			all = append(all, value{t: x.t, l: x.l.pad(len(l))})
			continue
		}
		if x.t.kind != product {
			all = append(all, of(x.t))
			continue
		}
		if whole := !slices.ContainsFunc(x.t.args, func(a value) bool { return a.l != nil }); whole || x.t.shape.equal(l) {
			c *= x.t.c
			all = append(all, x.t.args...)
		} else {
			all = append(all, of(x.t))
		}
	}
	if len(all) > maxFactors {
		return b.unknown("a product of more than %d factors", maxFactors)
	}
	slices.SortStableFunc(all, func(x, y value) int { return cmp.Compare(x.t.id, y.t.id) })
	if len(all) == 1 && c == 1 {
		return value{t: all[0].t, l: l}
	}
	t := &term{kind: product, c: c, args: all}
	if slices.ContainsFunc(all, func(a value) bool { return a.l != nil }) {
		t.shape = l
	}
	for _, rule := range []func(*term, layout) *term{b.normalization, b.dequantized, b.activation, b.vectorScale} {
		if simple := rule(t, l); simple != nil {
			return value{t: simple, l: l}
		}
	}
	return value{t: b.add(t), l: l}
}

// normalization recognizes (x - μ) (mean of (x - μ)² + ε)^-½, and its product with γ.
func (b *book) normalization(t *term, l layout) *term {
	if len(t.args) != 2 || t.c != 1 {
		return nil
	}
	for i, x := range t.args {
		y := t.args[1-i]
		switch {
		case x.is(centered) && x.l == nil && y.is(power) && y.t.c == -.5 && y.t.args[0].is(shift):
			variance := y.t.args[0].t.args[0]
			if !variance.is(mean) || variance.t.f != x.t.f || y.t.args[0].t.c < 0 {
				continue
			}
			if square := variance.t.args[0]; square.is(product) && square.t.c == 1 && len(square.t.args) == 2 && square.t.args[0].t == x.t && square.t.args[1].t == x.t {
				return b.add(&term{kind: normalized, c: y.t.args[0].t.c, f: x.t.f, args: []value{of(x.t.args[0].t)}})
			}
		case x.is(normalized) && x.l == nil && y.is(constant):
			if at, f, ok := y.l.vector(); ok && f.size == x.t.f.size && slices.Equal(l[at], []factor{x.t.f}) {
				return b.add(&term{kind: norm, c: x.t.c, f: x.t.f, args: []value{x.t.args[0], {t: y.t, l: layout{y.l.list()}}}})
			}
		}
	}
	return nil
}

// vectorScale recognizes the product with a vector of weights, as LayerScale is.
func (b *book) vectorScale(t *term, l layout) *term {
	if len(t.args) != 2 || t.c != 1 {
		return nil
	}
	for i, x := range t.args {
		y := t.args[1-i]
		if x.l != nil || !y.is(constant) || x.is(constant) {
			continue
		}
		if at, f, ok := y.l.vector(); ok {
			if own, ok := l.single(at); ok && own.size == f.size {
				return b.add(&term{kind: scaled, f: own, args: []value{x, {t: y.t, l: layout{y.l.list()}}}})
			}
		}
	}
	return nil
}

// Activations, under the names of Hugging Face's hidden_act.
const (
	gelu      = "gelu"              // x Φ(x) = ½ x (1 + erf(x/√2))
	quickGELU = "quick_gelu"        // x σ(1.702 x)
	tanhGELU  = "gelu_pytorch_tanh" // ½ x (1 + tanh(√(2/π) (x + .044715 x³)))
	relu      = "relu"              // max(x, 0)
)

// activation recognizes the activations where they are taken apart.
func (b *book) activation(t *term, _ layout) *term {
	if slices.ContainsFunc(t.args, func(a value) bool { return a.l != nil }) || len(t.args) != 2 {
		return nil
	}
	for i, x := range t.args {
		gate := t.args[1-i].t
		name := ""
		switch {
		case gate.kind == function && gate.name == "Sigmoid" && near(t.c, 1) && isScaled(gate.args[0].t, x.t, 1.702):
			name = quickGELU
		case gate.kind == shift && near(gate.c, 1) && near(t.c, .5):
			switch f := gate.args[0].t; {
			case f.kind != function:
			case f.name == "Erf" && isScaled(f.args[0].t, x.t, math.Sqrt2/2):
				name = gelu
			case f.name == "Tanh" && isTanhArgument(f.args[0].t, x.t):
				name = tanhGELU
			}
		}
		if name != "" {
			return b.add(&term{kind: function, name: name, args: []value{x}})
		}
	}
	return nil
}

// isScaled reports whether t is c x.
func isScaled(t, x *term, c float64) bool {
	return t.kind == product && len(t.args) == 1 && t.args[0].t == x && near(t.c, c)
}

// isTanhArgument reports whether t is √(2/π) (x + .044715 x³), also in the form √(2/π) x (1 + .044715 x²).
func isTanhArgument(t, x *term) bool {
	const cubic = .044715
	if t.kind != product || !near(t.c, math.Sqrt(2/math.Pi)) {
		return false
	}
	isPower := func(t *term, n int) bool {
		return t.kind == product && near(t.c, cubic) && len(t.args) == n && !slices.ContainsFunc(t.args, func(a value) bool { return a.t != x })
	}
	if len(t.args) == 2 {
		i := slices.IndexFunc(t.args, func(a value) bool { return a.t == x })
		return i >= 0 && t.args[1-i].is(shift) && near(t.args[1-i].t.c, 1) && isPower(t.args[1-i].t.args[0].t, 2)
	}
	s := t.args[0].t
	if s.kind != sum {
		return false
	}
	i := slices.IndexFunc(s.args, func(a value) bool { return a.t == x })
	return i >= 0 && isPower(s.args[1-i].t, 3)
}
