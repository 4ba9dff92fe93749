package torchfile

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/safetensors"
)

func TestSharded(t *testing.T) {
	dir := t.TempDir()
	w := safetensors.Float32s("w", []int{2}, []float32{1, 2})
	b := safetensors.Float32s("b", []int{1}, []float32{3})
	for file, tensor := range map[string]safetensors.Tensor{"1.bin": w, "2.bin": b} {
		if err := WriteFile(filepath.Join(dir, file), []safetensors.Tensor{tensor}); err != nil {
			t.Fatal(err)
		}
	}
	index := filepath.Join(dir, "pytorch_model.bin.index.json")
	if err := os.WriteFile(index, []byte(`{"weight_map":{"w":"1.bin","b":"2.bin"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSharded(index)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := s.Tensor("b")
	if names := s.Names(); !slices.Equal(names, []string{"w", "b"}) || !ok || !bytes.Equal(got.Data, b.Data) {
		t.Errorf("names %v, b %v", names, got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "2.bin")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSharded(index); err == nil || !strings.Contains(err.Error(), "not there: 2.bin") {
		t.Errorf("OpenSharded gave %v, want the missing file", err)
	}
}
