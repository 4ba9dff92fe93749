package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func sample() []Tensor {
	return []Tensor{
		{Name: "mask", DType: "BOOL", Shape: []int{3}, Data: []byte{1, 0, 1}}, // leaves the next one unaligned
		Float32s("weights", []int{2, 2}, []float32{1, 2, 3, 4}),
		{Name: "none", DType: "F64", Shape: []int{0}, Data: []byte{}},
		{Name: "step", DType: "I64", Shape: []int{}, Data: make([]byte, 8)},
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	metadata := map[string]string{"z": "last", "a": "first", "m": "middle"}
	for range 2 { // the second replaces the first
		if err := WriteFile(path, sample(), metadata); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := tensorsOf(f); !reflect.DeepEqual(got, sample()) {
		t.Errorf("read %v, wrote %v", got, sample())
	}
	if !maps.Equal(f.Metadata(), metadata) {
		t.Errorf("metadata %v, want %v", f.Metadata(), metadata)
	}
	if _, ok := f.Tensor("absent"); ok {
		t.Error("the file has a tensor that was not written")
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := binary.LittleEndian.Uint64(raw); n%8 != 0 {
		t.Errorf("the header has %d bytes, so the data are not aligned to 8", n)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, want the file alone (%v)", entries, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := []struct {
		name     string
		tensors  []Tensor
		metadata map[string]string
		want     string
	}{
		{"bad dtype", []Tensor{{Name: "a", DType: "float32"}}, nil, `dtype "float32" is not one of`},
		{"short data", []Tensor{Float32s("a", []int{2}, []float32{1})}, nil, "F32 of shape [2] takes 8 bytes, its Data has 4"},
		{"negative dimension", []Tensor{{Name: "a", DType: "U8", Shape: []int{-1}}}, nil, "negative"},
		{"same name", append(sample(), sample()[0]), nil, `"mask" is given twice`},
		{"reserved name", []Tensor{Float32s("__metadata__", nil, []float32{1})}, nil, "reserved"},
		{"name not UTF-8", []Tensor{Float32s("\xff", nil, []float32{1})}, nil, "not UTF-8"},
		{"metadata not UTF-8", nil, map[string]string{"a": "\xff"}, "not UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "model.safetensors")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := WriteFile(path, test.tensors, test.metadata)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("WriteFile gave %v, want %q in it", err, test.want)
			}
			if old, _ := os.ReadFile(path); string(old) != "old" {
				t.Errorf("the old file now holds %q", old)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("the folder holds %v, want the old file alone", entries)
			}
		})
	}
}

// fullDisk takes no byte, as /dev/full does.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullDisk(t *testing.T) {
	if err := Write(fullDisk{}, sample(), nil); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing to a full disk gave %v", err)
	}
	large := Tensor{Name: "large", DType: "U8", Shape: []int{3 << 20}, Data: make([]byte, 3<<20)} // more than the buffer
	if err := Write(fullDisk{}, []Tensor{large}, nil); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing a large tensor to a full disk gave %v", err)
	}
}

func TestPlacesThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "absent", "m.safetensors"), dir} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s) gave %v", path, err)
		}
		if err := WriteFile(path, sample(), nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("WriteFile(%s) gave %v", path, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 {
		t.Errorf("a failed write left %v", entries)
	}
}

func TestFloat32sRefuses(t *testing.T) {
	for _, tensor := range []Tensor{
		{Name: "a", DType: "I32", Shape: []int{1}, Data: make([]byte, 4)},
		{Name: "a", DType: "F32", Shape: []int{2}, Data: make([]byte, 4)},
		{Name: "a", DType: "F33", Shape: []int{1}, Data: make([]byte, 4)},
	} {
		if values, err := tensor.Float32s(); err == nil {
			t.Errorf("%v reads as %v", tensor, values)
		}
	}
}

func TestEqualArgumentsGiveEqualBytes(t *testing.T) {
	metadata := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"}
	var first bytes.Buffer
	if err := Write(&first, sample(), metadata); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		var again bytes.Buffer
		if err := Write(&again, sample(), maps.Clone(metadata)); err != nil || !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Fatalf("wrote %q, then %q (%v)", first.Bytes(), again.Bytes(), err)
		}
	}
}

// CopyFloat32s fills memory of the tensor's length, and no other.
func TestCopyFloat32s(t *testing.T) {
	x := Float32s("x", []int{2, 2}, []float32{1, 2, 3, 4})
	values := make([]float32, 4)
	if err := x.CopyFloat32s(values); err != nil || !slices.Equal(values, []float32{1, 2, 3, 4}) {
		t.Errorf("copied %v, %v", values, err)
	}
	for _, n := range []int{0, 3, 5} {
		if err := x.CopyFloat32s(make([]float32, n)); err == nil || !strings.Contains(err.Error(), "4 elements") {
			t.Errorf("into memory for %d: error %v", n, err)
		}
	}
	x.DType = "I32"
	if err := x.CopyFloat32s(values); err == nil || !strings.Contains(err.Error(), "is I32") {
		t.Errorf("whole numbers: error %v", err)
	}
}

// A view is the tensor's memory, aligned or not it has the numbers of a copy, and other types are copied.
func TestViewFloat32s(t *testing.T) {
	values := []float32{1, -2.5, float32(math.Inf(1)), 0}
	x := Float32s("x", []int{4}, values)
	if !bytes.Equal(Float32Bytes(values), x.Data) {
		t.Errorf("bytes %v, expected %v", Float32Bytes(values), x.Data)
	}
	view, err := x.ViewFloat32s()
	if err != nil || !slices.Equal(view, values) {
		t.Errorf("viewed %v, %v", view, err)
	}
	if littleEndian {
		copy(x.Data, []byte{0, 0, 0, 0x40})
		if view[0] != 2 {
			t.Errorf("the view has %g, expected the 2 that the tensor has by now", view[0])
		}
		copy(x.Data, Float32Bytes(values))
	}
	odd := x
	odd.Data = append(make([]byte, 1, 17), x.Data...)[1:]
	if view, err := odd.ViewFloat32s(); err != nil || !slices.Equal(view, values) {
		t.Errorf("at an odd place: %v, %v", view, err)
	}
	half, _ := x.As("BF16")
	if view, err := half.ViewFloat32s(); err != nil || !slices.Equal(view, values) {
		t.Errorf("from BF16: %v, %v", view, err)
	}
	for _, bad := range []Tensor{{Name: "a", DType: "F32", Shape: []int{2}, Data: make([]byte, 4)}, {Name: "a", DType: "I32", Shape: []int{1}, Data: make([]byte, 4)}} {
		if view, err := bad.ViewFloat32s(); err == nil {
			t.Errorf("%v views as %v", bad, view)
		}
	}
	none := Tensor{Name: "none", DType: "F32", Shape: []int{0}, Data: []byte{}}
	if view, err := none.ViewFloat32s(); err != nil || len(view) != 0 || len(Float32Bytes(nil)) != 0 {
		t.Errorf("nothing views as %v, %v", view, err)
	}
}
