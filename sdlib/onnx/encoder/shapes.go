package encoder

import (
	"slices"

	"samediff/sdlib/onnx"
)

// Operations that change the shape of a value, or compute shapes.

func (r *reader) cast(n *onnx.Node, in []value) value {
	v := in[0]
	to := onnx.Type(intOf(n, "to", 0))
	if v.lit != nil {
		v.lit = v.lit.cast(to)
	}
	if v.t != nil && !to.IsFloat() {
		if v.lit != nil {
			return value{lit: v.lit}
		}
		return r.unknown("rounding to %v", to)
	}
	return v
}

func (r *reader) shapeOf(n *onnx.Node, in []value) value {
	s := in[0].shape()
	from, to := intOf(n, "start", 0), intOf(n, "end", len(s))
	if from < 0 {
		from += len(s)
	}
	if to < 0 {
		to += len(s)
	}
	to = min(to, len(s))
	if from < 0 || to < from {
		return r.unknown("a shape from %d to %d", from, to)
	}
	return value{lit: vector(s[from:to]...)}
}

func (r *reader) sizeOf(_ *onnx.Node, in []value) value {
	s := in[0].shape()
	n := 1
	for _, d := range s {
		n *= d
	}
	return value{lit: &literal{shape: []int{}, ints: []int64{int64(n)}}}
}

func (r *reader) constant(n *onnx.Node, _ []value) value {
	a := n.Attributes
	switch {
	case a["value"].Tensor != nil:
		t := a["value"].Tensor
		v := r.weight(t)
		lit, err := literalOf(t)
		if err != nil {
			return r.unknown("a constant that can't be read: %v", err)
		}
		v.lit = lit
		return v
	case a["value_int"].Int != nil:
		return value{lit: &literal{shape: []int{}, ints: []int64{*a["value_int"].Int}}}
	case a["value_float"].Float != nil:
		return value{lit: &literal{shape: []int{}, floats: []float64{float64(*a["value_float"].Float)}}}
	case a["value_ints"].Ints != nil && len(a["value_ints"].Ints) <= maxLiteral:
		v := a["value_ints"].Ints
		return value{lit: &literal{shape: []int{len(v)}, ints: v}}
	case a["value_floats"].Floats != nil && len(a["value_floats"].Floats) <= maxLiteral:
		v := a["value_floats"].Floats
		lit := &literal{shape: []int{len(v)}, floats: make([]float64, len(v))}
		for i, x := range v {
			lit.floats[i] = float64(x)
		}
		return value{lit: lit}
	}
	return r.unknown("a constant of a kind that can't be read")
}

// filled is ConstantOfShape.
func (r *reader) filled(n *onnx.Node, in []value) value {
	shape, ok := in[0].lit.list()
	if !ok {
		return r.unknown("a constant of a shape that is not known")
	}
	fill := &literal{shape: []int{1}, floats: []float64{0}}
	if t := n.Attributes["value"].Tensor; t != nil {
		var err error
		if fill, err = literalOf(t); err != nil || fill == nil || fill.size() != 1 {
			return r.unknown("a constant filled with %v", t)
		}
	}
	fill = &literal{shape: []int{}, ints: fill.ints, floats: fill.floats}
	return r.folded(fill.expand(shape))
}

// folded is what constants give, or something that is not understood where they can't.
func (r *reader) folded(v *literal, err error) value {
	if err != nil {
		return r.unknown("%v", err)
	}
	return value{lit: v}
}

// counted is Range.
func (r *reader) counted(_ *onnx.Node, in []value) value {
	from, ok1 := in[0].scalar()
	to, ok2 := in[1].scalar()
	step, ok3 := in[2].scalar()
	if !ok1 || !ok2 || !ok3 || step == 0 || in[0].lit.ints == nil || (to-from)/step > maxLiteral {
		return r.unknown("a range that is not known")
	}
	var list []int
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		list = append(list, int(i))
	}
	return value{lit: vector(list...)}
}

func (r *reader) where(_ *onnx.Node, in []value) value {
	condition, x, y := in[0], in[1], in[2]
	if condition.is(function) && condition.t.name == "IsNaN" && y.t == condition.t.args[0].t { // of a softmax over masked tokens
		if c, ok := x.scalar(); ok && c == 0 {
			return y
		}
	}
	if condition.lit == nil || x.lit == nil || y.lit == nil {
		return r.unknown("a choice between tensors")
	}
	c, a, b := condition.lit, x.lit, y.lit
	shape, err := broadcastShapes(c.shape, a.shape)
	if err == nil {
		shape, err = broadcastShapes(shape, b.shape)
	}
	if err != nil {
		return r.unknown("%v", err)
	}
	if truth, ok := c.uniform(shape); ok { // one of the two alone
		if truth != 0 {
			return r.folded(a.expand(shape))
		}
		return r.folded(b.expand(shape))
	}
	if a.ints == nil || b.ints == nil {
		a, b = a.cast(onnx.Double), b.cast(onnx.Double)
	}
	for _, v := range []**literal{&c, &a, &b} {
		if *v, err = (*v).expand(shape); err == nil {
			*v, err = (*v).full()
		}
		if err != nil {
			return r.unknown("%v", err)
		}
	}
	chosen := &literal{shape: shape, ints: slices.Clone(a.ints), floats: slices.Clone(a.floats)}
	for i, truth := range c.cast(onnx.Double).floats {
		if truth == 0 && chosen.ints != nil {
			chosen.ints[i] = b.ints[i]
		} else if truth == 0 {
			chosen.floats[i] = b.floats[i]
		}
	}
	return value{lit: chosen}
}

