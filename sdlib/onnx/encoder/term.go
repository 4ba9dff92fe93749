package encoder

import (
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/onnx"
)

// A kind is what a term computes of its arguments.
type kind string

const (
	image       kind = "the image"
	constant    kind = "a weight"                   // param
	conv        kind = "a patch embedding"          // args: x, W and maybe b; axes: outputs, patches
	linear      kind = "a linear layer"             // args: x, W and maybe b; axes: outputs
	dot         kind = "a product of two tensors"   // args: x [batch, m, k], y [batch, k, n]; axes: batch, m, n
	integerDot  kind = "a product of whole numbers" // args: x, W and maybe W's zero point, all rounded; axes: outputs
	integerConv kind = "a patch embedding of whole numbers"
	sum         kind = "a sum"
	shift       kind = "a sum with a constant" // x + c
	product     kind = "a product"             // c times all args, elementwise
	scaled      kind = "a product with a vector"
	power       kind = "a power"         // x to the c
	mean        kind = "a mean"          // over factor f
	centered    kind = "x less its mean" // over factor f
	normalized  kind = "a LayerNorm without weights"
	norm        kind = "a LayerNorm"  // args: x, γ and maybe β; ε is c, over factor f
	function    kind = "a function"   // name, elementwise but for softmax over factor f
	concat      kind = "a row"        // args one after the other along an axis
	part        kind = "a part"       // from, to of factor f; axes: what is left of it, none where outputs of a layer are picked
	resize      kind = "a resampling" // of the grid f.axis to another; name says how
	quantized   kind = "x rounded to 8 bits"
	quantScale  kind = "the step of a rounding"
	quantZero   kind = "the zero point of a rounding"
	other       kind = "something else" // reason
)

// A term is a value that the graph computes, whatever layout it has at one place or another. What is computed twice is one term.
type term struct {
	id     int
	kind   kind
	args   []value
	c      float64
	f      factor
	from   int
	to     int
	name   string
	param  *param
	axes   []*axis    // that begin here
	shape  layout     // of a product whose factors differ in theirs
	node   *onnx.Node // that made it first, nil for the file's constants
	reason string
}

// A value is a term in a layout, a small constant, or, as tensors of few elements in a file, both.
type value struct {
	t   *term
	l   layout
	lit *literal
}

// shape returns the sizes of a value's axes, none for an input that a node leaves out.
func (v value) shape() []int {
	switch {
	case v.t != nil:
		return v.l.shape()
	case v.lit != nil:
		return v.lit.shape
	}
	return nil
}

// exists reports whether there is a value: nodes leave inputs out.
func (v value) exists() bool { return v.t != nil || v.lit != nil }

// is reports whether a value is a term of a kind.
func (v value) is(k kind) bool { return v.t != nil && v.t.kind == k }

// scalar returns the number that a value of one element is.
func (v value) scalar() (float64, bool) { return v.lit.number() }

// A param is a tensor of the file, with the rounding that it went through.
type param struct {
	tensor *onnx.Tensor
	scale  *onnx.Tensor // of one element, or one for each index of axis; nil: 1
	c      float64      // further scale; 0: 1
	zero   *onnx.Tensor // likewise, nil: 0
	axis   int          // of the tensor
	axes   []*axis
}

// bits returns the size of an element in the file.
func (p *param) bits() int { return 8 * p.tensor.Type.Size() }

// A book has all terms of a graph.
type book struct {
	terms  map[string]*term
	list   []*term // in the order in which the graph makes them
	users  map[*term][]*term
	params map[*onnx.Tensor]*param
	rounds map[*onnx.Tensor][]*param
	axes   int
	node   *onnx.Node // that is being read
}

func newBook() *book {
	return &book{terms: map[string]*term{}, users: map[*term][]*term{}, params: map[*onnx.Tensor]*param{},
		rounds: map[*onnx.Tensor][]*param{}}
}

// axis is a new axis of a tensor of the file.
func (b *book) axis(size int) *axis {
	b.axes++
	return &axis{id: b.axes, size: size}
}

func whole(a *axis) []factor {
	if a.size == 1 {
		return nil
	}
	return []factor{{a, 1, a.size}}
}

// key names a term by what it computes.
func (t *term) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %g %d %d %s %p %s|", t.kind, t.c, t.from, t.to, t.name, t.param, t.reason)
	if t.f.axis != nil {
		fmt.Fprintf(&b, "%d", t.f.axis.id)
	}
	fmt.Fprintf(&b, " %d %d|%s|", t.f.stride, t.f.size, t.shape.key())
	for _, a := range t.axes {
		fmt.Fprintf(&b, "%d.%d ", a.id, a.size)
	}
	for _, a := range t.args {
		fmt.Fprintf(&b, ",%d %s", a.t.id, a.l.key())
	}
	return b.String()
}

// add returns the term that computes the same, or makes it. Axes without a number begin with it.
func (b *book) add(t *term) *term {
	key := t.key()
	if old, ok := b.terms[key]; ok {
		return old
	}
	for _, a := range t.axes {
		if a.id == 0 {
			b.axes++
			a.id = b.axes
		}
	}
	t.node, t.id = b.node, len(b.terms)+1
	b.terms[key], b.list = t, append(b.list, t)
	for i, a := range t.args {
		if !slices.ContainsFunc(t.args[:i], func(earlier value) bool { return earlier.t == a.t }) {
			b.users[a.t] = append(b.users[a.t], t)
		}
	}
	return t
}

// of is a term's argument where its layout does not matter: an elementwise function.
func of(t *term) value { return value{t: t} }

// weight returns a tensor of the file.
func (b *book) weight(t *onnx.Tensor) value {
	p := b.params[t]
	if p == nil {
		p = &param{tensor: t}
		for _, d := range t.Shape {
			p.axes = append(p.axes, b.axis(d))
		}
		b.params[t] = p
	}
	return b.param(p)
}

func (b *book) param(p *param) value {
	l := make(layout, len(p.axes))
	for i, a := range p.axes {
		l[i] = whole(a)
	}
	return value{t: b.add(&term{kind: constant, param: p}), l: l}
}

// unknown is the value of a node that is not understood.
func (b *book) unknown(format string, args ...any) value {
	return value{t: &term{kind: other, node: b.node, reason: fmt.Sprintf(format, args...)}}
}

// String describes a term as errors do.
func (t *term) String() string {
	what := string(t.kind)
	switch t.kind {
	case function:
		what = "a " + t.name
	case constant:
		return fmt.Sprintf("the weight %v", t.param.tensor)
	case other:
		what = t.reason
	}
	if t.node != nil {
		return fmt.Sprintf("%s: node %v", what, t.node)
	}
	return what
}

func (v value) String() string {
	switch {
	case v.t != nil && v.t.kind != other:
		return fmt.Sprintf("%v, of shape %v", v.t, v.l.shape())
	case v.t != nil:
		return v.t.String()
	case v.lit != nil:
		return fmt.Sprintf("a constant of shape %v", v.lit.shape)
	}
	return "nothing"
}
