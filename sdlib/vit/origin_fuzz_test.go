package vit

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// origin.json of a folder by other hands: what is read is written again as it was.
func FuzzReadOrigin(f *testing.F) {
	f.Add([]byte(`{"name": "CLIP", "weights": "8 bits", "license": "MIT"}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"name": 5}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, originFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		o, err := ReadOrigin(dir)
		if err != nil {
			return
		}
		again := t.TempDir()
		if err := o.write(again); err != nil {
			t.Fatal(err)
		}
		if back, err := ReadOrigin(again); err != nil || !reflect.DeepEqual(o, back) {
			t.Errorf("%q is %+v, written and read again %+v, %v", text, o, back, err)
		}
	})
}
