package encoder

import (
	"fmt"
	"slices"

	"samediff/sdlib/onnx"
)

// A Weight is a tensor of the encoder, wherever the file has its numbers and in whatever order.
type Weight struct {
	Shape []int
	parts []piece // one after the other, row-major
}

// A piece has rows and columns of one tensor of the file: element (i, j) stands there at rows[i] + columns[j].
type piece struct {
	param   *param
	rows    []int
	columns []int
}

// Elements returns the number of elements.
func (w Weight) Elements() int {
	n := 1
	for _, d := range w.Shape {
		n *= d
	}
	return n
}

// Bits returns the size of the smallest element in the file: 8 where the weight was rounded to a byte.
func (w Weight) Bits() int {
	least := 64
	for _, p := range w.parts {
		least = min(least, p.param.bits())
	}
	return least
}

// Sources returns the names of the file's tensors that the weight comes from.
func (w Weight) Sources() []string {
	var names []string
	for _, p := range w.parts {
		if name := p.param.tensor.Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Float32s returns the elements. What was rounded to a byte is (q - zero point) times the step.
func (w Weight) Float32s() ([]float32, error) {
	all := make([]float32, 0, w.Elements())
	for _, p := range w.parts {
		from, err := p.param.float32s()
		if err != nil {
			return nil, err
		}
		for _, r := range p.rows {
			for _, c := range p.columns {
				all = append(all, from[r+c])
			}
		}
	}
	if len(all) != w.Elements() {
		return nil, fmt.Errorf("onnx: a weight of %d elements, expected shape %v", len(all), w.Shape)
	}
	return all, nil
}

// check returns an error unless a tensor of the file is a weight that can be read.
func (p *param) check() error {
	t := p.tensor
	rounded := (t.Type == onnx.Int8 || t.Type == onnx.Uint8) && (p.scale != nil || p.c != 0)
	if rounded && (p.scale == nil || p.scale.Type.IsFloat()) && (p.zero == nil || p.zero.Type == t.Type) || t.Type.IsFloat() && p.scale == nil && p.c == 0 {
		return nil
	}
	return fmt.Errorf("expected a weight of floating-point numbers, or of 8-bit ones with the steps they were rounded in, found %v", t)
}

// float32s returns a tensor of the file, in its own order.
func (p *param) float32s() ([]float32, error) {
	t := p.tensor
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if t.Type.IsFloat() {
		return t.Float32s()
	}
	q, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	steps := []float32{1}
	if p.scale != nil {
		if steps, err = p.scale.Float32s(); err != nil {
			return nil, err
		}
	}
	if p.c != 0 && p.c != 1 {
		for i := range steps {
			steps[i] *= float32(p.c)
		}
	}
	zeros := []int64{0}
	if p.zero != nil {
		if zeros, err = p.zero.Ints(); err != nil {
			return nil, err
		}
	}
	inner := 1
	for _, d := range t.Shape[p.axis+1:] {
		inner *= d
	}
	channels := 1
	if len(t.Shape) > 0 {
		channels = t.Shape[p.axis]
	}
	values := make([]float32, len(q))
	for i, b := range q {
		x, channel := int64(b), i/inner%channels
		if t.Type == onnx.Int8 {
			x = int64(int8(b))
		}
		values[i] = float32(x-zeros[channel%len(zeros)]) * steps[channel%len(steps)]
	}
	return values, nil
}

// offsets returns where a list of factors of a weight's axes finds its elements, the last factor fastest.
func (p *param) offsets(list []factor) ([]int, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	at := []int{0}
	for _, f := range list {
		i := slices.Index(p.axes, f.axis)
		if i < 0 {
			return nil, fmt.Errorf("an axis that %v does not have", p.tensor)
		}
		stride := f.stride
		for _, d := range p.tensor.Shape[i+1:] {
			stride *= d
		}
		next := make([]int, 0, len(at)*f.size)
		for _, a := range at {
			for j := range f.size {
				next = append(next, a+j*stride)
			}
		}
		at = next
	}
	return at, nil
}

// weight returns a constant as a weight of a shape. rows and columns say in which order its elements come.
func (v value) weight(shape []int, rows, columns []factor) (Weight, error) {
	w := Weight{Shape: shape}
	if !v.is(constant) {
		return w, fmt.Errorf("expected a weight of shape %v, found %v", shape, v)
	}
	if n := size(rows) * size(columns); n != w.Elements() || n != v.l.elements() {
		return w, fmt.Errorf("expected a weight of shape %v, found %v", shape, v)
	}
	p := piece{param: v.t.param}
	var err error
	if p.rows, err = p.param.offsets(rows); err == nil {
		p.columns, err = p.param.offsets(columns)
	}
	w.parts = []piece{p}
	return w, err
}

// flat returns a constant as a weight of a shape, its elements in the order in which the graph has them.
func (v value) flat(shape ...int) (Weight, error) { return v.weight(shape, nil, v.l.list()) }

// a places the elements of an index: of the rows of a matrix, say.
type index struct {
	first int   // added to all
	at    []int // one for each element
}

// matrix returns the weights of a layer as [out, in], PyTorch's order, for some of its outputs and with the inputs in some order.
func (v value) matrix(out, in index) (Weight, error) {
	w := Weight{Shape: []int{len(out.at), len(in.at)}}
	if !v.is(constant) || len(v.l) != 2 {
		return w, fmt.Errorf("expected the weights of a linear layer, found %v", v)
	}
	rows, err := v.t.param.offsets(v.l[1])
	if err != nil {
		return w, err
	}
	columns, err := v.t.param.offsets(v.l[0])
	if err != nil {
		return w, err
	}
	p := piece{param: v.t.param}
	for _, i := range out.at {
		p.rows = append(p.rows, rows[out.first+i])
	}
	for _, i := range in.at {
		p.columns = append(p.columns, columns[in.first+i])
	}
	w.parts = []piece{p}
	return w, nil
}

// chosen returns some elements of a vector.
func (v value) chosen(at index) (Weight, error) {
	w := Weight{Shape: []int{len(at.at)}}
	if !v.is(constant) {
		return w, fmt.Errorf("expected a vector of weights, found %v", v)
	}
	all, err := v.t.param.offsets(v.l.list())
	if err != nil {
		return w, err
	}
	p := piece{param: v.t.param, rows: []int{0}}
	for _, i := range at.at {
		if at.first+i >= len(all) {
			return w, fmt.Errorf("expected a vector of more than %d weights, found %v", at.first+i, v)
		}
		p.columns = append(p.columns, all[at.first+i])
	}
	w.parts = []piece{p}
	return w, nil
}

// all is the index of n elements in their own order.
func all(n int) index {
	x := index{at: make([]int, n)}
	for i := range x.at {
		x.at[i] = i
	}
	return x
}

// two is the index of elements that two factors count, the last one fastest.
func two(first int, outer, inner factor) index {
	x := index{first: first}
	for i := range outer.size {
		for j := range inner.size {
			x.at = append(x.at, i*outer.stride+j*inner.stride)
		}
	}
	return x
}
