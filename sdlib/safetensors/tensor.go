package safetensors

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// A Tensor is a named array of numbers.
type Tensor struct {
	Name  string
	DType string // "F32", "F16", "BF16", "F64", "I64", "I32", "U8", "BOOL", ...: see DTypes
	Shape []int  // the empty shape is a scalar
	Data  []byte // the elements, little endian, row-major: product of Shape × bytes per element
}

// dtypes lists the element types from the narrowest alignment to the widest, in the order of the reference implementation, whose
// writer sorts by it.
var dtypes = []struct {
	name string
	size int // bytes per element
}{
	{"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1}, {"F8_E4M3FNUZ", 1}, {"F8_E5M2FNUZ", 1},
	{"I16", 2}, {"U16", 2}, {"F16", 2}, {"BF16", 2},
	{"I32", 4}, {"U32", 4}, {"F32", 4},
	{"C64", 8}, {"F64", 8}, {"I64", 8}, {"U64", 8},
}

// DTypes returns the names of the element types this package knows. Types narrower than a byte are not among them.
func DTypes() []string {
	names := make([]string, len(dtypes))
	for i, d := range dtypes {
		names[i] = d.name
	}
	return names
}

// dtypeRank returns the position of an element type in dtypes, or -1.
func dtypeRank(name string) int {
	for i, d := range dtypes {
		if d.name == name {
			return i
		}
	}
	return -1
}

// Sort puts tensors in the reference writer's order: wide element types first, so that every tensor is aligned to its element, and
// by name within a type.
func Sort(tensors []Tensor) {
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(-cmp.Compare(dtypeRank(a.DType), dtypeRank(b.DType)), cmp.Compare(a.Name, b.Name))
	})
}

// Len returns the number of elements, the product of the shape.
func (t Tensor) Len() int {
	n := 1
	for _, dim := range t.Shape {
		n *= dim
	}
	return n
}

// byteLen returns the number of bytes that elements of a type and shape take.
func byteLen(dtype string, shape []int) (int, error) {
	rank := dtypeRank(dtype)
	if rank < 0 {
		return 0, fmt.Errorf("dtype %q is not one of %s", dtype, strings.Join(DTypes(), ", "))
	}
	n := uint64(dtypes[rank].size)
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("shape %s has a negative dimension", formatShape(shape))
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > maxInt {
			return 0, fmt.Errorf("shape %s of %s has more bytes than this machine can address", formatShape(shape), dtype)
		}
		n = lo
	}
	return int(n), nil
}

const maxInt = uint64(^uint(0) >> 1)

// formatShape prints a shape, shortened where a hostile file has made it long.
func formatShape(shape []int) string {
	const most = 16
	if len(shape) > most {
		return fmt.Sprintf("%v (the first %d of %d dimensions)", shape[:most], most, len(shape))
	}
	return fmt.Sprint(shape)
}
