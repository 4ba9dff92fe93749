package encoder

import (
	"fmt"
	"slices"

	"samediff/sdlib/onnx"
)

// Operations that join values, or take parts of them.

// concat puts values one after the other.
func (r *reader) concat(n *onnx.Node, in []value) value {
	in = in[:len(n.Inputs)]
	if !slices.ContainsFunc(in, func(v value) bool { return v.lit == nil || len(v.lit.shape) != 1 }) {
		joined := &literal{}
		floats := slices.ContainsFunc(in, func(v value) bool { return v.lit.ints == nil })
		for _, v := range in {
			full, err := v.lit.full()
			if err != nil {
				return r.unknown("%v", err)
			}
			v.lit = full
			if floats {
				joined.floats = append(joined.floats, v.lit.cast(onnx.Double).floats...)
			} else {
				joined.ints = append(joined.ints, v.lit.ints...)
			}
		}
		joined.shape = []int{joined.size()}
		if joined.size() <= maxLiteral {
			return value{lit: joined}
		}
	}
	if len(in) == 1 {
		return in[0]
	}
	total, at := 0, intOf(n, "axis", 0)
	var l layout
	for i, v := range in {
		if v.t == nil {
			return r.unknown("a row with %v in it", v)
		}
		if i == 0 {
			if at < 0 {
				at += len(v.l)
			}
			if l = v.l; at < 0 || at >= len(l) {
				return r.unknown("a row along axis %d of %v", at, v)
			}
		}
		if len(v.l) != len(l) || len(v.l[at]) > 1 {
			return r.unknown("a row of tensors of shapes %v and %v", l.shape(), v.l.shape())
		}
		if b, ok := broadcast(l.with(at, nil), v.l.with(at, nil)); !ok || !slices.Equal(b.shape(), l.with(at, nil).shape()) || b.elements() != v.l.with(at, nil).elements() {
			return r.unknown("a row of tensors of shapes %v and %v", l.shape(), v.l.shape())
		}
		total += size(v.l[at])
	}
	t := r.add(&term{kind: concat, from: at, args: slices.Clone(in), axes: []*axis{{size: total}}})
	return value{t: t, l: l.with(at, whole(t.axes[0]))}
}

// part returns the elements from, to of an axis of a value.
func (r *reader) part(v value, at, from, to int, drop bool) value {
	s := v.shape()
	if at < 0 || at >= len(s) || from < 0 || to > s[at] || from >= to {
		return r.unknown("elements %d to %d of axis %d of a tensor of shape %v", from, to, at, s)
	}
	var cut value
	if v.lit != nil && len(v.lit.shape) == len(s) {
		shape := slices.Clone(s)
		shape[at] = to - from
		var list []int
		for i := from; i < to; i++ {
			list = append(list, i)
		}
		lit, err := v.lit.take(at, list, shape)
		if err != nil {
			return r.unknown("%v", err)
		}
		cut.lit = lit
	}
	if v.t != nil {
		cut.t, cut.l = v.t, v.l
		if from != 0 || to != s[at] {
			f, ok := v.l.single(at)
			n := to - from
			switch {
			case !ok:
				return r.unknown("a part of axis %d of a tensor of shape %v", at, s)
			case f.axis.features && from%n == 0 && f.size%n == 0: // one of several equal parts of a layer's outputs
				picked := factor{f.axis, f.stride * n, f.size / n}
				cut.t = r.add(&term{kind: part, f: picked, from: from / n, to: from/n + 1, args: []value{of(v.t)}})
				cut.l = v.l.with(at, join([]factor{{f.axis, f.stride, n}}))
			default:
				cut.t = r.add(&term{kind: part, f: f, from: from, to: to, args: []value{v}, axes: []*axis{{size: n}}})
				cut.l = v.l.with(at, whole(cut.t.axes[0]))
			}
		}
	}
	if !drop {
		return cut
	}
	return r.reshaped(cut, slices.Delete(slices.Clone(cut.shape()), at, at+1), false)
}

func (r *reader) slice(n *onnx.Node, in []value) value {
	v := in[0]
	rank := len(v.shape())
	starts, ends, steps := intsOf(n, "starts"), intsOf(n, "ends"), []int(nil)
	axes := intsOf(n, "axes")
	if len(n.Inputs) > 1 {
		lists := []*[]int{&starts, &ends, &axes, &steps}
		for i, list := range lists {
			x := in[i+1]
			if x.t == nil && x.lit == nil {
				continue
			}
			var ok bool
			if *list, ok = x.lit.list(); !ok {
				return r.unknown("a part whose bounds are not known")
			}
		}
	}
	if axes == nil {
		for i := range starts {
			axes = append(axes, i)
		}
	}
	if len(starts) != len(ends) || len(axes) != len(starts) || steps != nil && len(steps) != len(starts) {
		return r.unknown("a part from %v to %v of axes %v", starts, ends, axes)
	}
	for i, at := range axes {
		if at < 0 {
			at += rank
		}
		if at < 0 || at >= rank || steps != nil && steps[i] != 1 {
			return r.unknown("a part from %v to %v of axes %v in steps of %v", starts, ends, axes, steps)
		}
		d := v.shape()[at]
		bound := func(x int) int {
			if x < 0 {
				x += d
			}
			return min(max(x, 0), d)
		}
		from, to := bound(starts[i]), bound(ends[i])
		if v.t == nil && from >= to { // an empty shape
			lit, err := v.lit.take(at, nil, []int{0})
			if err != nil || len(v.lit.shape) != 1 {
				return r.unknown("nothing of a constant")
			}
			v = value{lit: lit}
			continue
		}
		if v = r.part(v, at, from, to, false); v.is(other) {
			return v
		}
	}
	return v
}

