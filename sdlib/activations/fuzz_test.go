package activations

import (
	"os"
	"path/filepath"
	"testing"

	"samediff/sdlib/safetensors"
)

// A file of activations may come from anywhere: every row of every value that it has can be read.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "a.safetensors")
	tokens := safetensors.Tensor{Name: tokensName, DType: "I32", Shape: []int{2, 1, 1}, Data: make([]byte, 8)}
	if err := safetensors.WriteFile(path, []safetensors.Tensor{safetensors.Float32s("embed", []int{2, 1, 3}, make([]float32, 6)), tokens}, nil); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte("\x42\x00\x00\x00\x00\x00\x00\x00" + `{"a":{"dtype":"F32","shape":[99999999999,0],"data_offsets":[0,0]}}`)) // pictures without values
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "a.safetensors")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		a, err := Open(path)
		if err != nil {
			return
		}
		defer a.Close()
		sum := float32(0)
		for _, name := range a.Nodes() {
			v, err := a.Node(name)
			if err != nil {
				continue
			}
			for i := range a.Len() {
				for _, x := range v.Row(i) {
					sum += x
				}
			}
		}
		if k := a.Tokens(); k != nil && len(k.Index) != a.Len()*k.Objects*k.Each {
			t.Errorf("%d tokens, expected %d of %d objects in %d pictures (%g)", len(k.Index), k.Each, k.Objects, a.Len(), sum)
		}
	})
}
