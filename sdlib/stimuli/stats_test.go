package stimuli

import (
	"reflect"
	"strings"
	"testing"
)

// TestStats compares with the counts of the paper's RMTS set: 3,200 each, four cells of 1,600, kinds in thirds.
func TestStats(t *testing.T) {
	got := mustOpen(t, Config{Task: RMTS, Objects: OODShapeColor, Geometry: Course}).Stats()
	want := Stats{
		Stimuli: 6400, Same: 3200, Different: 3200,
		Kinds:   []Count{{"both", 1067}, {"color-only", 1066}, {"same", 3200}, {"shape-only", 1067}},
		Cells:   []Count{{"different, different", 1600}, {"different, same", 1600}, {"same, different", 1600}, {"same, same", 1600}},
		Objects: 16, DifferentPairs: 16 * 15 / 2,
		ObjectUses: got.ObjectUses, PairUses: got.PairUses,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	// 3,200 pairs of 16 objects: 400 each. 72 pairs differ in both attributes and 24 in shape or color only: 14.8 and 44.4.
	if got.ObjectUses[0] < 398 || got.ObjectUses[1] > 402 || got.PairUses != [2]int{14, 45} {
		t.Errorf("objects in %v pairs, pairs %v times", got.ObjectUses, got.PairUses)
	}
	for _, said := range []struct {
		stats Stats
		uses  string
	}{{got, "each 14 to 45 times"}, {mustOpen(t, Config{Seed: 1}).Stats(), "each once"}} {
		if text := said.stats.String(); !strings.Contains(text, "different pairs, "+said.uses+"\n") {
			t.Errorf("the counts read\n%swith no %q", text, said.uses)
		}
	}
	odd := mustOpen(t, Config{Geometry: Course, Size: 60, Factors: Factors{Count: 4}}).Stats()
	if odd.Same != 30 || len(odd.Kinds) != 4 || odd.Kinds[2] != (Count{"same", 30}) {
		t.Errorf("with four objects: %v", odd)
	}
}
