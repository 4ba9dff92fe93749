package das

import (
	"path/filepath"
	"testing"

	"samediff/sdlib/internal/flips"
	"samediff/sdlib/stimuli"
)

// Of 100 bits that are flipped in an intervention's folder each is noticed, or what is read is the same.
func TestFlips(t *testing.T) {
	dir := t.TempDir()
	D := small.Width
	v := &Intervention{Model: "0a1b", Config: small, Pairs: stimuli.CounterfactualConfig{Property: stimuli.ShapeProperty, Size: 100},
		Search: Search{Block: 1, Seed: 7}, History: []Epoch{{.5, .75, 3}}, Rotation: make([]float32, D*D), Mask: make([]float32, D)}
	for i := range v.Rotation {
		v.Rotation[i] = float32(i) / 7
	}
	if err := v.Save(dir); err != nil {
		t.Fatal(err)
	}
	want, err := v.sum()
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	flips.Each(t, 100, []string{filepath.Join(dir, aboutFile), filepath.Join(dir, tensorsFile)}, func(which string) {
		w, err := Load(dir)
		if err != nil {
			noticed++
			return
		}
		if got, err := w.sum(); err != nil || got != want {
			t.Errorf("not noticed: %s", which)
		}
	})
	t.Logf("%d of 100 noticed", noticed)
	if noticed < 70 {
		t.Errorf("%d of 100 noticed, the others are spaces: expected 70 or more", noticed)
	}
}
