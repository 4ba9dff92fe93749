package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// Float32s makes an F32 tensor of values, which are copied. Write reports values that do not fill the shape.
func Float32s(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
	}
	return Tensor{Name: name, DType: "F32", Shape: slices.Clone(shape), Data: data}
}

// ViewOf makes an F32 tensor of values that are not copied: the tensor's Data is their own memory, or a copy on a big-endian processor.
// They must stay as they are until it is written.
func ViewOf(name string, shape []int, values []float32) Tensor {
	return Tensor{Name: name, DType: "F32", Shape: slices.Clone(shape), Data: Float32Bytes(values)}
}

// Float32s returns the elements of an F32, F16, BF16 or F64 tensor as float32, row-major, in fresh memory that outlives the file.
// F16 and BF16 convert exactly, F64 rounds to nearest. Other element types are an error.
func (t Tensor) Float32s() ([]float32, error) {
	if err := t.checkFloats(); err != nil {
		return nil, err
	}
	values := make([]float32, t.Len())
	return values, t.CopyFloat32s(values)
}

// ViewFloat32s returns the elements of an F32 tensor without copying them where it can: the result is then the tensor's Data, with all
// that File.Tensor says of it. Where the processor is big endian, or the file has the tensor at an odd place, it is a copy.
func (t Tensor) ViewFloat32s() ([]float32, error) {
	if t.DType != "F32" || !littleEndian || len(t.Data) == 0 || uintptr(unsafe.Pointer(&t.Data[0]))%4 != 0 {
		return t.Float32s()
	}
	if err := t.checkFloats(); err != nil {
		return nil, err
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&t.Data[0])), len(t.Data)/4), nil
}

// Float32Bytes returns numbers as a file holds them, for [WriteStream]: the numbers' own memory, or a copy on a big-endian processor.
func Float32Bytes(values []float32) []byte {
	if littleEndian && len(values) > 0 {
		return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
	}
	return Float32s("", nil, values).Data
}

// littleEndian reports whether numbers lie in memory as they do in a file.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// CopyFloat32s is Float32s into memory that the caller has, of the tensor's length.
func (t Tensor) CopyFloat32s(values []float32) error {
	if err := t.checkFloats(); err != nil {
		return err
	}
	if len(values) != t.Len() {
		return fmt.Errorf("safetensors: tensor %q has %d elements, the memory to copy them to %d", t.Name, t.Len(), len(values))
	}
	switch t.DType {
	case "F32":
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case "F16":
		for i := range values {
			values[i] = float16(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case "BF16": // the upper half of a float32
		for i := range values {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.Data[2*i:])) << 16)
		}
	case "F64":
		for i := range values {
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	}
	return nil
}

// checkFloats reports whether a tensor's elements can be read as float32, and are all there.
func (t Tensor) checkFloats() error {
	size, err := byteLen(t.DType, t.Shape)
	if err != nil {
		return fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
	}
	if size != len(t.Data) {
		return fmt.Errorf("safetensors: tensor %q: %s of shape %s takes %d bytes, it has %d",
			t.Name, t.DType, formatShape(t.Shape), size, len(t.Data))
	}
	switch t.DType {
	case "F32", "F16", "BF16", "F64":
		return nil
	}
	return fmt.Errorf("safetensors: tensor %q is %s; only F32, F16, BF16 and F64 read as float32: decode its Data", t.Name, t.DType)
}

// float16 widens an IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
func float16(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent := uint32(h>>10) & 0x1f
	fraction := uint32(h) & 0x3ff
	switch exponent {
	case 0: // zero and subnormals: ±fraction × 2⁻²⁴, exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity and NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent-15+127)<<23 | fraction<<13)
}
