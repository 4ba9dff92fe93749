package probe

import (
	"os"
	"path/filepath"
	"testing"
)

// A file of probes may come from anywhere: each that is read has as many numbers as its classes and features say.
func FuzzLoad(f *testing.F) {
	path := filepath.Join(f.TempDir(), "probes.safetensors")
	if err := Save(path, []Probe{{Place: "block00", Weight: []float32{1, 2, 3, 4, 5, 6}, Bias: []float32{0, 1}}}, map[string]string{"model": "0a"}); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-4])
	f.Add([]byte("\x10\x00\x00\x00\x00\x00\x00\x00{\"a/weight\":null}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "probes.safetensors")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		all, err := Load(path)
		if err != nil {
			return
		}
		for _, p := range all {
			if len(p.Bias) == 0 || len(p.Weight) != len(p.Bias)*p.Width() {
				t.Errorf("%q has %d weights and %d biases, of %d features", p.Place, len(p.Weight), len(p.Bias), p.Width())
			}
		}
	})
}
