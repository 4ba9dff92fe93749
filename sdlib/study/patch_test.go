package study

import (
	"bytes"
	"encoding/csv"
	"math"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/patch"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
)

// A sweep, groups of heads and cuts are computed once, compile once each, and are read by a lab that cannot compute.
func TestInterventions(t *testing.T) {
	ctx, store := t.Context(), t.TempDir()
	l := lab(t, store, backend.Go)
	m := untrained(t, l)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 24, Seed: 4})
	sample := HeadSample{PerClass: 8, Seed: 1}
	heads := HeadPlan{Sample: sample, By: patch.Mean, Top: 1, Draws: 6}
	edges := EdgePlan{Sample: sample, Width: 1}

	before := runner.Compiled()
	sweep, err := l.HeadSweep(ctx, m, set, heads)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := l.HeadGroups(ctx, m, set, heads)
	if err != nil {
		t.Fatal(err)
	}
	cuts, err := l.EdgeCuts(ctx, m, set, edges)
	if err != nil {
		t.Fatal(err)
	}
	// Nothing, the means, the knock-outs, the scores of the heads, the cuts.
	if n := runner.Compiled() - before; n != 5 {
		t.Errorf("%d programs were compiled, expected 5", n)
	}
	if len(sweep) != 4 || sweep[3].Where != "L1H1" || sweep[3].All().Base.N != 16 || sweep[3].How != "mean" {
		t.Errorf("the sweep is %+v, expected 4 heads, the last L1H1, over 16 images", sweep)
	}
	// Of two heads in a block one is chosen, so that all draws are the other one.
	if len(groups) != 4 || groups[0].Control != 0 || groups[1].Control != 1 || groups[0].Where[:2] != groups[1].Where[:2] || groups[0].Where == groups[1].Where {
		t.Errorf("the groups are %+v, expected a head and the other one of its block, for two measures", groups)
	}
	if n := len(patch.Edges(stimuli.Discrimination)); len(cuts) != 3*n || cuts[2].Where != "0-1" || cuts[0].How != "before softmax" {
		t.Errorf("%d cuts, expected %d edges in blocks 0, 1 and both: %+v", len(cuts), n, cuts[:3])
	}

	reader := lab(t, store, "no such backend")
	again, err := reader.HeadSweep(ctx, m, set, heads)
	if err != nil || !reflect.DeepEqual(again, sweep) {
		t.Errorf("read from the store, the sweep is %+v, %v", again, err)
	}
	heads.By = patch.Zero
	if _, err := reader.HeadSweep(ctx, m, set, heads); err == nil {
		t.Error("another replacement has the same key: expected the reader to need a backend")
	}

	var text bytes.Buffer
	if err := WriteInterventions(&text, append(groups, cuts...)); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(lines) < 1+2*(len(groups)+len(cuts)) || lines[1][5] != "16" {
		t.Errorf("the CSV file has %d lines, %v; the second is %v", len(lines), err, lines[1])
	}
}

func TestInterventionErrors(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	m := untrained(t, l)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 8, Seed: 4})
	sample := HeadSample{PerClass: 2, Seed: 1}
	for says, do := range map[string]func() error{
		"1 to 4": func() error {
			_, err := l.HeadGroups(ctx, m, set, HeadPlan{Sample: sample, Top: 5})
			return err
		},
		"0 or more": func() error {
			_, err := l.HeadGroups(ctx, m, set, HeadPlan{Sample: sample, Top: 1, Draws: -1})
			return err
		},
		"take fewer": func() error {
			_, err := l.HeadSweep(ctx, m, set, HeadPlan{Sample: HeadSample{PerClass: 5}})
			return err
		},
		"1 to 2": func() error {
			_, err := l.EdgeCuts(ctx, m, set, EdgePlan{Sample: sample, Width: 3})
			return err
		},
		`"display"`: func() error {
			_, err := l.EdgeCuts(ctx, m, set, EdgePlan{Sample: sample, Edges: []patch.Edge{{From: patch.Display, To: patch.CLS}}})
			return err
		},
		"no set": func() error {
			_, err := l.EdgeCuts(ctx, m, nil, EdgePlan{Sample: sample})
			return err
		},
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, expected an error with %q", err, says)
		}
	}
}

// The jobs of a figure are what it reads.
func TestInterventionJobs(t *testing.T) {
	ctx, store := t.Context(), t.TempDir()
	l := lab(t, store, backend.Go)
	m := untrained(t, l)
	heads := &HeadPlan{Sample: HeadSample{PerClass: 4, Seed: 1}, Top: 1, Draws: 1}
	edges := &EdgePlan{Sample: heads.Sample}
	jobs, err := l.InterventionJobs(ctx, Subject{Name: m.Dir}, heads, edges)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Work(ctx, jobs); err != nil {
		t.Fatal(err)
	}
	reader := lab(t, store, "no such backend")
	if m, err = reader.Find(ctx, m.Dir); err != nil {
		t.Fatal(err)
	}
	set, err := m.HeadSet()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.HeadSweep(ctx, m, set, *heads); err != nil {
		t.Error(err)
	}
	if _, err := reader.HeadGroups(ctx, m, set, *heads); err != nil {
		t.Error(err)
	}
	if _, err := reader.EdgeCuts(ctx, m, set, *edges); err != nil {
		t.Error(err)
	}
}

// Interchanges are computed once; all of the stream brings the source's answers along, in both tasks.
func TestInterchange(t *testing.T) {
	ctx, store := t.Context(), t.TempDir()
	for _, name := range []string{"discrimination-256-quick", "rmts-256-quick"} {
		l := lab(t, store, backend.Go)
		m, err := l.Find(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		set, err := m.HeadSet()
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Interchange(ctx, m, set, patch.Stream, 4, patch.AllTokens, patch.CLS)
		if err != nil {
			t.Fatal(err)
		}
		for point, c := range r.Cells[0] {
			if c.Flipped.N < 3 || c.Flipped.Correct != c.Flipped.N || c.Margin < .9999 || c.Margin > 1.0001 {
				t.Errorf("%s: the whole stream at point %d recovers %+v, expected all of 4 pairs or nearly as many", name, point, c)
			}
		}
		if first, last := r.Cells[1][0], r.Cells[1][m.Config.Blocks]; math.Abs(first.Margin) > 1e-5 || math.Abs(last.Margin-1) > 1e-5 {
			t.Errorf("%s: CLS recovers %.4f at the embedding and %.4f at last, expected 0 and 1", name, first.Margin, last.Margin)
		}
		reader := lab(t, store, "no such backend")
		again, err := reader.Interchange(ctx, m, set, patch.Stream, 4, patch.AllTokens, patch.CLS)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%s: read from the store, the interchanges are %+v, %v", name, again, err)
		}
		if _, err := l.Interchange(ctx, m, set, patch.Stream, -1); err == nil || !strings.Contains(err.Error(), "-1 pairs") {
			t.Errorf("-1 pairs: %v", err)
		}
		var text bytes.Buffer
		if err := WriteRecoveries(&text, m.Config, []Recovering{r}); err != nil {
			t.Fatal(err)
		}
		if lines, err := csv.NewReader(&text).ReadAll(); err != nil || len(lines) != 1+2*(m.Config.Blocks+1) {
			t.Errorf("the CSV file has %d lines, %v", len(lines), err)
		}
	}
}
