package study

import (
	"reflect"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
)

// Every variation changes one factor, can be drawn in every geometry, and asks about images that training did not show.
func TestVariations(t *testing.T) {
	for _, g := range stimuli.Geometries() {
		for task, want := range map[stimuli.Task]int{stimuli.Discrimination: 10, stimuli.RMTS: 8} {
			c := stimuli.Config{Task: task, Geometry: g, Seed: 2, Factors: stimuli.Factors{Contrast: stimuli.Range{Min: 90, Max: 100}}}
			all := Variations(c, 40)
			if len(all) != want {
				t.Errorf("%s, %s: %d variations, expected %d", g.Name, task, len(all), want)
			}
			for i, v := range all {
				changed, before := reflect.ValueOf(v.Stimuli.Factors), reflect.ValueOf(c.Factors)
				differ := 0
				for f := range changed.NumField() {
					if !reflect.DeepEqual(changed.Field(f).Interface(), before.Field(f).Interface()) {
						differ++
					}
				}
				if differ != min(i, 1) || v.Stimuli.Split != stimuli.TestIID || v.Stimuli.Seed != 2 || v.Stimuli.Size != 40 {
					t.Errorf("%s, %s, %s: %d factors differ in %+v", g.Name, task, v.Name, differ, v.Stimuli)
				}
				if set, err := stimuli.Open(v.Stimuli); err != nil || set.Len() != 40 {
					t.Errorf("%s, %s, %s: %v", g.Name, task, v.Name, err)
				}
			}
		}
	}
}

// The first variation is the fresh set that Evaluate knows.
func TestEvaluateVaried(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	_, m := fineTuned(t, l)
	varied, err := l.EvaluateVaried(ctx, m, 16)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := l.EvaluateSize(ctx, m, 16, "test (IID)")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(varied[0].Evaluation, fresh[0].Evaluation) || varied[0].All.N != 16 {
		t.Errorf("as trained %+v, fresh images %+v", varied[0], fresh[0])
	}
	for _, size := range []int{-3, 15} { // no set has as many
		if none, err := l.EvaluateVaried(ctx, m, size); err == nil {
			t.Errorf("of %d images: %v, expected an error", size, none)
		}
	}
}