func (r *reader) isNaN(_ *onnx.Node, in []value) value {
	if in[0].t == nil {
		return r.unknown("a test of a constant")
	}
	return value{t: r.add(&term{kind: function, name: "IsNaN", args: []value{of(in[0].t)}}), l: in[0].l}
}

func (r *reader) reshape(n *onnx.Node, in []value) value {
	shape, ok := in[1].lit.list()
	if !ok {
		return r.unknown("a shape that is not known")
	}
	return r.reshaped(in[0], shape, intOf(n, "allowzero", 0) == 0)
}

// reshaped gives a value another shape, of which one size may be -1, and 0 may mean that of the value's own.
func (r *reader) reshaped(v value, shape []int, zeroKeeps bool) value {
	own, shape := v.shape(), slices.Clone(shape)
	total := 1
	for _, d := range own {
		total *= d
	}
	rest, open := 1, -1
	for i, d := range shape {
		if d == 0 && zeroKeeps && i < len(own) {
			d = own[i]
			shape[i] = d
		}
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 1 || d > total/rest:
			return r.unknown("a tensor of shape %v reshaped to %v", own, shape)
		default:
			rest *= d
		}
	}
	if open >= 0 {
		shape[open] = total / rest
		rest *= shape[open]
	}
	if rest != total {
		return r.unknown("a tensor of shape %v reshaped to %v", own, shape)
	}
	var to value
	if v.lit != nil {
		to.lit = &literal{shape: shape, ints: v.lit.ints, floats: v.lit.floats}
	}
	if v.t != nil {
		l, err := v.l.reshape(shape)
		if err != nil {
			return r.unknown("%v", err)
		}
		to.t, to.l = v.t, l
	}
	return to
}

func (r *reader) flatten(n *onnx.Node, in []value) value {
	s := in[0].shape()
	at := intOf(n, "axis", 1)
	if at < 0 {
		at += len(s)
	}
	if at < 0 || at > len(s) {
		return r.unknown("a tensor of shape %v flattened at %d", s, at)
	}
	sizes := []int{1, 1}
	for i, d := range s {
		if i < at {
			sizes[0] *= d
		} else {
			sizes[1] *= d
		}
	}
	return r.reshaped(in[0], sizes, false)
}

func (r *reader) transpose(n *onnx.Node, in []value) value {
	v := in[0]
	order := intsOf(n, "perm")
	if order == nil {
		for i := range v.shape() {
			order = append([]int{i}, order...)
		}
	}
	if v.t == nil {
		return r.unknown("a transposed constant")
	}
	l, err := v.l.permute(order)
	if err != nil {
		return r.unknown("%v", err)
	}
	v.l = l
	if v.lit != nil && len(v.lit.shape) > 1 {
		v.lit = nil
	}
	return v
}

// expand repeats a value. It is for one image: what is left of it are axes of the same size.
func (r *reader) expand(_ *onnx.Node, in []value) value {
	shape, ok := in[1].lit.list()
	v := in[0]
	if !ok {
		return r.unknown("a shape that is not known")
	}
	if v.lit != nil {
		lit, err := v.lit.expand(shape)
		if v.t == nil || err == nil && !slices.Equal(joinedShape(lit.shape), joinedShape(v.lit.shape)) {
			return r.folded(lit, err)
		}
		v.lit = lit
	}
	l := v.l.pad(len(shape))
	for i, d := range padded(shape, len(l)) {
		if own := size(l[i]); d != own && d != 1 {
			return r.unknown("a tensor of shape %v repeated to %v", v.shape(), shape)
		}
	}
	v.l = l
	return v
}

// joinedShape drops the sizes that are 1.
func joinedShape(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(d int) bool { return d == 1 })
}

func (r *reader) unsqueeze(n *onnx.Node, in []value) value {
	s := in[0].shape()
	given := intsOf(n, "axes")
	if in[1].lit != nil {
		given, _ = in[1].lit.list()
	}
	axes, ok := axesOf(n, in[1], len(s)+len(given))
	if !ok {
		return r.unknown("new axes at %v", given)
	}
	slices.Sort(axes)
	shape := slices.Clone(s)
	for i, a := range axes {
		if i > 0 && a == axes[i-1] || a > len(shape) {
			return r.unknown("new axes at %v", given)
		}
		shape = slices.Insert(shape, a, 1)
	}
	return r.reshaped(in[0], shape, false)
}

func (r *reader) squeeze(n *onnx.Node, in []value) value {
	s := in[0].shape()
	axes, ok := axesOf(n, in[1], len(s))
	if !ok {
		return r.unknown("axes that are not known")
	}
	shape := []int{}
	for i, d := range s {
		drop := slices.Contains(axes, i) || axes == nil && d == 1
		if drop && d != 1 {
			return r.unknown("axis %d of a tensor of shape %v dropped", i, s)
		}
		if !drop {
			shape = append(shape, d)
		}
	}
	return r.reshaped(in[0], shape, false)
}
