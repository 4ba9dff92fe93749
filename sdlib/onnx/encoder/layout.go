package encoder

import (
	"fmt"
	"slices"
	"strings"
)

// An axis is an index that a tensor of the graph has from where it is made: the outputs of a linear layer, the patches of an image.
type axis struct {
	id, size int
	features bool // outputs of a linear layer, which attention takes apart
}

// A factor is a part of an axis: the index (i / stride) mod size of the axis' index i. With 3 heads of 8 components, the outputs of a
// linear layer are an axis of 24, heads the factor of stride 8 and size 3, components that of stride 1 and size 8.
type factor struct {
	axis         *axis
	stride, size int
}

// whole reports whether a factor is all of its axis.
func (f factor) whole() bool { return f.stride == 1 && f.axis != nil && f.size == f.axis.size }

// A layout says, for each axis of a tensor in the graph, which factors it runs through, the last one fastest; none is an axis of
// size 1. So reshaping and transposing change the layout alone, and what a tensor holds is the same value before and after.
type layout [][]factor

func size(list []factor) int {
	n := 1
	for _, f := range list {
		n *= f.size
	}
	return n
}

// shape returns the sizes of the axes.
func (l layout) shape() []int {
	s := make([]int, len(l))
	for i, list := range l {
		s[i] = size(list)
	}
	return s
}

// elements returns the number of elements.
func (l layout) elements() int {
	n := 1
	for _, list := range l {
		n *= size(list)
	}
	return n
}

// key names a layout.
func (l layout) key() string {
	var b strings.Builder
	for _, list := range l {
		b.WriteByte('[')
		for _, f := range list {
			fmt.Fprintf(&b, "%d.%d.%d ", f.axis.id, f.stride, f.size)
		}
		b.WriteByte(']')
	}
	return b.String()
}

func (l layout) equal(other layout) bool { return slices.EqualFunc(l, other, slices.Equal[[]factor]) }

// single returns the only factor of axis i of the tensor.
func (l layout) single(i int) (f factor, ok bool) {
	if i < 0 || i >= len(l) || len(l[i]) != 1 {
		return f, false
	}
	return l[i][0], true
}

// vector returns the only axis of the tensor that has more than one element, and its factor.
func (l layout) vector() (at int, f factor, ok bool) {
	at = -1
	for i, list := range l {
		switch {
		case len(list) == 0:
		case len(list) > 1 || at >= 0:
			return 0, f, false
		default:
			at, f = i, list[0]
		}
	}
	return at, f, at >= 0
}

// join makes one factor of neighbors that belong together.
func join(list []factor) []factor {
	var joined []factor
	for _, f := range list {
		if f.size == 1 {
			continue
		}
		if n := len(joined); n > 0 && joined[n-1].axis == f.axis && joined[n-1].stride == f.stride*f.size {
			joined[n-1] = factor{f.axis, f.stride, joined[n-1].size * f.size}
			continue
		}
		joined = append(joined, f)
	}
	return joined
}

// reshape returns the layout of the same elements, in the same order, with another shape.
func (l layout) reshape(shape []int) (layout, error) {
	rest := join(slices.Concat(l...))
	to := make(layout, len(shape))
	for i, want := range shape {
		for want > 1 {
			if len(rest) == 0 {
				return nil, fmt.Errorf("a tensor of shape %v can't be reshaped to %v", l.shape(), shape)
			}
			f := rest[0]
			switch {
			case want%f.size == 0: // takes it whole
				rest, want = rest[1:], want/f.size
			case f.size%want == 0: // takes its slower part
				inner := f.size / want
				rest = slices.Concat([]factor{{f.axis, f.stride, inner}}, rest[1:])
				f = factor{f.axis, f.stride * inner, want}
				want = 1
			default:
				return nil, fmt.Errorf("reshaping %v to %v cuts across an axis", l.shape(), shape)
			}
			to[i] = append(to[i], f)
		}
		to[i] = join(to[i])
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("a tensor of shape %v can't be reshaped to %v", l.shape(), shape)
	}
	return to, nil
}

// permute returns the layout with its axes in another order.
func (l layout) permute(order []int) (layout, error) {
	if len(order) != len(l) {
		return nil, fmt.Errorf("a tensor of %d axes can't be transposed by %v", len(l), order)
	}
	to, seen := make(layout, len(l)), make([]bool, len(l))
	for i, from := range order {
		if from < 0 || from >= len(l) || seen[from] {
			return nil, fmt.Errorf("a tensor of %d axes can't be transposed by %v", len(l), order)
		}
		to[i], seen[from] = l[from], true
	}
	return to, nil
}

// pad puts axes of size 1 in front.
func (l layout) pad(rank int) layout {
	if len(l) >= rank {
		return l
	}
	return slices.Concat(make(layout, rank-len(l)), l)
}

// with returns the layout with another list of factors at an axis.
func (l layout) with(i int, list []factor) layout {
	to := slices.Clone(l)
	to[i] = list
	return to
}

// broadcast returns the layout of an elementwise operation. Where both tensors have an axis, the first one's factors name it; the
// second one's are equal, or one factor of the same size. ok is false where elements of different meaning would meet.
func broadcast(x, y layout) (to layout, ok bool) {
	rank := max(len(x), len(y))
	x, y = x.pad(rank), y.pad(rank)
	to = make(layout, rank)
	for i := range to {
		a, b := x[i], y[i]
		switch {
		case len(b) == 0 || slices.Equal(a, b):
			to[i] = a
		case len(a) == 0:
			to[i] = b
		case len(a) == 1 && len(b) == 1 && a[0].size == b[0].size && a[0].stride == 1 && b[0].stride == 1:
			to[i] = a
		default:
			return nil, false
		}
	}
	return to, true
}
