package finetune

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
	"samediff/sdlib/optimize"
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

	Gamma    float64 `json:"gamma,omitempty"`    // of the exponential schedule; 0 is .95
	Patience int     `json:"patience,omitempty"` // of the plateau schedule, in epochs; 0 is 40
	Factor   float64 `json:"factor,omitempty"`   // of the plateau schedule; 0 is .1

	// Clip is the largest norm of the gradient over all weights together; a larger one is
	// scaled down to it. 0 leaves gradients as they are, as the paper does.
	Clip float64 `json:"clip,omitempty"`
	// Accumulate cuts each batch into so many parts, whose gradients are computed one
	// after the other and averaged: the same step, up to rounding, in less memory. It
	// divides Batch; 0 and 1 leave the batch whole. One loss makes it another step: where
	// objects cover different numbers of patches, the disentanglement loss weighs a token by
	// the number of tokens in its part, not in the batch.
	Accumulate int `json:"accumulate,omitempty"`

	// Precision is that of the forward and the backward pass; weights, optimizer and
	// validation stay in float32. "" is float32 throughout.
	Precision vit.Precision `json:"precision,omitempty"`

	// Fresh draws new images for every epoch: the same task, objects and split with another
	// seed. The model then never sees an image twice and cannot learn images by heart, so
	// its training accuracy is one on unseen images; the paper trains on 6,400 images again
	// and again. With few combinations (the 32 set) it still sees the same objects.
	Fresh bool `json:"fresh,omitempty"`
	// Keep says which weights are the result: those after the last epoch, or with Best
	// those of the highest validation accuracy, the earliest of equals.
	Keep Keep `json:"keep,omitempty"`

	// Auxiliary losses, added to the cross-entropy of the answers, in any combination.
	Disentangle Disentangle `json:"disentangle"`
	Pipeline    Pipeline    `json:"pipeline,omitzero"`
	Relation    Relation    `json:"relation,omitzero"`

	// Faithful turns on what the paper's code does and should not.
	Faithful Faithful `json:"faithful,omitzero"`
}

// Schedule says how the learning rate moves during training.
type Schedule = optimize.Schedule

// The schedules, each with a warm-up.
const (
	Constant    = optimize.Constant
	Cosine      = optimize.Cosine
	Linear      = optimize.Linear
	Exponential = optimize.Exponential // but see Faithful
	Plateau     = optimize.Plateau     // of the accuracy on the validation set
)

// Keep says which of an epoch's weights become the result.
type Keep = optimize.Keep

const (
	// Last keeps the weights after the last epoch, as the paper's code does (docs/paper.md 3.1).
	Last = optimize.Last
	// Best keeps those with the highest accuracy on the validation set.
	Best = optimize.Best
)

// Faithful turns on what the paper's released code does differently from what is
// right, to repeat its runs. All are off by default.
type Faithful struct {
	// DecayByAccuracy lets the exponential schedule take the last epoch's validation
	// accuracy, 0 to 1, for the number of epochs: LR·Gamma^accuracy, which hardly decays
	// (docs/paper.md D8).
	DecayByAccuracy bool `json:"decay_by_accuracy,omitempty"`
}

// Validate reports whether a model of this configuration can be trained so on n images.
func (r Recipe) Validate(c vit.Config, n int) error {
	if err := c.Validate(); err != nil {
		return err
	}
	switch {
	case n == 0:
		return fmt.Errorf("finetune: the training set is empty")
	case r.Batch < 1 || r.Batch > n:
		return fmt.Errorf("finetune: batches of %d images, expected 1 to %d, the size of the training set", r.Batch, n)
	case r.Precision != vit.F32 && r.Precision != vit.BF16 && r.Precision != vit.TF32:
		return fmt.Errorf("finetune: precision %q is unknown, expected %q, %q, or \"\" for float32", r.Precision, vit.BF16, vit.TF32)
	case r.Faithful.DecayByAccuracy && r.Schedule != Exponential:
		return fmt.Errorf("finetune: decay_by_accuracy changes the schedule %q, but the recipe's is %q", Exponential, r.Schedule)
	}
	s := r.settings()
	return cmp.Or(s.Validate(n), r.Disentangle.validate(c), r.Pipeline.validate(c), r.Relation.validate(c))
}

// settings are the recipe's part that says how the loss is minimized.
func (r Recipe) settings() optimize.Settings {
	s := optimize.Settings{Epochs: r.Epochs, Batch: r.Batch, Accumulate: r.Accumulate, Seed: r.Seed,
		LR: r.LR, WeightDecay: r.WeightDecay, Clip: r.Clip,
		Schedule: r.Schedule, Warmup: r.Warmup, Gamma: r.Gamma, Patience: r.Patience, Factor: r.Factor, Keep: r.Keep}
	if r.Faithful.DecayByAccuracy {
		s.Scale = func(at optimize.Moment, val []float64) float64 {
			if at.Epoch == 0 {
				return 1
			}
			return math.Pow(cmp.Or(r.Gamma, .95), val[at.Epoch-1])
		}
	}
	return s
}

// Steps returns how many steps an epoch has on n training images, and how many there are in all.
func (r Recipe) Steps(n int) (perEpoch, all int) {
	s := r.settings()
	return s.Count(n)
}

// ParseRecipe reads a recipe from JSON. A field that a recipe does not have is an error,
// so that a misspelled one is not taken for its default.
func ParseRecipe(text []byte) (Recipe, error) {
	var r Recipe
	if err := jsontext.UnmarshalStrict(jsontext.WholeNumbers(text), &r); err != nil {
		if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			return Recipe{}, fmt.Errorf("finetune: a recipe has no field %s, expected some of %s", field, strings.Join(fields(reflect.TypeFor[Recipe](), ""), ", "))
		}
		return Recipe{}, fmt.Errorf("finetune: read a recipe: %w", err)
	}
	return r, nil
}

// ReadRecipe reads a recipe from a file of JSON.
func ReadRecipe(path string) (Recipe, error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return Recipe{}, fmt.Errorf("finetune: %w", err)
	}
	r, err := ParseRecipe(text)
	if err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// fields lists a struct's names in JSON, those of structs in it as "pipeline.weight".
func fields(t reflect.Type, prefix string) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if f := t.Field(i).Type; f.Kind() == reflect.Struct {
			names = append(names, fields(f, prefix+name+".")...)
		} else {
			names = append(names, prefix+name)
		}
	}
	return names
}
