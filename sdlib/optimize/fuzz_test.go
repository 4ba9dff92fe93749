package optimize

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
)

// A checkpoint may be damaged in any way, its checksum made to fit included: it is read whole, or the state stays as it was.
func FuzzCheckpoint(f *testing.F) {
	p := network(1, 0)
	s, err := newState(&p)
	if err != nil {
		f.Fatal(err)
	}
	c := &checkpoints{dir: f.TempDir(), run: "run"}
	if err := c.save(s, header{History: []Epoch{{Epoch: 1}}}); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(c.dir, newest))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, false)
	f.Add(good, true)
	f.Add(good[:len(good)/2], true)
	f.Add(good[:8], false)
	f.Fuzz(func(t *testing.T, file []byte, fits bool) {
		if end := len(file) - sha256.Size; fits && end >= 0 {
			clear(file[end:])
			sum := sha256.Sum256(file)
			copy(file[end:], sum[:])
		}
		before := s.tensors()
		h, err := c.parse(file, s)
		after := s.tensors()
		for i := range before {
			if err != nil && before[i] != after[i] {
				t.Fatalf("tensor %d was replaced in spite of %v", i, err)
			}
			if !before[i].Shape().Equal(after[i].Shape()) {
				t.Fatalf("tensor %d is now %s, expected %s", i, after[i].Shape(), before[i].Shape())
			}
		}
		if err == nil && h.Run != c.run {
			t.Errorf("took the checkpoint of another run: %+v", h)
		}
	})
}
