package study

import (
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A model that was read elsewhere is found by its name, under the hash of its weights, and is asked about the task that it is said to have
// learned; one that says what it learned keeps that.
func TestAdopt(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	read := untrained(t, l)
	m, err := l.Adopt("owner/name", read.Model)
	if err != nil || m.ID != read.ID {
		t.Fatalf("adopted as %s (%v), read from files it is %s", m.ID, err, read.ID)
	}
	s := Subject{Name: "owner/name"}
	if found, err := l.Model(t.Context(), s); err != nil || found != m {
		t.Errorf("the lab finds %v (%v)", found, err)
	}
	if err := m.Assume(stimuli.RMTS); err != nil {
		t.Fatal(err)
	}
	if c, known, err := l.Learned(t.Context(), s); err != nil || !known || c.Task != stimuli.RMTS || c.Geometry != stimuli.CourseQuick || c.Objects != stimuli.All256 {
		t.Errorf("it learned %+v (known %v, %v)", c, known, err)
	}
	if err := m.Assume(stimuli.Discrimination); err == nil || !strings.Contains(err.Error(), "learned rmts, not discrimination") {
		t.Errorf("another task: %v", err)
	}

	c := vit.CourseQuick
	c.Image, c.Patch, c.Width, c.Blocks, c.Heads, c.MLP = 32, 8, 8, 1, 2, 16
	odd := fixture.Model(t, c, 1)
	if m, err = l.Adopt("odd", odd); err != nil {
		t.Fatal(err)
	}
	if err := m.Assume(stimuli.RMTS); err == nil || !strings.Contains(err.Error(), "fit no geometry") {
		t.Errorf("images that fit no stimuli: %v", err)
	}
}
