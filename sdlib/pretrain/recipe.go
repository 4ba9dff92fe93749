package pretrain

import (
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/optimize"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// An Objective is what a model is pretrained to do.
type Objective string

// The objectives, in the order in which tables show them.
const (
	Supervised  Objective = "supervised"  // name what is there
	Contrastive Objective = "contrastive" // find a picture's caption among others
	Masked      Objective = "masked"      // fill in patches that are left out
	Distilled   Objective = "distilled"   // agree with an average of oneself on other views
)

// Objectives lists them.
var Objectives = []Objective{Supervised, Contrastive, Masked, Distilled}

// A Recipe says how a model is pretrained. With the model's configuration and seed and the scenes it determines the result:
// on one machine, to the bit.
type Recipe struct {
	Objective Objective `json:"objective"`

	Epochs      int     `json:"epochs"`
	Images      int     `json:"images"` // of an epoch; each epoch has new ones, unless the scenes repeat (scenes.Config.Distinct)
	Batch       int     `json:"batch"`  // images per step
	LR          float64 `json:"lr"`     // AdamW's learning rate at its highest; it falls to 0 along half a cosine
	WeightDecay float64 `json:"weight_decay"`
	Warmup      int     `json:"warmup"` // steps over which the learning rate rises from 0
	Clip        float64 `json:"clip,omitempty"`
	Seed        uint64  `json:"seed"` // of the order, of what is masked, of crops, and of the weights that are thrown away

	// Options of the objectives; those of another than Objective stay zero.
	Naming   Naming   `json:"naming,omitzero"`
	Matching Matching `json:"matching,omitzero"`
	Masking  Masking  `json:"masking,omitzero"`
	Teaching Teaching `json:"teaching,omitzero"`
}

// Config returns the model that an objective trains, with the sizes of another: of the family that it trained in the literature,
// with the head that it has. That is [vit.CLIP] for Contrastive, whose head is the projection into the joint space, and the
// plain ViT for the others.
func (r Recipe) Config(sizes vit.Config, set *scenes.Set) vit.Config {
	c := sizes
	c.Family, c.Classes = vit.ViT, 1 // a head that nothing reads
	switch r.Objective {
	case Supervised:
		c.Classes = len(r.Naming.classes(set))
	case Contrastive:
		c.Family, c.Classes = vit.CLIP, r.Matching.dim()
	}
	t := c.Family.Traits()
	c.NormEps, c.Mean, c.Std = t.NormEps, t.Mean, t.Std
	return c
}

// Validate reports whether a model can be pretrained so on scenes.
func (r Recipe) Validate(c vit.Config, set *scenes.Set) error {
	if err := c.Validate(); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Objectives, r.Objective):
		return fmt.Errorf("pretrain: objective %q is unknown, expected one of %q", r.Objective, Objectives)
	case r.Images < 1 || r.Images > 1<<20:
		return fmt.Errorf("pretrain: %d images in an epoch, expected 1 to %d", r.Images, 1<<20)
	case r.Batch < 1 || r.Batch > r.Images:
		return fmt.Errorf("pretrain: batches of %d images, expected 1 to %d, those of an epoch", r.Batch, r.Images)
	case !(r.LR > 0):
		return fmt.Errorf("pretrain: the learning rate is %g, expected a positive number", r.LR)
	case set.Config().Image != c.Image:
		return fmt.Errorf("pretrain: scenes of %d pixels for a model of %d: expected the same", set.Config().Image, c.Image)
	case c != r.Config(c, set):
		return fmt.Errorf("pretrain: a model %+v for the objective %s, expected %+v: Recipe.Config makes it", c, r.Objective, r.Config(c, set))
	}
	options := map[Objective]bool{Supervised: r.Naming != Naming{}, Contrastive: r.Matching != Matching{}, Masked: r.Masking != Masking{}, Distilled: r.Teaching != Teaching{}}
	for _, o := range Objectives {
		if options[o] && o != r.Objective {
			return fmt.Errorf("pretrain: the recipe has options of the objective %s, but its objective is %s: leave them zero", o, r.Objective)
		}
	}
	s := r.settings()
	if err := s.Validate(r.Images); err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	switch r.Objective {
	case Contrastive:
		return r.Matching.validate()
	case Masked:
		return r.Masking.validate(c)
	case Distilled:
		return r.Teaching.validate(c)
	}
	return nil
}

// undecayed is the group of the parameters that weight decay leaves alone, as all four papers do: gains, biases, single numbers.
const undecayed = "undecayed"

// settings are the recipe's part that says how the loss is minimized.
func (r Recipe) settings() optimize.Settings {
	return optimize.Settings{Epochs: r.Epochs, Batch: r.Batch, Seed: r.Seed, LR: r.LR, WeightDecay: r.WeightDecay, Clip: r.Clip,
		Groups: map[string]optimize.Group{undecayed: {LR: r.LR}}, Schedule: optimize.Cosine, Warmup: r.Warmup}
}

// Guess returns what guessing costs in an epoch: only a loss below it says that a model, whose head has so many classes, knows
// something of the pictures.
func (r Recipe) Guess(classes int, of Epoch) (loss float64, what string) {
	switch r.Objective {
	case Contrastive:
		return math.Log(float64(r.Batch)), fmt.Sprintf("any of %d captions", r.Batch)
	case Masked:
		return 1, "a patch of one color"
	case Distilled:
		return of.Mean("spread"), "a student that says the same of every view"
	}
	if r.Naming.Sigmoid {
		return float64(classes) * math.Ln2, fmt.Sprintf("even odds for each of %d names", classes)
	}
	return math.Log(float64(classes)), fmt.Sprintf("any of %d names", classes)
}
