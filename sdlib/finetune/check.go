package finetune

import (
	"fmt"

	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// check reports, before anything is computed, whether a model of this configuration can
// be trained by the recipe on these sets; val may be nil.
func (r Recipe) check(c vit.Config, train, val *stimuli.Set) error {
	if err := r.Validate(c, train.Len()); err != nil {
		return err
	}
	if err := suits(c, train, "training"); err != nil {
		return err
	}
	if val == nil && (r.Schedule == Plateau || r.Keep == Best || r.Faithful.DecayByAccuracy) {
		return fmt.Errorf("finetune: schedule %q, keep %q and decay_by_accuracy look at the accuracy on a validation set, but there is none", Plateau, Best)
	}
	if val != nil {
		if val.Len() == 0 {
			return fmt.Errorf("finetune: the validation set is empty: pass nil to train without one")
		}
		if err := suits(c, val, "validation"); err != nil {
			return err
		}
	}
	if r.Fresh {
		switch config := train.Config(); {
		case config.Source != "":
			return fmt.Errorf("finetune: fresh images cannot be drawn for an imported training set")
		case config.Faithful.ColorOrder && config.Objects == stimuli.Compositional32:
			return fmt.Errorf("finetune: with color_order the training set's seed decides which 32 objects it has, so another epoch's fresh images would show others: switch one of the two off")
		}
	}
	return r.fits(train)
}

// suits reports whether a model can be asked about the images of a set.
func suits(c vit.Config, set *stimuli.Set, name string) error {
	if err := runner.Fits(c, set); err != nil {
		return fmt.Errorf("finetune: %w", err)
	}
	for i := range set.Len() {
		if label := set.Stimulus(i).Label; label < 0 || label >= c.Classes {
			return fmt.Errorf("finetune: image %d of the %s set has the label %d, but the model answers with one of %d classes: expected 0 to %d",
				i, name, label, c.Classes, c.Classes-1)
		}
	}
	return nil
}

// fits reports whether the auxiliary losses find in the training set what they read.
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
		if first := set.Stimulus(0); r.Relation.on() && len(s.Pairs) != len(first.Pairs) {
			return fmt.Errorf("finetune: the relation loss expects as many pairs of objects in every image, but image 0 of the training set has %d and image %d has %d",
				len(first.Pairs), i, len(s.Pairs))
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
