package torchfile

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// golden is what testdata/make_golden.py records of the files that PyTorch wrote.
type golden struct {
	Files map[string][]struct {
		Name, DType string
		Shape       []int
		Hex         string
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func TestReadsWhatPyTorchWrote(t *testing.T) {
	var want golden
	readJSON(t, "testdata/golden.json", &want)
	seen := map[string]bool{}
	for name, tensors := range want.Files {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if len(f.Names()) != len(tensors) {
				t.Errorf("it has %d tensors, want %d", len(f.Names()), len(tensors))
			}
			for i, w := range tensors {
				got, ok := f.Tensor(w.Name)
				if !ok || f.Names()[i] != w.Name {
					t.Errorf("tensor %d is %q, want %q", i, f.Names()[i], w.Name)
					continue
				}
				d, _ := dtypeNamed(got.DType)
				if d.torch != w.DType || !slices.Equal(got.Shape, w.Shape) {
					t.Errorf("%q is %s of shape %v, want %s of shape %v", w.Name, d.torch, got.Shape, w.DType, w.Shape)
				}
				if data := hex.EncodeToString(got.Data); data != w.Hex {
					t.Errorf("%q holds %s, want %s", w.Name, data, w.Hex)
				}
				seen[got.DType] = true
			}
		})
	}
	for _, dtype := range []string{"F32", "F16", "BF16", "F64", "I64", "I32", "I16", "I8", "U8", "BOOL"} {
		if !seen[dtype] {
			t.Errorf("the golden files have no %s tensor", dtype)
		}
	}
}

// Tied weights and contiguous parts are the file's memory, not copies of it.
func TestViewsShareMemory(t *testing.T) {
	for _, name := range []string{"zip.pt", "legacy.pt"} {
		f, err := Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		base, _ := f.Tensor("base")
		tied, _ := f.Tensor("tied")
		row, _ := f.Tensor("row") // base[2], of 6 columns
		if &base.Data[0] != &tied.Data[0] || &base.Data[2*6*4] != &row.Data[0] {
			t.Errorf("%s: base, tied and row have memory of their own", name)
		}
		if cap(row.Data) != len(row.Data) {
			t.Errorf("%s: appending to a row would write into the file", name)
		}
	}
}

func TestClosedFile(t *testing.T) {
	f, err := Open("testdata/zip.pt")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, ok := f.Tensor("f32"); ok || len(f.Names()) != 0 {
		t.Error("a closed file still has tensors")
	}
}

// Every file of hostile.json runs a command, or a class's code, where Python loads it without weights_only.
func TestRefusesCode(t *testing.T) {
	var want map[string]string
	readJSON(t, "testdata/hostile.json", &want)
	for name, global := range want {
		path, err := filepath.Abs(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), "it asks Python for "+global+",") || !strings.Contains(err.Error(), path) {
				t.Errorf("Open gave %v, want the name %s", err, global)
			}
			if _, err := os.Stat("owned"); err == nil {
				t.Error("the command was run")
			}
		})
	}
}
