package safetensors

import (
	"math"
	"strings"
	"testing"
)

// Every number of the narrow types comes back from float32, and what lies between two of them goes to the nearer one, or to the even
// one of both.
func TestNarrowExactly(t *testing.T) {
	for _, test := range []struct {
		name     string
		narrow   func(float32) uint16
		widen    func(uint16) float32
		infinity uint16
	}{
		{"F16", toFloat16, float16, 0x7c00},
		{"BF16", toBFloat16, func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }, 0x7f80},
	} {
		for h := range test.infinity {
			low, high := float64(test.widen(h)), float64(test.widen(h+1))
			if h+1 == test.infinity {
				high = 2*low - float64(test.widen(h-1)) // the next number, were the exponent not at its end
			}
			even := h + h&1
			middle := float32((low + high) / 2) // has one bit more than the type
			for _, c := range []struct {
				value float32
				want  uint16
			}{{float32(low), h}, {middle, even}, {math.Nextafter32(middle, 0), h}, {math.Nextafter32(middle, float32(math.Inf(1))), h + 1}} {
				if got := test.narrow(c.value); got != c.want {
					t.Fatalf("%s: %g becomes %#04x, want %#04x", test.name, c.value, got, c.want)
				}
				if got := test.narrow(-c.value); got != c.want|1<<15 {
					t.Fatalf("%s: %g becomes %#04x, want %#04x", test.name, -c.value, got, c.want|1<<15)
				}
			}
		}
		for _, special := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
			if back := float64(test.widen(test.narrow(float32(special)))); back != special && !(math.IsNaN(back) && math.IsNaN(special)) {
				t.Errorf("%s: %g becomes %g", test.name, special, back)
			}
		}
	}
}

func TestAs(t *testing.T) {
	x := Float32s("x", []int{2, 2}, []float32{0, 1, -2.5, 1e-3})
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		y, err := x.As(dtype)
		if err != nil || y.Name != "x" || y.DType != dtype || y.Len() != 4 {
			t.Fatalf("As(%s) = %+v, %v", dtype, y, err)
		}
		back, err := y.As("F32")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := back.Float32s()
		values, _ := x.Float32s()
		for i, want := range values {
			if v := got[i]; math.Abs(float64(v-want)) > math.Abs(float64(want))/256 {
				t.Errorf("%s: %g became %g", dtype, want, v)
			}
		}
	}
	for _, test := range []struct {
		x           Tensor
		dtype, want string
	}{
		{Float32s("big", []int{1}, []float32{1e5}), "F16", `"big" holds 100000 at position 0, which is too large for F16`},
		{Float32s("big", []int{1}, []float32{math.MaxFloat32}), "BF16", "too large"},
		{x, "I64", "expected F32, F16 or BF16"},
		{Tensor{Name: "n", DType: "I64", Shape: []int{1}, Data: make([]byte, 8)}, "F16", "only F32, F16, BF16 and F64"},
	} {
		if _, err := test.x.As(test.dtype); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("As(%s): error %v, want %q", test.dtype, err, test.want)
		}
	}
}
