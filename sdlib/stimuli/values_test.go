package stimuli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Counterfactual pairs of chosen values show these and no others, have the labels and the places of the
// pairs of all values, and keep what carrying the property over needs.
func TestCounterfactualValues(t *testing.T) {
	for _, task := range []Task{Discrimination, RMTS} {
		for _, property := range []Property{ShapeProperty, ColorProperty} {
			cfg := CounterfactualConfig{Set: Config{Task: task, Geometry: Course, Size: 480, Seed: 3}, Property: property, Size: 80}
			all := mustOpenCF(t, cfg)
			cfg.Values = ValuesOf(1, 6, 9, 14)
			some := mustOpenCF(t, cfg)
			seen := Values(0)
			for i := range some.Len() {
				r, before := some.Record(i), all.Record(i)
				for _, s := range []Stimulus{r.Base, r.CF} {
					for _, o := range s.Objects {
						seen |= ValuesOf(property.of(itemOf(o)))
					}
				}
				if r.Target != before.Target || r.Relation() != before.Relation() || r.Base.Kind != before.Base.Kind {
					t.Fatalf("%s, %s: pair %d has the target %d and is %s, with all values %d and %s", task, property, i, r.Target, r.Base.Kind, before.Target, before.Base.Kind)
				}
				for o := range r.Base.Objects {
					a, b := r.Base.Objects[o], before.Base.Objects[o]
					other := property.other()
					if a.Row != b.Row || a.Col != b.Col || other.of(itemOf(a)) != other.of(itemOf(b)) {
						t.Fatalf("%s, %s: object %d of pair %d changes more than its %s", task, property, o, i, property)
					}
				}
				e, n, s := r.Base.Objects[r.Edited], r.Base.Objects[r.NonEdited], r.CF.Objects[r.Source]
				if became := property.with(itemOf(e), property.of(itemOf(s))) == itemOf(n); became != (r.Relation() == 1) {
					t.Fatalf("%s, %s: pair %d should get the relation %d: edited %v, partner %v, source %v", task, property, i, r.Relation(), itemOf(e), itemOf(n), itemOf(s))
				}
			}
			if seen != cfg.Values {
				t.Errorf("%s, %s: the values %v occur, expected %v", task, property, seen.List(), cfg.Values.List())
			}
		}
	}
}

// Values are a list in JSON, and left out where they are all.
func TestValuesJSON(t *testing.T) {
	text, err := json.Marshal(CounterfactualConfig{Values: ValuesOf(3, 0, 15)})
	if err != nil || !strings.HasSuffix(string(text), `"values":[0,3,15]}`) {
		t.Errorf("%s, %v", text, err)
	}
	var back CounterfactualConfig
	if err := json.Unmarshal(text, &back); err != nil || !slices.Equal(back.Values.List(), []int{0, 3, 15}) {
		t.Errorf("read %v, %v", back.Values.List(), err)
	}
	if text, err = json.Marshal(CounterfactualConfig{}); err != nil || strings.Contains(string(text), "values") {
		t.Errorf("%s, %v: expected no values, so that keys of results stay", text, err)
	}
	if err := json.Unmarshal([]byte(`{"values":[40]}`), &back); err == nil || !strings.Contains(err.Error(), "40 is no value") {
		t.Errorf("the error is %v", err)
	}
}
