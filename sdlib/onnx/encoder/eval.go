package encoder

import (
	"fmt"
	"slices"

	"samediff/sdlib/onnx"
)

// A reader goes through a graph node by node and finds out what each computes, for one image of a given side.
type reader struct {
	*book
	model    *onnx.Model
	values   map[string]value
	literals int // elements of all literals
}

// An operation says what a node makes of its inputs, of which those that are left out are the zero value.
type operation func(r *reader, n *onnx.Node, in []value) []value

// operations are those of ONNX and of onnxruntime that image encoders are made of.
var operations map[string]operation

func init() {
	one := func(f func(r *reader, n *onnx.Node, in []value) value) operation {
		return func(r *reader, n *onnx.Node, in []value) []value { return []value{f(r, n, in)} }
	}
	pair := func(f func(b *book, x, y value) value) operation {
		return func(r *reader, _ *onnx.Node, in []value) []value { return []value{f(r.book, in[0], in[1])} }
	}
	same := func(_ *reader, _ *onnx.Node, in []value) []value { return in[:1] }
	operations = map[string]operation{
		"Identity": same, "Dropout": same,
		"Cast": one((*reader).cast), "Shape": one((*reader).shapeOf), "Size": one((*reader).sizeOf), "Constant": one((*reader).constant),
		"ConstantOfShape": one((*reader).filled), "Range": one((*reader).counted), "Where": one((*reader).where), "IsNaN": one((*reader).isNaN),

		"Reshape": one((*reader).reshape), "Flatten": one((*reader).flatten), "Transpose": one((*reader).transpose), "Expand": one((*reader).expand),
		"Unsqueeze": one((*reader).unsqueeze), "Squeeze": one((*reader).squeeze), "Concat": one((*reader).concat), "Slice": one((*reader).slice),
		"Gather": one((*reader).gather), "Split": (*reader).split, "Resize": one((*reader).resize),

		"Add": pair((*book).sum), "Sub": pair((*book).difference), "Mul": pair((*book).times),
		"Div": one((*reader).divide), "Pow": one((*reader).raise), "Sqrt": one((*reader).root), "Reciprocal": one((*reader).inverse), "Neg": one((*reader).negate),
		"Erf": one((*reader).elementwise), "Tanh": one((*reader).elementwise), "Sigmoid": one((*reader).elementwise),
		"Gelu": one((*reader).gelu), "Relu": one((*reader).relu), "ReduceMean": one((*reader).mean), "Softmax": one((*reader).softmax),

		"MatMul": pair((*book).matmul), "Gemm": one((*reader).gemm), "Conv": one((*reader).conv), "LayerNormalization": one((*reader).layerNorm),
		"Attention": (*reader).attention,

		"DynamicQuantizeLinear": (*reader).quantize, "DequantizeLinear": one((*reader).dequantize),
		"MatMulInteger": one((*reader).matmulInteger), "ConvInteger": one((*reader).convInteger),

		"com.microsoft.Gelu": one((*reader).gelu), "com.microsoft.FastGelu": one((*reader).gelu), "com.microsoft.BiasGelu": one((*reader).gelu),
		"com.microsoft.QuickGelu": one((*reader).gelu), "com.microsoft.FusedMatMul": one((*reader).fusedMatMul),
		"com.microsoft.SkipLayerNormalization": (*reader).skipLayerNorm, "com.microsoft.MultiHeadAttention": (*reader).multiHead,
		"com.microsoft.DynamicQuantizeMatMul": one((*reader).dynamicMatMul), "com.microsoft.MatMulIntegerToFloat": one((*reader).integerToFloat),
	}
}

// read goes through the graph of a model, which takes an image of a side in its only input of four axes.
func read(m *onnx.Model, input string, channels, side int) (*reader, error) {
	r := &reader{book: newBook(), model: m, values: map[string]value{}}
	for name, t := range m.Initializers {
		v := r.weight(t)
		lit, err := r.literal(t)
		if err != nil {
			return nil, err
		}
		v.lit = lit
		r.values[name] = v
	}
	for _, v := range m.Inputs {
		if v.Name != input {
			r.values[v.Name] = value{t: &term{kind: other, reason: fmt.Sprintf("the input %.100q", v.Name)}}
			continue
		}
		r.values[v.Name] = value{t: r.add(&term{kind: image}), l: layout{nil, whole(r.axis(channels)), whole(r.axis(side)), whole(r.axis(side))}}
	}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		r.node = n
		out, err := r.run(n)
		if err != nil {
			return nil, fmt.Errorf("node %v: %w", *n, err)
		}
		for i, name := range n.Outputs {
			switch {
			case name == "":
			case i < len(out):
				r.values[name] = out[i]
			default:
				r.values[name] = r.unknown("output %d of this operation", i)
			}
		}
	}
	r.node = nil
	return r, nil
}

