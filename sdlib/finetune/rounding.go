package finetune

import (
	"context"
	"math"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Rounding is what it changes in a model's answers to a set when matrix products are
// computed less exactly than in float32.
type Rounding struct {
	Precision vit.Precision `json:"precision"`
	Images    int           `json:"images"`
	Largest   float64       `json:"largest"` // change of a logit
	Mean      float64       `json:"mean"`    // change of the logits
	Answers   int           `json:"answers"` // that become others
}

// Roundings compares a model's answers to all images of a set with products in TF32 and in
// bf16 ([vit.Compute]) with those in float32.
func Roundings(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, report progress.Func) ([]Rounding, error) {
	exact, err := Predict(ctx, be, m, set, Condition{}, report)
	if err != nil {
		return nil, err
	}
	var all []Rounding
	for _, p := range []vit.Precision{vit.TF32, vit.BF16} {
		logits, err := Predict(ctx, be, m, set, Condition{Precision: p}, report)
		if err != nil {
			return nil, err
		}
		r := Rounding{Precision: p, Images: len(logits)}
		for i, row := range logits {
			for c, v := range row {
				change := math.Abs(float64(v - exact[i][c]))
				r.Largest = max(r.Largest, change)
				r.Mean += change / float64(len(logits)*len(row))
			}
			if argmax(row) != argmax(exact[i]) {
				r.Answers++
			}
		}
		all = append(all, r)
	}
	return all, nil
}
