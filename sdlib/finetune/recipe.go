package finetune

import (
	"fmt"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Recipe says how a model is trained. With the model's configuration and seed and
// the training set it determines the result: on one machine, to the bit.
type Recipe struct {
	Epochs      int      `json:"epochs"` // passes over the training set
	Batch       int      `json:"batch"`  // images per step; the last incomplete batch of an epoch is dropped
	LR          float64  `json:"lr"`     // AdamW's learning rate at its highest
	WeightDecay float64  `json:"weight_decay"`
	Schedule    Schedule `json:"schedule"`
	Warmup      int      `json:"warmup"` // steps over which the learning rate rises from 0
	// Seed decides the order of the images and the probes' starting weights.
	Seed uint64 `json:"seed"`

	// Auxiliary losses, added to the cross-entropy of the answers, in any combination.
	Disentangle Disentangle `json:"disentangle"`
	Pipeline    Pipeline    `json:"pipeline,omitzero"`
	Relation    Relation    `json:"relation,omitzero"`
}

// Paper is the paper's recipe for a pretrained model (section 2; docs/paper.md 3.1), with
// the constant learning rate that its code amounts to (D8).
var Paper = Recipe{Epochs: 200, Batch: 128, LR: 1e-6, WeightDecay: .01, Schedule: Constant}

// Quick trains vit.CourseQuick on discrimination in two to three minutes on two cores:
// `sd train quick`. Expect .97 to .985 on fresh images; docs/benchmarks.md has the runs.
var Quick = Recipe{Epochs: 18, Batch: 64, LR: 1e-3, WeightDecay: .01, Schedule: Cosine, Warmup: 100, Seed: 1,
	Disentangle: Disentangle{Weight: 1, After: 2}}

// Course trains vit.Course on discrimination in about a quarter of an hour on two
// cores: `sd train course`.
var Course = Recipe{Epochs: 20, Batch: 64, LR: 5e-4, WeightDecay: .01, Schedule: Cosine, Warmup: 100, Seed: 1,
	Disentangle: Disentangle{Weight: 1, After: 2}}

// Validate tells whether a model of this configuration can be trained so on n images.
func (r Recipe) Validate(c vit.Config, n int) error {
	if err := c.Validate(); err != nil {
		return err
	}
	switch {
	case n == 0:
		return fmt.Errorf("finetune: the training set is empty")
	case r.Epochs < 1:
		return fmt.Errorf("finetune: %d epochs, expected at least 1", r.Epochs)
	case r.Batch < 1 || r.Batch > n:
		return fmt.Errorf("finetune: batches of %d images, expected 1 to %d, the size of the training set", r.Batch, n)
	case !(r.LR > 0):
		return fmt.Errorf("finetune: the learning rate is %g, expected a positive number", r.LR)
	case !(r.WeightDecay >= 0):
		return fmt.Errorf("finetune: the weight decay is %g, expected 0 or a positive number", r.WeightDecay)
	case r.Warmup < 0 || r.Warmup >= r.steps(n):
		return fmt.Errorf("finetune: %d warm-up steps, expected 0 to %d (there are %d steps in all)", r.Warmup, r.steps(n)-1, r.steps(n))
	}
	if err := r.Schedule.validate(); err != nil {
		return err
	}
	for _, err := range []error{r.Disentangle.validate(c), r.Pipeline.validate(c), r.Relation.validate(c)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// fits tells whether the auxiliary losses find in the training set what they read.
func (r Recipe) fits(set *stimuli.Set) error {
	pairs := 0
	switch {
	case r.Pipeline.on() && len(r.Pipeline.BetweenPairs) > 0:
		pairs = 2
	case r.Pipeline.on() && len(r.Pipeline.WithinPair) > 0, r.Relation.on():
		pairs = 1
	}
	for i := range set.Len() {
		s := set.Stimulus(i)
		if len(s.Pairs) < pairs {
			if pairs == 2 {
				return fmt.Errorf("finetune: between_pairs of the pipeline loss needs two pairs of objects, but image %d of the training set (%s) has %d: leave it empty, or train on %s",
					i, set.Config().Task, len(s.Pairs), stimuli.RMTS)
			}
			return fmt.Errorf("finetune: the pipeline and relation losses need pairs of objects, but image %d of the training set has none", i)
		}
		for _, o := range s.Objects {
			if r.Disentangle.on() && (o.Shape < 0 || o.Shape >= attributeValues || o.Color < 0 || o.Color >= attributeValues) {
				return fmt.Errorf("finetune: the disentanglement loss tells %d shapes and colors apart, but image %d of the training set has an object of shape %d and color %d: train on objects %q or %q",
					attributeValues, i, o.Shape, o.Color, stimuli.All256, stimuli.Compositional32)
			}
		}
	}
	return nil
}

// perEpoch returns the number of steps of an epoch over n images; steps, of the whole training.
func (r Recipe) perEpoch(n int) int { return n / r.Batch }
func (r Recipe) steps(n int) int    { return r.Epochs * r.perEpoch(n) }