func (r *reader) gather(n *onnx.Node, in []value) value {
	v, index := in[0], in[1].lit
	s := v.shape()
	at := intOf(n, "axis", 0)
	if at < 0 {
		at += len(s)
	}
	if index == nil || index.ints == nil || at < 0 || at >= len(s) {
		return r.unknown("elements at places that are not known")
	}
	index, err := index.full()
	if err != nil {
		return r.unknown("%v", err)
	}
	list := make([]int, len(index.ints))
	for i, p := range index.ints {
		if p < 0 {
			p += int64(s[at])
		}
		list[i] = int(p)
	}
	if v.t == nil {
		shape := slices.Concat(s[:at], index.shape, s[at+1:])
		return r.folded(v.lit.take(at, list, shape))
	}
	if len(list) == 1 {
		p := r.part(v, at, list[0], list[0]+1, false)
		if p.is(other) {
			return p
		}
		return r.reshaped(p, slices.Concat(s[:at], index.shape, s[at+1:]), false)
	}
	for i, p := range list { // a table of positions, read from first to last
		if p != list[0]+i {
			return r.unknown("elements of an axis in another order")
		}
	}
	if len(list) == 0 {
		return r.unknown("no elements of an axis")
	}
	p := r.part(v, at, list[0], list[0]+len(list), false)
	if p.is(other) {
		return p
	}
	return r.reshaped(p, slices.Concat(s[:at], index.shape, s[at+1:]), false)
}

func (r *reader) split(n *onnx.Node, in []value) []value {
	s := in[0].shape()
	at := intOf(n, "axis", 0)
	if at < 0 {
		at += len(s)
	}
	if at < 0 || at >= len(s) {
		return []value{r.unknown("axis %d of a tensor of shape %v", at, s)}
	}
	sizes := intsOf(n, "split")
	if in[1].lit != nil {
		sizes, _ = in[1].lit.list()
	}
	if parts := len(n.Outputs); sizes == nil && parts > 0 {
		each := (s[at] + parts - 1) / parts
		for i := range parts {
			sizes = append(sizes, min(each, s[at]-i*each))
		}
	}
	var out []value
	from := 0
	for _, d := range sizes {
		if d < 1 || d > s[at]-from {
			return []value{r.unknown("a tensor of shape %v split into %v", s, sizes)}
		}
		out = append(out, r.part(in[0], at, from, from+d, false))
		from += d
	}
	return out
}

// resize recognizes how positions are resampled to another grid.
func (r *reader) resize(n *onnx.Node, in []value) value {
	v := in[0]
	if v.t == nil || len(v.l) != 4 {
		return r.unknown("a resampling of %v", v)
	}
	y, ok1 := v.l.single(2)
	x, ok2 := v.l.single(3)
	if !ok1 || !ok2 || y.axis != x.axis || x.stride != 1 || y.stride != x.size || x.size != y.size || x.size*y.size != x.axis.size {
		return r.unknown("a resampling of %v, expected a square grid, row by row", v)
	}
	how := fmt.Sprintf("%s, %s, a = %.4g, antialias %d", textOf(n, "mode", "nearest"), textOf(n, "coordinate_transformation_mode", "half_pixel"),
		floatOf(n, "cubic_coeff_a", -.75), intOf(n, "antialias", 0))
	side := 0
	if sizes, ok := in[3].lit.list(); ok && len(sizes) >= 2 {
		side = sizes[len(sizes)-1]
		if sizes[len(sizes)-2] != side {
			side = 0
		}
	} else if s := in[2].lit; s != nil && s.floats != nil && len(s.floats) >= 2 {
		scale := s.floats[len(s.floats)-1]
		side = int(scale * float64(x.size))
		if s.floats[len(s.floats)-2] != scale {
			side = 0
		}
		if exact := float64(side) / float64(x.size); !near(scale, exact) || abs(scale-exact) > 1e-6 {
			how += fmt.Sprintf(", in steps of 1/%.4f in place of %d/%d", scale, x.size, side)
		}
	}
	if side < 1 || side > maxLiteral {
		return r.unknown("a resampling to a grid that is not known, or no square")
	}
	t := r.add(&term{kind: resize, name: how, f: factor{x.axis, 1, x.axis.size}, args: []value{v}, axes: []*axis{{size: side * side}}})
	a := t.axes[0]
	return value{t: t, l: layout{v.l[0], v.l[1], join([]factor{{a, side, side}}), join([]factor{{a, 1, side}})}}
}

func abs(x float64) float64 { return max(x, -x) }
