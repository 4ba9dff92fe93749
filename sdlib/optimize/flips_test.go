package optimize

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"samediff/sdlib/internal/flips"
)

// Of 100 bits that are flipped in a checkpoint all are noticed, and a run that meets one ends as one that was left alone.
func TestFlips(t *testing.T) {
	want := minimize(t, network(1, 0), everything, Options{})
	dir := stop(t, network(1, 0), everything, 5)
	p := network(1, 0)
	s, err := newState(&p)
	if err != nil {
		t.Fatal(err)
	}
	run, err := identity(&p, &everything)
	if err != nil {
		t.Fatal(err)
	}
	c := &checkpoints{dir: dir, run: run}
	path := filepath.Join(dir, newest)
	if _, err := c.read(path, s); err != nil {
		t.Fatal(err)
	}
	first := true
	flips.Each(t, 100, []string{path}, func(which string) {
		if _, err := c.read(path, s); !errors.Is(err, errDamaged) && !errors.Is(err, errOtherFormat) {
			t.Errorf("not noticed: %s: %v", which, err)
		}
		if !first {
			return
		}
		first = false
		elsewhere := t.TempDir()
		if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if got := minimize(t, network(1, 0), everything, Options{Dir: elsewhere}); !equal(got, want) {
			t.Errorf("%s: the run ended with %v, expected %v", which, got.History, want.History)
		}
	})
}
