package study

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/probe"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
)

// quickRMTS returns the course's small RMTS model and the set that its probes are tested on.
func quickRMTS(t *testing.T) (*Lab, *Model, *stimuli.Set) {
	t.Helper()
	l := lab(t, t.TempDir(), "")
	m, metrics, err := l.CourseModel("rmts-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	c, err := metrics.Training.Stimuli.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	set, err := LinearSet(c)
	if err != nil {
		t.Fatal(err)
	}
	return l, m, set
}

func best(p Probed) (block int, s finetune.Score) {
	for _, r := range p.Rows {
		if r.Test.All.Correct > s.Correct {
			block, s = r.Block, r.Test.All
		}
	}
	return block, s
}

// In a model that solves RMTS the relation of a pair can be read and is used: probes find it in
// a later block, and adding the opposite direction flips answers there, which the control does
// not. Shuffled answers and random features are at chance. Sample sizes are a tenth of the paper's.
func TestLinearOnRMTS(t *testing.T) {
	l, m, set := quickRMTS(t)
	spec := PaperProbe
	spec.PerClass = 300
	spec.Settings.Epochs = 40 // of a seventh of the items
	found, err := Probing.Of(t.Context(), l, m, set, spec)
	if err != nil {
		t.Fatal(err)
	}
	at, score := best(found)
	if found.Items != 1200 || score.N != 1200 || score.Accuracy() < .95 || found.Rows[0].Test.All.Accuracy() > .65 {
		t.Errorf("the best probe is %+v after block %d, the first %+v: expected .95 or more, and little in block 0", score, at, found.Rows[0].Test.All)
	}
	if s := found.Rows[at].Test.Parts; s["sample"].N != 600 || s["display"].N != 600 || s["same"].N+s["both"].N+s["shape-only"].N+s["color-only"].N != 1200 {
		t.Errorf("the parts of the test are %v", s)
	}
	for _, control := range []ProbeControl{Shuffled, RandomFeatures} {
		c := spec
		c.Control, c.Settings.Epochs = control, 10
		p, err := Probing.Of(t.Context(), l, m, set, c)
		if err != nil {
			t.Fatal(err)
		}
		outside := 0 // of an interval of 95 %, in which each of 6 blocks lies by itself
		for _, r := range p.Rows {
			if low, high := r.Test.All.Interval(); low > .5 || high < .5 {
				outside++
			}
		}
		if outside > 1 {
			t.Errorf("%s: %d of %d blocks are not at chance: %+v", control, outside, len(p.Rows), p.Rows)
		}
	}

	steer := PaperSteer
	steer.Probe, steer.PerClass, steer.Unit, steer.Alphas = spec, 50, MeansApart, []float64{4}
	var effects []probe.Effect
	for _, steer.Block = range []int{3, m.Config.Blocks - 1} {
		more, err := Steering.Of(t.Context(), l, m, set, steer)
		if err != nil {
			t.Fatal(err)
		}
		effects = append(effects, more...)
	}
	own, flipped, control, last := effects[0].Flipped(nil), effects[1].Flipped(nil), effects[2].Flipped(nil), effects[4]
	if len(effects) != 6 || effects[1].Direction != probe.Opposite || flipped.N != 200 {
		t.Fatalf("effects %+v, expected the model's own answers and two directions, twice, of 2 pairs of 100 images", effects)
	}
	if flipped.Accuracy() < .8 || control.Accuracy() > own.Accuracy()+.3 {
		t.Errorf("%.3f of the answers flip, %.3f with the control, %.3f without", flipped.Accuracy(), control.Accuracy(), own.Accuracy())
	}
	if !last.Derived || last.Flipped(nil) != own {
		t.Errorf("after the last block %+v, expected what the model answers by itself", last)
	}
	t.Logf("probe %.3f after block %d; %.3f flip, control %.3f", score.Accuracy(), at, flipped.Accuracy(), control.Accuracy())

	var text strings.Builder
	if err := WriteLinear(&text, "quick", m.ID, LinearRows(spec, found, Rows, effects)); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); !strings.HasPrefix(got, strings.Join(linearColumns, ",")) || !strings.Contains(got, "\nquick,"+m.ID.Short()+",relation,,paper,,,test,3,,,,sample,false,600,") {
		t.Errorf("the table is\n%s", got)
	}
}

