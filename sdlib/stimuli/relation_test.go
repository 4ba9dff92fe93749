package stimuli

import (
	"maps"
	"strings"
	"testing"
)

// Where one property decides, the four ways in which two properties can be equal come equally often, the label is the
// property's, and every object is used about as often.
func TestRelation(t *testing.T) {
	for _, objects := range []Objects{All256, Compositional32, OODShapeColor} {
		for _, asked := range []Property{ShapeProperty, ColorProperty} {
			set := mustOpen(t, Config{Geometry: CourseQuick, Objects: objects, Split: Val, Size: 800, Seed: 3, Factors: Factors{Relation: asked}})
			kinds, used := map[Kind]int{}, map[item]int{}
			for i := range set.Len() {
				s := set.Stimulus(i)
				a, b := itemOf(s.Objects[0]), itemOf(s.Objects[1])
				if same := asked.of(a) == asked.of(b); same != (s.Label == 1) || s.Label != s.Pairs[0].Label || s.Label != 1-i%2 {
					t.Fatalf("%s, %s: stimulus %d shows %v and %v, label %d, pair %v", objects, asked, i, a, b, s.Label, s.Pairs)
				}
				kinds[s.Kind]++
				used[a]++
				used[b]++
			}
			if want := map[Kind]int{Same: 200, ShapeOnly: 200, ColorOnly: 200, Both: 200}; !maps.Equal(kinds, want) {
				t.Errorf("%s, %s: kinds %v, expected %v", objects, asked, kinds, want)
			}
			most := 0
			for _, n := range used {
				most = max(most, n)
			}
			if mean := 2 * set.Len() / len(used); most > mean+6 {
				t.Errorf("%s, %s: an object is used %d times, %d on average", objects, asked, most, mean)
			}
		}
	}
}

// Pairs for interventions edit the property that decides. Nothing else may be asked for.
func TestRelationCounterfactuals(t *testing.T) {
	set := Config{Geometry: CourseQuick, Size: 800, Seed: 3, Factors: Factors{Relation: ColorProperty}}
	pairs, err := OpenCounterfactuals(CounterfactualConfig{Set: set, Property: ColorProperty, Size: 200})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pairs.Len() {
		r := pairs.Record(i)
		edited, partner := itemOf(r.Base.Objects[r.Edited]), itemOf(r.Base.Objects[r.NonEdited])
		edited.color = r.CF.Objects[r.Source].Color
		if same := edited.color == partner.color; same != (r.Target == 1) || r.Target != 1-r.Base.Label {
			t.Fatalf("record %d: after the edit %v beside %v, target %d, label %d", i, edited, partner, r.Target, r.Base.Label)
		}
	}
	for _, refused := range []struct {
		open func() error
		says string
	}{
		{func() error {
			_, err := OpenCounterfactuals(CounterfactualConfig{Set: set, Property: ShapeProperty})
			return err
		}, "ask for color"},
		{func() error { c := set; c.Task = RMTS; _, err := Open(c); return err }, "a factor of discrimination alone"},
		{func() error { c := set; c.Faithful.MissingSame = true; _, err := Open(c); return err }, "with all same images"},
		{func() error { c := set; c.Factors.Relation = "size"; _, err := Open(c); return err }, `unknown relation "size"`},
	} {
		if err := refused.open(); err == nil || !strings.Contains(err.Error(), refused.says) {
			t.Errorf("error %v, expected %q", err, refused.says)
		}
	}
}
