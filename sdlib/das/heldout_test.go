package das

import (
	"testing"

	"samediff/sdlib/stimuli"
)

// Held-out pairs of training and test have no value in common, and another seed holds out others.
func TestHeldOut(t *testing.T) {
	at := func(control Control, seed uint64) (training, test stimuli.Values) {
		q := Search{Control: control, Recipe: brief, Seed: seed}
		learned, err := q.TrainingPairs(course, stimuli.ShapeProperty)
		if err != nil {
			t.Fatal(err)
		}
		tested, err := q.TestPairs(course, stimuli.ShapeProperty, 16)
		if err != nil {
			t.Fatal(err)
		}
		if learned.Config().Set.Split != stimuli.Train || learned.Len() != brief.Pairs || tested.Len() != 16 {
			t.Errorf("%d pairs of %s to learn from, %d to test on", learned.Len(), learned.Config().Set.Split, tested.Len())
		}
		return learned.Config().Values, tested.Config().Values
	}
	training, test := at(HeldOut, 1)
	if len(training.List()) != 12 || len(test.List()) != HeldOutValues || training&test != 0 {
		t.Errorf("learned from %v, tested on %v: expected 12 and 4 different ones", training.List(), test.List())
	}
	if _, other := at(HeldOut, 2); other == test {
		t.Errorf("two seeds hold out %v", test.List())
	}
	if training, test := at(WrongObject, 1); training != 0 || test != 0 {
		t.Errorf("another control has the values %v and %v, expected all", training, test)
	}
}