// Convex probes that are interrupted are fitted where they were left, and what is read again is the same.
func TestProbesResume(t *testing.T) {
	l, m, set := quickRMTS(t)
	spec := ConvexProbe
	spec.PerClass = 100
	want, err := l.Probes(t.Context(), m, set, spec)
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Probes(t.Context(), m, set, spec)
	if err != nil {
		t.Fatal(err)
	}
	l = lab(t, t.TempDir(), "")
	ctx, stop := context.WithCancel(t.Context())
	l.options.Progress = func(u progress.Update) {
		if u.Task == "fit probes" && u.Done > 1 {
			stop()
		}
	}
	if _, err := l.Probes(ctx, m, set, spec); err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Fatal(err)
	}
	resumed, err := l.Probes(t.Context(), m, set, spec)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range want {
		if p.Place != probe.OutputOf(i) || !slices.Equal(p.Weight, again[i].Weight) || !slices.Equal(p.Weight, resumed[i].Weight) {
			t.Errorf("the probe of %s differs when it is read, or was interrupted", p.Place)
		}
	}
}

// What cannot be probed is refused, and leaves nothing in the store.
func TestProbeRefusals(t *testing.T) {
	l := lab(t, t.TempDir(), "go")
	m, _, err := l.CourseModel("discrimination-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	c := stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.TestIID, Size: 64, Seed: 1}
	set := fixture.Set(t, c)
	c.Split = stimuli.Train
	training := fixture.Set(t, c)
	for want, change := range map[string]func(s *ProbeSpec) *stimuli.Set{
		`no image has a pair "display"`:          func(s *ProbeSpec) *stimuli.Set { s.Pair = "display"; return set },
		"a single token":                         func(s *ProbeSpec) *stimuli.Set { s.Target = probe.SameObject; return set },
		"no probe is trained by the method":      func(s *ProbeSpec) *stimuli.Set { s.Method = "guess"; return set },
		`no control of probes is called "none"`:  func(s *ProbeSpec) *stimuli.Set { s.Control = "none"; return set },
		"0 images of each label":                 func(s *ProbeSpec) *stimuli.Set { s.PerClass = 0; return set },
		"have no best probe":                     func(s *ProbeSpec) *stimuli.Set { s.Method, s.Penalty = Convex, 0; return set },
		"images that they are trained on":        func(s *ProbeSpec) *stimuli.Set { return training },
		"400 were asked for":                     func(s *ProbeSpec) *stimuli.Set { s.PerClass = 400; return set },
		"cannot name what it never saw":          func(s *ProbeSpec) *stimuli.Set { s.Target, s.HeldOut = probe.Color, probe.HalfColors; return set },
		`"display" names a pair`:                 func(s *ProbeSpec) *stimuli.Set { s.Target, s.Pair = probe.Shape, "display"; return set },
		"batches of 64 rows, expected 1 to 40":   func(s *ProbeSpec) *stimuli.Set { return set },
		"expected one of relation, shape, color": func(s *ProbeSpec) *stimuli.Set { s.Target = "size"; return set },
	} {
		s := PaperProbe
		s.PerClass = 20
		on := change(&s)
		if _, err := Probing.Of(t.Context(), l, m, on, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	infos, err := l.Store.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range infos {
		if i.State == artifact.Finished && i.Meta.Step != Caches[0] || i.State == artifact.Computing {
			t.Errorf("the store has %s %s", i.Meta.Step, i.State)
		}
	}
	if left, _ := os.ReadDir(l.Store.Dir() + "/unfinished"); len(left) > 0 {
		t.Errorf("%d unfinished steps are left", len(left))
	}
}
