package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// golden is what testdata/make_golden.py records of golden.safetensors, which the reference implementation wrote.
type golden struct {
	Metadata map[string]string
	Tensors  map[string]struct {
		Shape  []int
		Values []string
	}
}

func openGolden(t *testing.T) (*File, golden) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var want golden
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	f, err := Open("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, want
}

func tensorsOf(f *File) []Tensor {
	var tensors []Tensor
	for _, name := range f.Names() {
		t, _ := f.Tensor(name)
		tensors = append(tensors, t)
	}
	return tensors
}

func TestReadsWhatTheReferenceWrote(t *testing.T) {
	f, want := openGolden(t)
	if !maps.Equal(f.Metadata(), want.Metadata) {
		t.Errorf("metadata %q, want %q", f.Metadata(), want.Metadata)
	}
	if len(f.Names()) != len(want.Tensors) {
		t.Errorf("%d tensors, want %d", len(f.Names()), len(want.Tensors))
	}
	seen := map[string]bool{}
	for _, tensor := range tensorsOf(f) {
		seen[tensor.DType] = true
		w, ok := want.Tensors[tensor.Name]
		if !ok || !slices.Equal(tensor.Shape, w.Shape) {
			t.Errorf("tensor %q has shape %v, want %v (known to the reference: %v)", tensor.Name, tensor.Shape, w.Shape, ok)
		}
		values, err := tensor.Float32s()
		switch tensor.DType {
		case "F32", "F16", "BF16", "F64":
			if err != nil {
				t.Error(err)
			}
			for i, v := range values {
				if x, err := strconv.ParseFloat(w.Values[i], 64); err != nil || math.Float32bits(v) != math.Float32bits(float32(x)) {
					t.Errorf("%s[%d] = %v, want %s", tensor.Name, i, v, w.Values[i])
				}
			}
		case "I64", "U64":
			for i, value := range w.Values {
				if x := float64(binary.LittleEndian.Uint64(tensor.Data[8*i:])); strconv.FormatFloat(x, 'f', 1, 64) != value {
					t.Errorf("%s[%d] = %v, want %s", tensor.Name, i, x, value)
				}
			}
		}
	}
	for _, dtype := range DTypes() {
		if !seen[dtype] {
			t.Errorf("golden.safetensors has no %s tensor", dtype)
		}
	}
}

func TestWritesTheReferenceBytes(t *testing.T) {
	f, _ := openGolden(t)
	want, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	tensors := tensorsOf(f)
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(tensors), func(i, j int) { tensors[i], tensors[j] = tensors[j], tensors[i] })
	Sort(tensors)
	var got bytes.Buffer
	if err := Write(&got, tensors, f.Metadata()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("wrote\n%q\nwant\n%q", got.Bytes(), want)
	}
}

// Every binary16 against the definition: (-1)^s 2^(e-15) (1 + f/1024), or (-1)^s 2^-14 (f/1024) where e = 0.
func TestFloat16(t *testing.T) {
	for h := range 1 << 16 {
		sign, e, fraction := 1-2*float64(h>>15), h>>10&31, float64(h&1023)/1024
		got := float64(float16(uint16(h)))
		want := sign * math.Ldexp(1+fraction, e-15)
		switch {
		case e == 0:
			want = math.Copysign(math.Ldexp(fraction, -14), sign)
		case e == 31 && fraction == 0:
			want = math.Inf(int(sign))
		case e == 31:
			if !math.IsNaN(got) {
				t.Fatalf("float16(%#04x) = %v, want NaN", h, got)
			}
			continue
		}
		if math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("float16(%#04x) = %v, want %v", h, got, want)
		}
	}
}
