package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// As returns a tensor of floating-point numbers with its elements in another of the types F32, F16 and BF16, rounded to the nearest
// and ties to even. A number too large for the type is an error: it would become infinite.
func (t Tensor) As(dtype string) (Tensor, error) {
	if dtype == t.DType {
		return t, nil
	}
	var narrow func(float32) uint16
	switch dtype {
	case "F16":
		narrow = toFloat16
	case "BF16":
		narrow = toBFloat16
	case "F32":
	default:
		return Tensor{}, fmt.Errorf("safetensors: tensor %q can't become %s: expected F32, F16 or BF16", t.Name, dtype)
	}
	values, err := t.Float32s()
	if err != nil {
		return Tensor{}, err
	}
	if narrow == nil {
		return Float32s(t.Name, t.Shape, values), nil
	}
	infinity := narrow(float32(math.Inf(1)))
	data := make([]byte, 2*len(values))
	for i, v := range values {
		bits := narrow(v)
		if bits&^(1<<15) == infinity && !math.IsInf(float64(v), 0) {
			return Tensor{}, fmt.Errorf("safetensors: tensor %q holds %g at position %d, which is too large for %s: F32 holds it", t.Name, v, i, dtype)
		}
		binary.LittleEndian.PutUint16(data[2*i:], bits)
	}
	return Tensor{Name: t.Name, DType: dtype, Shape: slices.Clone(t.Shape), Data: data}, nil
}

// toBFloat16 keeps the upper half of a float32.
func toBFloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 1<<6 // quiet, and never infinity
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16) // a carry into the exponent is right
}

// toFloat16 narrows to IEEE 754 binary16, the inverse of float16.
func toFloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits>>16) & (1 << 15)
	switch a := math.Abs(float64(v)); {
	case v != v:
		return sign | 0x7e00
	case a >= 65520: // halfway between the largest number and the next that there would be
		return sign | 0x7c00
	case a < 0x1p-14: // zero and subnormals: multiples of 2⁻²⁴
		return sign | uint16(math.RoundToEven(a*0x1p24))
	}
	bits &= 1<<31 - 1
	bits += 0xfff + bits>>13&1 // of 23 bits of fraction 10 stay
	return sign | uint16(bits>>13-(127-15)<<10)
}
