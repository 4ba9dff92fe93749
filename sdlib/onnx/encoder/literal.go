package encoder

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/onnx"
)

// A literal is a small constant, as exporters compute shapes and scales with. One of ints and floats is set.
type literal struct {
	shape  []int
	ints   []int64
	floats []float64
}

// Bounds of literals: attention masks of a thousand tokens are not among them.
const (
	maxLiteral  = 1 << 16 // elements of one
	maxLiterals = 1 << 24 // elements of all of a graph
)

var errLarge = errors.New("a constant is larger than what shapes are computed with")

func (v *literal) size() int { return max(len(v.ints), len(v.floats)) }

// number returns the only element.
func (v *literal) number() (float64, bool) {
	switch {
	case v == nil || v.size() != 1:
		return 0, false
	case v.ints != nil:
		return float64(v.ints[0]), true
	}
	return v.floats[0], true
}

// list returns whole numbers, such as a shape or a list of axes.
func (v *literal) list() ([]int, bool) {
	if v == nil || v.ints == nil {
		return nil, false
	}
	to := make([]int, len(v.ints))
	for i, n := range v.ints {
		to[i] = int(n)
	}
	return to, true
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

// expand repeats elements to fill a shape.
func (v *literal) expand(shape []int) (*literal, error) {
	rank := max(len(shape), len(v.shape))
	from, to := padded(v.shape, rank), padded(shape, rank)
	for i := range to {
		switch {
		case from[i] == to[i] || from[i] == 1:
		case to[i] == 1:
			to[i] = from[i]
		default:
			return nil, fmt.Errorf("a constant of shape %v can't be expanded to %v", v.shape, shape)
		}
	}
	n, err := elements(to)
	if err != nil {
		return nil, err
	}
	positions := make([]int, n)
	for i := range positions {
		p, rest, stride := 0, i, 1
		for a := rank - 1; a >= 0; a-- {
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
	shape := args[0].shape
	for _, v := range args[1:] {
		to, err := v.expand(shape)
		if err != nil {
			return nil, err
		}
		shape = to.shape
	}
	all := make([][]float64, len(args))
	for i, v := range args {
		to, err := v.expand(shape)
		if err != nil {
			return nil, err
		}
		all[i] = to.cast(onnx.Double).floats
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
