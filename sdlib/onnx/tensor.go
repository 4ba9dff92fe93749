package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Type is that of a tensor's elements, with ONNX's number for it.
type Type int

// The types that can be read.
const (
	Float    Type = 1
	Uint8    Type = 2
	Int8     Type = 3
	Uint16   Type = 4
	Int16    Type = 5
	Int32    Type = 6
	Int64    Type = 7
	Bool     Type = 9
	Float16  Type = 10
	Double   Type = 11
	Uint32   Type = 12
	Uint64   Type = 13
	BFloat16 Type = 16
)

var types = map[Type]struct {
	name string
	size int
}{
	Float: {"float32", 4}, Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2}, Int32: {"int32", 4},
	Int64: {"int64", 8}, Bool: {"bool", 1}, Float16: {"float16", 2}, Double: {"float64", 8}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8},
	BFloat16: {"bfloat16", 2},
}

// String returns the type's name.
func (t Type) String() string {
	if k, ok := types[t]; ok {
		return k.name
	}
	return fmt.Sprintf("type %d", int(t))
}

// Size returns the bytes of an element, 0 for types that can't be read.
func (t Type) Size() int { return types[t].size }

// IsFloat reports whether elements are floating-point numbers.
func (t Type) IsFloat() bool { return t == Float || t == Float16 || t == Double || t == BFloat16 }

// A Tensor is one of the model's constants.
type Tensor struct {
	Name  string
	Type  Type
	Shape []int

	raw     []byte // little endian, row-major; or
	message []byte // TensorProto, in whose field the numbers stand as varints and the like
	typed   protowire.Number
}

// maxElements bounds tensors, as 8 GiB in float32 do.
const maxElements = math.MaxInt32

// Elements returns the number of elements.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// String describes a tensor as errors do.
func (t *Tensor) String() string { return fmt.Sprintf("%.100q, %s %v", t.Name, t.Type, t.Shape) }

// tensor reads TensorProto, and checks that its data are there.
func (d *decoder) tensor(message []byte) (*Tensor, error) {
	if d.tensors++; d.tensors > maxTensors {
		return nil, d.tooMany("tensors")
	}
	t := &Tensor{Shape: []int{}}
	elements := 1
	var external map[string]string
	location := int64(0)
	err := each(message, func(f field) (err error) {
		switch f.number {
		case 1: // dims
			return f.ints(func(v int64) error {
				if len(t.Shape) == maxRank {
					return fmt.Errorf("it has more than %d axes", maxRank)
				}
				if v < 0 || v > maxElements || elements > 0 && v > int64(maxElements/elements) {
					return fmt.Errorf("its shape is %v times %d, expected at most %d elements", t.Shape, v, maxElements)
				}
				t.Shape = append(t.Shape, int(v))
				elements *= int(v)
				return nil
			})
		case 2: // data_type
			v, err := f.int()
			t.Type = Type(v)
			return err
		case 3:
			return errors.New("it is in segments, which can't be read")
		case 4, 5, 7, 10, 11: // float_data, int32_data, int64_data, double_data, uint64_data
			if f.wire == protowire.BytesType && len(f.bytes) == 0 {
				return nil
			}
			t.message, t.typed = message, f.number
		case 8:
			t.Name, err = f.text()
		case 9:
			t.raw, err = f.message()
		case 13: // external_data
			var entry [2]string
			err = inside(f, 0, func(f field) (err error) {
				if f.number == 1 || f.number == 2 {
					entry[f.number-1], err = f.text()
				}
				return err
			})
			if external == nil {
				external = map[string]string{}
			}
			if len(external) == maxRank {
				return errors.New("it has too many entries of external data")
			}
			external[entry[0]] = entry[1]
		case 14: // data_location
			location, err = f.int()
		}
		return err
	})
	if err == nil && location == 1 {
		t.raw, err = d.externalData(external, elements*t.Type.Size())
	}
	size := t.Type.Size()
	switch {
	case err != nil:
	case t.message != nil && (t.raw != nil || location == 1):
		err = errors.New("its numbers are there twice")
	case size == 0: // strings, and types of less than a byte: an error of those who want to read them
		t.raw, t.message = nil, nil
	case t.message != nil && elements > len(message): // a number takes a byte or more
		err = fmt.Errorf("its shape is %v, its data have %d bytes: the file is damaged", t.Shape, len(message))
	case t.message == nil && len(t.raw) != elements*size:
		err = fmt.Errorf("its shape is %v, so it takes %d bytes, and it has %d: the file is damaged", t.Shape, elements*size, len(t.raw))
	}
	if err != nil {
		return nil, fmt.Errorf("tensor %.200q (%s): %w", t.Name, t.Type, err)
	}
	return t, nil
}

