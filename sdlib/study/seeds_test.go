package study

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
)

// Each seed is a training of its own; what the file has is not trained again.
func TestSeeds(t *testing.T) {
	Presets["tiny"] = tiny()
	t.Cleanup(func() { delete(Presets, "tiny") })
	ctx, sets := t.Context(), []string{"test (IID)", "OOD color"}
	l := lab(t, t.TempDir(), backend.Go)
	if none, err := l.Seeds(ctx, "tiny", []uint64{1, 2}, 16, sets, true); err != nil || none != nil {
		t.Errorf("of what is trained there is %v (%v), expected nothing", none, err)
	}
	all, err := l.Seeds(ctx, "tiny", []uint64{1, 2}, 16, sets, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 || all[0].Seed != 1 || all[0].Set != sets[0] || all[0].Score.N != 16 || all[3].Seed != 2 || all[3].Set != sets[1] || all[0].Model == all[2].Model {
		t.Errorf("seeds %+v", all)
	}
	first, err := l.Train(ctx, tiny().WithSeed(1))
	if err != nil || first.ID != all[0].Model {
		t.Errorf("seed 1 is model %s, its training made %v (%v)", all[0].Model.Short(), first, err)
	}

	path := filepath.Join(t.TempDir(), "seeds.csv")
	if err := SaveSeeds(path, all); err != nil {
		t.Fatal(err)
	}
	read, err := ReadSeeds(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Model = artifact.ID(all[i].Model.Short()) // all that the file has of it
	}
	if !reflect.DeepEqual(read, all) {
		t.Errorf("read %+v, expected %+v", read, all)
	}
	elsewhere := lab(t, t.TempDir(), "none: all is known")
	if again, err := elsewhere.Seeds(ctx, "tiny", []uint64{1, 2}, 16, sets, false, read...); err != nil || !reflect.DeepEqual(again, all) {
		t.Errorf("what is known came back as %v (%v)", again, err)
	}
	if _, err := elsewhere.Seeds(ctx, "tiny", []uint64{1}, 32, sets, false, read...); err == nil {
		t.Error("accuracies on 16 images were taken for those on 32")
	}
	if _, err := l.Seeds(ctx, "tiniest", nil, 16, sets, false); err == nil {
		t.Error("a preset that does not exist has seeds")
	}
	for _, part := range [][]SeedResult{all[2:], all[:1], nil} { // what a file has stays
		if err := SaveSeeds(path, part); err != nil {
			t.Fatal(err)
		}
		if kept, err := ReadSeeds(path); err != nil || !reflect.DeepEqual(kept, all) {
			t.Errorf("after saving %d rows anew there are %v (%v), expected %v", len(part), kept, err, all)
		}
	}
	changed := slices.Clone(all[:2]) // seed 1 was trained again
	changed[0].Model = artifact.ID("0123456789ab")
	if err := SaveSeeds(path, changed[:1]); err != nil {
		t.Fatal(err)
	}
	if kept, err := ReadSeeds(path); err != nil || !reflect.DeepEqual(kept, []SeedResult{changed[0], all[2], all[3]}) {
		t.Errorf("after another model of seed 1 there are %v (%v)", kept, err)
	}
	if err := os.WriteFile(path, []byte("preset,seed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := SaveSeeds(path, all); err == nil {
		t.Error("a file of another kind was replaced")
	}
	if _, err := ReadSeeds(path); err == nil || !strings.Contains(err.Error(), "expected the columns") {
		t.Errorf("error %v for a file of another kind", err)
	}
}

// SeedsOn asks each seed's model about images of one's own, and refuses those of another task.
func TestSeedsOn(t *testing.T) {
	Presets["tiny"] = tiny()
	t.Cleanup(func() { delete(Presets, "tiny") })
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	c := tiny().Stimuli
	c.Split, c.Size = stimuli.Test, 12
	folder := filepath.Join(t.TempDir(), "mine")
	export := func(c stimuli.Config, folder string) *stimuli.Set {
		set, err := stimuli.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Export(ctx, folder); err != nil {
			t.Fatal(err)
		}
		return set
	}
	set := export(c, folder)
	if none, err := l.SeedsOn(ctx, "tiny", []uint64{1}, folder, true); err != nil || none != nil {
		t.Errorf("of what is trained there is %v (%v), expected nothing", none, err)
	}
	all, err := l.SeedsOn(ctx, "tiny", []uint64{1, 2}, folder, false)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i, r := range all {
		m, err := l.Train(ctx, tiny().WithSeed(uint64(i+1)))
		if err != nil {
			t.Fatal(err)
		}
		want, err := l.EvaluateOn(ctx, m, "the same set", set)
		if err != nil || r != (SeedResult{"tiny", uint64(i + 1), "mine", want.All, m.ID}) || r.Score.N != 12 {
			t.Errorf("got %+v, expected %+v of model %s (%v)", r, want.All, m.ID.Short(), err)
		}
	}
	other := filepath.Join(t.TempDir(), "other")
	c.Task = stimuli.RMTS
	export(c, other)
	if _, err := l.SeedsOn(ctx, "tiny", []uint64{1}, other, true); err == nil || !strings.Contains(err.Error(), "learns discrimination, but the set "+other+" is one of rmts") {
		t.Errorf("a set of another task: %v", err)
	}
	if _, err := l.SeedsOn(ctx, "tiny", []uint64{1}, folder+"-not", true); err == nil {
		t.Error("a folder that does not exist was read")
	}
}
