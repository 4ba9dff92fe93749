package encoder

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/onnx"
)

// A literal is a small constant, as exporters compute shapes, scales and masks with. One of ints and floats is set. They have an
// element for each of the shape's, or one, which all of them are: so masks of any size are small.
type literal struct {
	shape  []int
	ints   []int64
	floats []float64
}

// Bounds of literals.
const (
	maxLiteral  = 1 << 16 // elements of one
	maxLiterals = 1 << 24 // elements of all of a graph
)

var errLarge = errors.New("a constant is larger than what shapes are computed with")

// size returns the elements that are kept.
func (v *literal) size() int { return max(len(v.ints), len(v.floats)) }

// number returns the only element.
func (v *literal) number() (float64, bool) {
	if v == nil || slices.ContainsFunc(v.shape, func(d int) bool { return d != 1 }) {
		return 0, false
	}
	return v.uniform(v.shape)
}

// uniform returns the number that all elements are, where the literal can be repeated to fill a shape.
func (v *literal) uniform(shape []int) (float64, bool) {
	if v == nil || v.size() == 0 || len(v.shape) > len(shape) {
		return 0, false
	}
	for i, d := range padded(v.shape, len(shape)) {
		if d != 1 && d != shape[i] {
			return 0, false
		}
	}
	if v.ints != nil {
		return float64(v.ints[0]), !slices.ContainsFunc(v.ints, func(x int64) bool { return x != v.ints[0] })
	}
	return v.floats[0], !slices.ContainsFunc(v.floats, func(x float64) bool { return x != v.floats[0] })
}

// list returns whole numbers, such as a shape or a list of axes.
func (v *literal) list() ([]int, bool) {
	if v == nil || v.ints == nil || len(v.shape) > 1 {
		return nil, false
	}
	v, err := v.full()
	if err != nil {
		return nil, false
	}
	to := make([]int, len(v.ints))
	for i, n := range v.ints {
		to[i] = int(n)
	}
	return to, true
}

// full returns the literal with an element for each of its shape's.
func (v *literal) full() (*literal, error) {
	n, err := elements(v.shape)
	if err != nil || n == v.size() {
		return v, err
	}
	return v.at(v.shape, make([]int, n)), nil
}

func vector(values ...int) *literal {
	v := &literal{shape: []int{len(values)}, ints: make([]int64, len(values))}
	for i, n := range values {
		v.ints[i] = int64(n)
	}
	return v
}

// literalOf reads a tensor of the file: all whole numbers, and floating-point numbers where there are few.
func literalOf(t *onnx.Tensor) (*literal, error) {
	n := t.Elements()
	few := maxLiteral
	if t.Type.IsFloat() {
		few = 8
	}
	if n > few || t.Type.Size() == 0 {
		return nil, nil
	}
	v := &literal{shape: t.Shape}
	if !t.Type.IsFloat() {
		ints, err := t.Ints()
		v.ints = append([]int64{}, ints...)
		return v, err
	}
	values, err := t.Float32s()
	v.floats = make([]float64, len(values))
	for i, x := range values {
		v.floats[i] = float64(x)
	}
	return v, err
}

// at returns the elements of the list of positions.
func (v *literal) at(shape []int, positions []int) *literal {
	to := &literal{shape: shape}
	if v.ints != nil {
		to.ints = make([]int64, len(positions))
		for i, p := range positions {
			to.ints[i] = v.ints[p]
		}
		return to
	}
	to.floats = make([]float64, len(positions))
	for i, p := range positions {
		to.floats[i] = v.floats[p]
	}
	return to
}

func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 || d > maxLiteral || n*d > maxLiteral {
			return 0, errLarge
		}
		n *= d
	}
	return n, nil
}

// broadcastShapes returns the shape that two fill together.
func broadcastShapes(a, b []int) ([]int, error) {
	rank := max(len(a), len(b))
	x, y := padded(a, rank), padded(b, rank)
	n := 1
	for i := range x {
		switch {
		case x[i] < 0 || y[i] < 0 || x[i] > math.MaxInt32 || y[i] > math.MaxInt32:
			return nil, fmt.Errorf("constants of shapes %v and %v", a, b)
		case y[i] == x[i] || y[i] == 1:
		case x[i] == 1:
			x[i] = y[i]
		default:
			return nil, fmt.Errorf("constants of shapes %v and %v", a, b)
		}
		if n *= x[i]; n > math.MaxInt32 {
			return nil, errLarge
		}
	}
	return x, nil
}

// expand repeats elements to fill a shape.
func (v *literal) expand(shape []int) (*literal, error) {
	to, err := broadcastShapes(v.shape, shape)
	if err != nil {
		return nil, err
	}
	if v.size() == 1 {
		return &literal{shape: to, ints: v.ints, floats: v.floats}, nil
	}
	n, err := elements(to)
	if err != nil {
		return nil, err
	}
	from := padded(v.shape, len(to))
	positions := make([]int, n)
	for i := range positions {
		p, rest, stride := 0, i, 1
		for a := len(to) - 1; a >= 0; a-- {
			if from[a] > 1 {
				p += rest % to[a] * stride
			}
			rest /= to[a]
			stride *= from[a]
		}
		positions[i] = p
	}
	return v.at(to, positions), nil
}

