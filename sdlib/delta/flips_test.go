package delta

import (
	"path/filepath"
	"reflect"
	"testing"

	"samediff/sdlib/internal/flips"
	"samediff/sdlib/vit"
)

// Of 100 bits that are flipped in a packed model's folder each is noticed, or the model that is read, and what is said of it, are the same.
func TestFlips(t *testing.T) {
	d, base, dir := saved(t)
	want := modelHash(t, apply(t, d, base))
	before, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range append(Files(), besides...) { // the small ones more often
		files = append(files, filepath.Join(dir, name))
	}
	noticed := 0
	flips.Each(t, 100, files, func(which string) {
		var asked Base
		m, err := Load(dir, func(b Base) (*vit.Model, error) { asked = b; return base, nil })
		if err != nil {
			noticed++
			return
		}
		after, err := Read(dir)
		if err != nil || modelHash(t, m) != want || asked != d.Base || !reflect.DeepEqual(before, after) {
			t.Errorf("not noticed: %s", which)
		}
	})
	t.Logf("%d of 100 noticed", noticed)
	if noticed < 90 {
		t.Errorf("%d of 100 noticed, the others are spaces: expected 90 or more", noticed)
	}
}
