package torchfile

import (
	"errors"
	"fmt"
	"math/bits"
)

// maxDims is the most dimensions that PyTorch's own loops take.
const maxDims = 64

// newStorage reads the persistent ID of a storage: ("storage", type, key, device, length), in files before PyTorch 1.6 with a view
// behind, which is None or (key of the view, begin, length).
func newStorage(id any) (*storage, error) {
	args, ok := id.(tuple)
	if !ok || len(args) < 5 || len(args) > 6 || args[0] != "storage" {
		return nil, fmt.Errorf("it refers to %s, want a storage of 5 or 6 fields: the file holds a whole model, not a state dict", kind(id))
	}
	class, ok1 := args[1].(storageType)
	key, ok2 := args[2].(string)
	length, ok3 := args[4].(int)
	if !ok1 || !ok2 || !ok3 || length < 0 {
		return nil, fmt.Errorf("a storage is described by %s, %s and %s, want its type, its key and its length", kind(args[1]), kind(args[2]), kind(args[4]))
	}
	s := &storage{dtype: class.dtype, key: key, length: length}
	if len(args) == 5 || args[5] == nil {
		return s, nil
	}
	view, ok := args[5].(tuple)
	if !ok || len(view) != 3 {
		return nil, fmt.Errorf("the view of a storage is %s, want its key, begin and length", kind(args[5]))
	}
	begin, ok1 := view[1].(int)
	length, ok2 = view[2].(int)
	if !ok1 || !ok2 || begin < 0 || length < 0 || begin > s.length || length > s.length-begin {
		return nil, fmt.Errorf("the view of a storage of %d elements is %v to %v", s.length, view[1], view[2])
	}
	s.begin, s.length = begin, length
	return s, nil
}

// newTensor reads what all rebuild functions begin with: storage, offset, shape, strides.
func newTensor(args tuple) (*tensor, error) {
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int)
	if !ok1 || !ok2 || offset < 0 {
		return nil, fmt.Errorf("a tensor is made of %s and %v, want a storage and an offset", kind(args[0]), args[1])
	}
	shape, err := ints("a shape", args[2])
	if err != nil {
		return nil, err
	}
	strides, err := ints("a tensor's strides", args[3])
	if err != nil {
		return nil, err
	}
	if len(shape) != len(strides) {
		return nil, fmt.Errorf("a tensor of shape %v has strides %v", shape, strides)
	}
	return &tensor{storage: s, dtype: s.dtype, offset: offset, shape: shape, strides: strides}, nil
}

// ints reads a tuple or list of non-negative integers.
func ints(what string, v any) ([]int, error) {
	var items []any
	switch v := v.(type) {
	case tuple:
		items = v
	case *list:
		items = v.items
	default:
		return nil, fmt.Errorf("%s is %s, want a tuple of integers", what, kind(v))
	}
	if len(items) > maxDims {
		return nil, fmt.Errorf("%s has %d dimensions, want at most %d", what, len(items), maxDims)
	}
	list := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int)
		if !ok || n < 0 {
			return nil, fmt.Errorf("%s holds %s, want non-negative integers", what, kind(item))
		}
		list[i] = n
	}
	return list, nil
}

// measure returns the number of elements of a tensor, and where its last element ends, counted in elements from the start of its
// storage. It fails where a number is beyond what this machine can address.
func (t *tensor) measure() (elements, end int, err error) {
	elements, end = 1, t.offset
	for i, dim := range t.shape {
		if dim == 0 {
			return 0, 0, nil // reaches nothing
		}
		var far uint64
		if elements, err = product(elements, dim); err != nil {
			return 0, 0, err
		}
		reach, err := product(dim-1, t.strides[i])
		if err != nil {
			return 0, 0, err
		}
		if far = uint64(end) + uint64(reach); far >= maxInt { // both are below 2^63: no overflow
			return 0, 0, errTooLarge
		}
		end = int(far)
	}
	return elements, end + 1, nil
}

var errTooLarge = errors.New("its shape or its strides reach beyond what this machine can address")

const maxInt = uint64(^uint(0) >> 1)

// product multiplies two non-negative numbers.
func product(a, b int) (int, error) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi != 0 || lo > maxInt {
		return 0, errTooLarge
	}
	return int(lo), nil
}

// contiguous reports whether the elements lie in row-major order without gaps. The stride of a dimension of 1 does not matter.
func (t *tensor) contiguous() bool {
	want := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.strides[i] != want {
			return false
		}
		want *= t.shape[i]
	}
	return true
}

// gather copies the elements out of their storage's bytes into dst, row-major.
func (t *tensor) gather(dst, storage []byte) {
	size := t.dtype.size
	last := len(t.shape) - 1 // there is one: a scalar is contiguous
	index := make([]int, last)
	at := t.offset // of element (index..., 0)
	for len(dst) > 0 {
		from := at
		for range t.shape[last] {
			copy(dst[:size], storage[from*size:])
			dst, from = dst[size:], from+t.strides[last]
		}
		for d := last - 1; d >= 0; d-- { // the next row
			index[d]++
			at += t.strides[d]
			if index[d] < t.shape[d] {
				break
			}
			at -= t.shape[d] * t.strides[d]
			index[d] = 0
		}
	}
}
