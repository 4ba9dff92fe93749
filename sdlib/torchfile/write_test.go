package torchfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"samediff/sdlib/safetensors"
)

func sample() []safetensors.Tensor {
	tensors := []safetensors.Tensor{
		safetensors.Float32s("layer.weight", []int{2, 3}, []float32{0, 1, 2, 3, 4, float32(math.Inf(-1))}),
		{Name: "mask", DType: "BOOL", Shape: []int{3}, Data: []byte{1, 0, 1}},
		{Name: "none", DType: "F64", Shape: []int{2, 0}, Data: []byte{}},
		{Name: "step 世", DType: "I64", Shape: []int{}, Data: []byte{7, 0, 0, 0, 0, 0, 0, 0}},
		{Name: "long", DType: "U8", Shape: []int{300, 300}, Data: bytes.Repeat([]byte{5}, 90_000)},
	}
	for i, dtype := range []string{"F16", "BF16", "I32", "I16", "I8", "C64"} {
		d, _ := dtypeNamed(dtype)
		tensors = append(tensors, safetensors.Tensor{Name: dtype, DType: dtype, Shape: []int{1, 2}, Data: bytes.Repeat([]byte{byte(i + 1)}, 2*d.size)})
	}
	return tensors
}

func tensorsOf(f *File) (tensors []safetensors.Tensor) {
	for _, name := range f.Names() {
		t, _ := f.Tensor(name)
		tensors = append(tensors, t)
	}
	return tensors
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.pt")
	for range 2 { // the second replaces the first
		if err := WriteFile(path, sample()); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := tensorsOf(f); !reflect.DeepEqual(got, sample()) {
		t.Errorf("read %v, wrote %v", got, sample())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if at := bytes.Index(raw, sample()[4].Data); at%alignment != 0 {
		t.Errorf("a storage begins at byte %d, want a multiple of %d", at, alignment)
	}
}

// The hash is of a file that testdata/check_written.py has loaded with torch.load(weights_only=True) of PyTorch 2.15, element by
// element. After a change of the writer, check again before changing the hash.
func TestBytes(t *testing.T) {
	const checked = "adb8aeeec964cc50ffb4c1655b9fadb39ff60a7f5153b49708d908b18feab43a"
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(b.Bytes())); got != checked {
		path := filepath.Join(os.TempDir(), "torchfile-written.pt")
		t.Errorf("the writer's bytes have hash %s, want %s; check them: python testdata/check_written.py %s (%v)", got, checked, path,
			os.WriteFile(path, b.Bytes(), 0o644))
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := []struct {
		name    string
		tensors []safetensors.Tensor
		want    string
	}{
		{"bad dtype", []safetensors.Tensor{{Name: "a", DType: "float32"}}, `tensor "a" is float32, which has no place`},
		{"dtype without a storage", []safetensors.Tensor{{Name: "a", DType: "U16", Shape: []int{1}, Data: make([]byte, 2)}}, "is U16, which has no place"},
		{"short data", []safetensors.Tensor{safetensors.Float32s("a", []int{2}, []float32{1})}, "takes 2 elements of 4 bytes, its Data has 4"},
		{"part of an element", []safetensors.Tensor{{Name: "a", DType: "F32", Shape: []int{1}, Data: make([]byte, 7)}}, "its Data has 7"},
		{"negative dimension", []safetensors.Tensor{{Name: "a", DType: "U8", Shape: []int{-1}}}, "its shape [-1]"},
		{"shape overflows", []safetensors.Tensor{{Name: "a", DType: "U8", Shape: []int{math.MaxInt, math.MaxInt}}}, "is not one that this machine can address"},
		{"same name", append(sample(), sample()[0]), `"layer.weight" is given twice`},
		{"name not UTF-8", []safetensors.Tensor{safetensors.Float32s("\xff", nil, []float32{1})}, "not UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.pt")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := WriteFile(path, test.tensors)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("WriteFile gave %v, want %q in it", err, test.want)
			}
			if old, _ := os.ReadFile(path); string(old) != "old" {
				t.Errorf("the old file now holds %q", old)
			}
		})
	}
}

// fullDisk takes no byte, as /dev/full does.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullDisk(t *testing.T) {
	large := safetensors.Tensor{Name: "large", DType: "U8", Shape: []int{3 << 20}, Data: make([]byte, 3<<20)} // more than the buffer
	for _, tensors := range [][]safetensors.Tensor{sample(), {large}} {
		if err := Write(fullDisk{}, tensors); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("writing to a full disk gave %v", err)
		}
	}
}
