package das

import (
	"math/rand/v2"

	"samediff/sdlib/stimuli"
)

// HeldOutValues is how many of a property's 16 values the control [HeldOut] keeps from training.
const HeldOutValues = 4

// TrainingPairs returns the counterfactual pairs that a search learns from, for a model trained on
// stimuli c: of the split that the model was trained on, as in the paper. With the control [HeldOut]
// they show 12 of the property's values; the seed decides which.
func (q Search) TrainingPairs(c stimuli.Config, p stimuli.Property) (*stimuli.Counterfactuals, error) {
	c, err := c.Resolved()
	if err != nil {
		return nil, err
	}
	c.Split = stimuli.Train
	if more := q.Recipe.Pairs / stimuli.DefaultCounterfactuals; more > 1 {
		c.Size *= more // the set of the paper has few more than its 2,000 pairs
	}
	training, _ := q.values()
	return stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: c, Property: p, Size: q.Recipe.Pairs, Values: training})
}

// TestPairs returns n counterfactual pairs of a set that a search is tested on. With the control
// [HeldOut] they show the 4 values that training did not.
func (q Search) TestPairs(c stimuli.Config, p stimuli.Property, n int) (*stimuli.Counterfactuals, error) {
	_, test := q.values()
	return stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: c, Property: p, Size: n, Values: test})
}

// values are those of the property that pairs show, 0 for all.
func (q Search) values() (training, test stimuli.Values) {
	if q.Control != HeldOut {
		return 0, 0
	}
	all := rand.New(rand.NewPCG(q.Seed, 0x4e1d)).Perm(stimuli.BaseShapes) // there are as many colors
	return stimuli.ValuesOf(all[HeldOutValues:]...), stimuli.ValuesOf(all[:HeldOutValues]...)
}
