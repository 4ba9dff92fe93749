package delta

import (
	"math"

	"samediff/sdlib/safetensors"
)

// eightBits returns A [m, r] and B [r, n] in 8 bits, and their steps: component k of A B is A[:, k] step[k] B[k, :], with integers of
// -127 to 127 in A and B.
func eightBits(w weight, r int, A, B []float32) []safetensors.Tensor {
	a, b, step := make([]byte, w.rows*r), make([]byte, r*w.cols), make([]float32, r)
	for k := range r {
		step[k] = float32(quantize(a[k:], A[k:], w.rows, r) * quantize(b[k*w.cols:], B[k*w.cols:], w.cols, 1))
	}
	return []safetensors.Tensor{
		{Name: w.name + left, DType: "I8", Shape: []int{w.rows, r}, Data: a},
		{Name: w.name + right, DType: "I8", Shape: []int{r, w.cols}, Data: b},
		safetensors.Float32s(w.name+steps, []int{r}, step),
	}
}

// quantize rounds n values, stride apart, to multiples of a step, which it returns, and writes the multiples as bytes.
func quantize(to []byte, values []float32, n, stride int) (step float64) {
	largest := 0.
	for i := range n {
		largest = max(largest, math.Abs(float64(values[i*stride])))
	}
	if step = largest / 127; step == 0 {
		return 0
	}
	for i := range n {
		to[i*stride] = byte(int8(math.RoundToEven(float64(values[i*stride]) / step)))
	}
	return step
}

// left returns A of rank r, times the steps where it is in 8 bits.
func (d *Delta) left(name string, r int) ([]float32, error) {
	A, err := numbers(d.kept[name+left])
	if err != nil {
		return nil, err
	}
	if t, ok := d.kept[name+steps]; ok {
		step, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		for i := range A {
			A[i] *= step[i%r]
		}
	}
	return A, nil
}

// numbers returns a tensor's values, integers of 8 bits as they are.
func numbers(t safetensors.Tensor) ([]float32, error) {
	if t.DType != "I8" {
		return t.Float32s()
	}
	values := make([]float32, len(t.Data))
	for i, b := range t.Data {
		values[i] = float32(int8(b))
	}
	return values, nil
}