// literal reads a small tensor.
func (r *reader) literal(t *onnx.Tensor) (*literal, error) {
	v, err := literalOf(t)
	if v != nil {
		err = r.count(v, err)
	}
	return v, err
}

// count bounds the memory of all literals.
func (r *reader) count(v *literal, err error) error {
	if v != nil {
		if r.literals += v.size(); r.literals > maxLiterals {
			return fmt.Errorf("the graph computes too many constants")
		}
	}
	return err
}

// run says what a node makes. The error is that of a graph that must not be read on.
func (r *reader) run(n *onnx.Node) ([]value, error) {
	name := n.Op
	if n.Domain != "" {
		name = n.Domain + "." + name
	}
	in := make([]value, max(len(n.Inputs), 8)) // operations look at inputs that are left out
	for i, input := range n.Inputs {
		if input != "" {
			in[i] = r.values[input]
		}
	}
	for _, v := range in {
		if v.is(other) && v.lit == nil {
			return []value{v, v, v, v}[:min(4, max(1, len(n.Outputs)))], nil // the first thing that is not understood is what errors name
		}
	}
	if lit, ok, err := r.fold(n, in[:len(n.Inputs)]); err != nil || ok {
		return []value{{lit: lit}}, r.count(lit, err)
	}
	do, ok := operations[name]
	if !ok {
		return []value{r.unknown("the operation %s", name)}, nil
	}
	if len(n.Inputs) == 0 && name != "Constant" || len(n.Inputs) > 0 && in[0].t == nil && in[0].lit == nil {
		return []value{r.unknown("%s without inputs", name)}, nil
	}
	if slices.Contains([]string{"Add", "Sub", "Mul", "Div", "Pow", "MatMul", "Gemm", "Conv"}, name) && in[1].t == nil && in[1].lit == nil {
		return []value{r.unknown("%s of one input", name)}, nil
	}
	out := do(r, n, in)
	for _, v := range out {
		if v.lit != nil && v.t == nil {
			if err := r.count(v.lit, nil); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// fold computes elementwise operations on constants. ok is false where the node is something else. What constants can't give, such
// as a shape that is too large, is no error here: the node then makes something that is not understood.
func (r *reader) fold(n *onnx.Node, in []value) (v *literal, ok bool, err error) {
	_, one := unary[n.Op]
	_, two := binary[n.Op]
	if n.Domain != "" || len(in) == 0 || one && len(in) != 1 || two && len(in) != 2 || !one && !two {
		return nil, false, nil
	}
	args := make([]*literal, len(in))
	for i, x := range in {
		if args[i] = x.lit; x.lit == nil {
			return nil, false, nil
		}
	}
	if v, err = apply(n.Op, args...); err != nil {
		return nil, false, nil
	}
	return v, true, nil
}

// Attributes of a node, or what they are when they are left out.

func intOf(n *onnx.Node, name string, def int) int {
	if a := n.Attributes[name].Int; a != nil {
		return int(*a)
	}
	return def
}

func floatOf(n *onnx.Node, name string, def float64) float64 {
	if a := n.Attributes[name].Float; a != nil {
		return float64(*a)
	}
	return def
}

func textOf(n *onnx.Node, name, def string) string {
	if a := n.Attributes[name].Text; a != nil {
		return *a
	}
	return def
}

func intsOf(n *onnx.Node, name string) []int {
	a := n.Attributes[name].Ints
	if a == nil {
		return nil
	}
	to := make([]int, len(a))
	for i, v := range a {
		to[i] = int(v)
	}
	return to
}

// axesOf returns a list of axes, from an attribute or, in newer versions, an input; counted from the front. None is nil.
func axesOf(n *onnx.Node, in value, rank int) (axes []int, ok bool) {
	axes = intsOf(n, "axes")
	if in.lit != nil {
		axes, ok = in.lit.list()
		if !ok {
			return nil, false
		}
	} else if in.t != nil {
		return nil, false
	}
	axes = slices.Clone(axes)
	for i, a := range axes {
		if a < 0 {
			a += rank
		}
		if axes[i] = a; a < 0 || a >= rank {
			return nil, false
		}
	}
	return axes, true
}
