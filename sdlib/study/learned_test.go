package study

import (
	"strings"
	"testing"

	"samediff/sdlib/stimuli"
)

// A model that does not say what it learned is asked about discrimination, which is said once, or about the task of the options.
func TestSupposed(t *testing.T) {
	var said []string
	o := Options{Store: t.TempDir(), Backend: "none: nothing is computed", Notify: func(message string) { said = append(said, message) }}
	asked := func() *stimuli.Set {
		t.Helper()
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		m := untrained(t, l)
		s := Subject{Name: m.Dir}
		if _, known, err := l.Learned(t.Context(), s); err != nil || known != (o.Task != "") || len(said) > 0 {
			t.Errorf("options %q: known %v, %v, said %q before it matters", o.Task, known, err, said)
		}
		if c, err := l.Stimuli(t.Context(), s); err != nil || c.Geometry != stimuli.CourseQuick {
			t.Errorf("options %q: stimuli %+v, %v", o.Task, c, err)
		}
		set, err := m.HeadSet()
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	if got := asked().Config().Task; got != stimuli.Discrimination || len(said) != 1 || !strings.Contains(said[0], "does not say which task it learned: it is asked about discrimination; --task") {
		t.Errorf("asked about %s, said %q", got, said)
	}

	said, o.Task = nil, stimuli.RMTS
	if got := asked().Config().Task; got != stimuli.RMTS || len(said) > 0 {
		t.Errorf("asked about %s, said %q; expected what the options say", got, said)
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	m := untrained(t, l)
	m.Training.Stimuli = stimuli.Config{Geometry: stimuli.CourseQuick, Seed: 1}
	_, ofModel := m.Sets()
	_, ofSubject := l.Stimuli(t.Context(), Trained("quick", Quick))
	for name, err := range map[string]error{"model " + m.ID.Short(): ofModel, "quick": ofSubject} {
		if err == nil || !strings.Contains(err.Error(), name+" learned discrimination, not rmts: --task") {
			t.Errorf("%s says what it learned: error %v", name, err)
		}
	}
}