// externalData returns a tensor's bytes in a file beside the model.
func (d *decoder) externalData(entries map[string]string, want int) ([]byte, error) {
	file, err := d.external(entries["location"])
	if err != nil {
		return nil, err
	}
	begin, length := uint64(0), uint64(want)
	for key, to := range map[string]*uint64{"offset": &begin, "length": &length} {
		if text, ok := entries[key]; ok {
			if *to, err = strconv.ParseUint(text, 10, 63); err != nil {
				return nil, fmt.Errorf("the %s of its external data is %.100q, expected a number", key, text)
			}
		}
	}
	if begin > uint64(len(file)) || length > uint64(len(file))-begin {
		return nil, fmt.Errorf("its %d bytes begin at %d of %.200q, which has %d: fetch that file again", length, begin, entries["location"], len(file))
	}
	return file[begin : begin+length], nil
}

// Bytes returns the elements, little endian and row-major. It may be the file's own memory, which is read-only and gone after Close.
func (t *Tensor) Bytes() ([]byte, error) {
	if t.Type.Size() == 0 {
		return nil, fmt.Errorf("onnx: %v can't be read", t)
	}
	if t.message == nil {
		return t.raw, nil
	}
	n, size := t.Elements(), t.Type.Size()
	all := make([]byte, 0, n*size) // n is at most the bytes of the message
	add := func(bits uint64) error {
		if len(all) == n*size {
			return fmt.Errorf("onnx: %v has more than %d elements", t, n)
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], bits)
		all = append(all, b[:size]...)
		return nil
	}
	err := each(t.message, func(f field) error {
		if f.number != t.typed {
			return nil
		}
		switch t.typed {
		case 4:
			if t.Type != Float {
				return fmt.Errorf("onnx: %v has its elements as floats", t)
			}
			return f.floats(func(v float32) error { return add(uint64(math.Float32bits(v))) })
		case 10:
			if t.Type != Double {
				return fmt.Errorf("onnx: %v has its elements as doubles", t)
			}
			if f.wire == protowire.Fixed64Type {
				return add(f.bits)
			}
			packed, err := f.message()
			for err == nil && len(packed) > 0 {
				v, n := protowire.ConsumeFixed64(packed)
				if n < 0 {
					return errTruncated
				}
				packed, err = packed[n:], add(v)
			}
			return err
		default: // half floats stand in int32_data as their bits
			if t.Type == Float || t.Type == Double {
				return fmt.Errorf("onnx: %v has its elements as whole numbers", t)
			}
			return f.ints(func(v int64) error { return add(uint64(v)) })
		}
	})
	if err == nil && len(all) != n*size {
		err = fmt.Errorf("onnx: %v has %d elements: the file is damaged", t, len(all)/size)
	}
	return all, err
}

// Float32s returns the elements of a floating-point tensor, in a copy.
func (t *Tensor) Float32s() ([]float32, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(b)/t.Type.Size())
	switch t.Type {
	case Float:
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case Double:
		for i := range values {
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
	case Float16:
		for i := range values {
			values[i] = half(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case BFloat16:
		for i := range values {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		}
	default:
		return nil, fmt.Errorf("onnx: %v has no floating-point elements", t)
	}
	return values, nil
}

// half returns the value of a float16, which float32 holds exactly.
func half(bits uint16) float32 {
	sign, exponent, fraction := uint32(bits>>15)<<31, uint32(bits>>10&31), uint32(bits&1023)
	switch {
	case exponent == 31: // infinite, or no number
		return math.Float32frombits(sign | 0x7f80_0000 | fraction<<13)
	case exponent == 0: // below 2⁻¹⁴
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Ints returns the elements of a tensor of whole numbers or truth values, in a copy.
func (t *Tensor) Ints() ([]int64, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	if t.Type.IsFloat() {
		return nil, fmt.Errorf("onnx: %v has no whole numbers", t)
	}
	size := t.Type.Size()
	values := make([]int64, 0, len(b)/size)
	for part := range slices.Chunk(b, size) {
		var bits uint64
		for i, v := range part {
			bits |= uint64(v) << (8 * i)
		}
		unused := 64 - 8*size
		if t.Type == Int8 || t.Type == Int16 || t.Type == Int32 {
			values = append(values, int64(bits<<unused)>>unused)
		} else {
			values = append(values, int64(bits))
		}
	}
	return values, nil
}
