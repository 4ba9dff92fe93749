package das

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// The folder of an intervention may come from anywhere: what is read is of a sound configuration, and survives being written and read
// again.
func FuzzLoad(f *testing.F) {
	c := vit.Config{Image: 4, Patch: 2, Width: 2, Blocks: 1, Heads: 1, MLP: 2, Classes: 2, NormEps: 1e-6, Std: [3]float64{1, 1, 1}}
	v := &Intervention{Model: "0a", Config: c, Rotation: []float32{1, 0, 0, 1}, Mask: []float32{1, -1}}
	dir := f.TempDir()
	if err := v.Save(dir); err != nil {
		f.Fatal(err)
	}
	about, err := os.ReadFile(filepath.Join(dir, aboutFile))
	if err != nil {
		f.Fatal(err)
	}
	tensors, err := os.ReadFile(filepath.Join(dir, tensorsFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(about, tensors)
	f.Add([]byte(strings.Replace(string(about), `"check"`, `"chekc"`, 1)), tensors)
	f.Add([]byte(strings.Replace(string(about), `"width": 2`, `"width": -2`, 1)), tensors)
	f.Add([]byte("null"), tensors)
	f.Add(about, tensors[:20])
	f.Fuzz(func(t *testing.T, about, tensors []byte) {
		dir := t.TempDir()
		write := func(dir, name string, data []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(dir, aboutFile, about)
		write(dir, tensorsFile, tensors)
		v, err := Load(dir)
		if err != nil {
			return
		}
		if err := v.Config.Validate(); err != nil {
			t.Fatal(err)
		}
		again := t.TempDir()
		if err := v.Save(again); err != nil { // as NaN, which JSON does not have
			t.Fatal(err)
		}
		w, err := Load(again)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := v.sum()
		if b, _ := w.sum(); a != b {
			t.Errorf("%q is read as %+v, and written and read again as %+v", about, v, w)
		}
	})
}