func padded(shape []int, rank int) []int {
	return slices.Concat(slices.Repeat([]int{1}, rank-len(shape)), shape)
}

// take returns the elements at the given positions of an axis.
func (v *literal) take(axis int, at []int, shape []int) (*literal, error) {
	if v.size() == 1 && len(at) > 0 {
		return &literal{shape: shape, ints: v.ints, floats: v.floats}, nil
	}
	inner, outer := 1, 1
	for _, d := range v.shape[axis+1:] {
		inner *= d
	}
	for _, d := range v.shape[:axis] {
		outer *= d
	}
	if _, err := elements(shape); err != nil {
		return nil, err
	}
	var positions []int
	for o := range outer {
		for _, p := range at {
			if p < 0 || p >= v.shape[axis] {
				return nil, fmt.Errorf("element %d of an axis of %d", p, v.shape[axis])
			}
			for i := range inner {
				positions = append(positions, (o*v.shape[axis]+p)*inner+i)
			}
		}
	}
	return v.at(shape, positions), nil
}

// cast returns the elements as another type.
func (v *literal) cast(to onnx.Type) *literal {
	r := &literal{shape: v.shape}
	switch {
	case to.IsFloat() && v.ints != nil:
		r.floats = make([]float64, len(v.ints))
		for i, n := range v.ints {
			r.floats[i] = float64(n)
		}
	case !to.IsFloat() && v.floats != nil:
		r.ints = make([]int64, len(v.floats))
		for i, x := range v.floats {
			r.ints[i] = int64(x)
			if to == onnx.Bool && x != 0 {
				r.ints[i] = 1
			}
		}
	default:
		return v
	}
	return r
}

// unary are the operations on one constant.
var unary = map[string]func(x float64) float64{
	"Neg": func(x float64) float64 { return -x }, "Sqrt": math.Sqrt, "Floor": math.Floor, "Ceil": math.Ceil, "Abs": math.Abs,
	"Reciprocal": func(x float64) float64 { return 1 / x },
	"Not":        func(x float64) float64 { return truth(x == 0) },
}

// binary are those on two.
var binary = map[string]func(x, y float64) float64{
	"Add": func(x, y float64) float64 { return x + y }, "Sub": func(x, y float64) float64 { return x - y },
	"Mul": func(x, y float64) float64 { return x * y }, "Div": func(x, y float64) float64 { return x / y },
	"Pow": math.Pow, "Min": math.Min, "Max": math.Max, "Mod": math.Mod,
	"Equal": func(x, y float64) float64 { return truth(x == y) }, "Less": func(x, y float64) float64 { return truth(x < y) },
	"Greater": func(x, y float64) float64 { return truth(x > y) }, "LessOrEqual": func(x, y float64) float64 { return truth(x <= y) },
	"GreaterOrEqual": func(x, y float64) float64 { return truth(x >= y) },
	"And":            func(x, y float64) float64 { return x * y }, "Or": math.Max,
}

// saysTruth are those of them whose result is true or false, 1 or 0.
var saysTruth = []string{"Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Not"}

func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

// apply computes an operation of elements. Whole numbers up to 2⁵³ are exact in between; division of them drops the remainder.
func apply(op string, args ...*literal) (*literal, error) {
	whole := !slices.ContainsFunc(args, func(v *literal) bool { return v.ints == nil })
	shape, err := args[0].shape, error(nil)
	one := true
	for _, v := range args {
		if shape, err = broadcastShapes(shape, v.shape); err != nil {
			return nil, err
		}
		one = one && v.size() == 1
	}
	all := make([][]float64, len(args))
	for i, v := range args {
		if v, err = v.expand(shape); err == nil && !one {
			v, err = v.full()
		}
		if err != nil {
			return nil, err
		}
		all[i] = v.cast(onnx.Double).floats
	}
	r := &literal{shape: shape, floats: make([]float64, len(all[0]))}
	for i := range r.floats {
		if f, ok := unary[op]; ok {
			r.floats[i] = f(all[0][i])
		} else {
			r.floats[i] = binary[op](all[0][i], all[1][i])
		}
		if whole {
			if r.floats[i] = math.Trunc(r.floats[i]); math.Abs(r.floats[i]) > 1<<53 || math.IsNaN(r.floats[i]) {
				return nil, fmt.Errorf("%s of whole numbers gives %g", op, r.floats[i])
			}
		}
	}
	if whole || slices.Contains(saysTruth, op) {
		return r.cast(onnx.Int64), nil
	}
	return r, nil
}
