package finetune

import (
	"fmt"

	"samediff/sdlib/optimize"
)

// Epoch is what was measured in one pass over the training set.
type Epoch struct {
	Epoch int     `json:"epoch"` // counted from 1
	LR    float64 `json:"lr"`    // of the epoch's last step
	Loss  float64 `json:"loss"`  // mean over the epoch's steps of the whole loss
	Task  float64 `json:"task"`  // its part from the answers
	Aux   float64 `json:"aux"`   // its part from auxiliary losses, weighted
	Train float64 `json:"train"` // accuracy on the training images, while they were learned
	Shape float64 `json:"shape"` // accuracy of the shape probe of the disentanglement loss, over object tokens
	Color float64 `json:"color"` // and of the color probe
	Val   float64 `json:"val"`   // accuracy on the validation set after the epoch; -1 without one

	// What the auxiliary losses measured, 0 for those that are off.
	Identity     float64 `json:"identity,omitempty"`      // accuracy of the identity probe, over object tokens
	WithinObject float64 `json:"within_object,omitempty"` // scores of the pipeline loss, 0..1
	WithinPair   float64 `json:"within_pair,omitempty"`
	BetweenPairs float64 `json:"between_pairs,omitempty"`
	Relation     float64 `json:"relation,omitempty"` // accuracy of the relation probe, over pairs
}

// Times says where an epoch's seconds went.
type Times = optimize.Times

// String is an epoch in a line of progress: "loss 0.412  train .871  val .902".
func (e Epoch) String() string {
	s := fmt.Sprintf("loss %.3f  train %.3f", e.Loss, e.Train)
	if e.Epoch > 0 && e.Val >= 0 {
		s += fmt.Sprintf("  val %.3f", e.Val)
	}
	return s
}

// epochOf reads an epoch from what [optimize.Minimize] measured, under the names of
// Recipe.measures.
func epochOf(o optimize.Epoch) Epoch {
	mean := func(name string) float64 { // 0 for what the recipe's losses do not measure
		if _, ok := o.Means[name]; !ok {
			return 0
		}
		return o.Mean(name)
	}
	e := Epoch{Epoch: o.Epoch, Loss: mean("loss"), Task: mean("task"), Aux: mean("aux"), Train: mean("correct"),
		Shape: mean("shape"), Color: mean("color"), Identity: mean("identity"),
		WithinObject: mean("wo"), WithinPair: mean("wp"), BetweenPairs: mean("bp"), Relation: mean("relation"), Val: -1}
	if o.Epoch > 0 {
		e.LR = o.LR[""][0]
	}
	if o.Validated != nil {
		e.Val = o.Validated[0]
	}
	return e
}

func epochsOf(history []optimize.Epoch) (all []Epoch) {
	for _, e := range history {
		all = append(all, epochOf(e))
	}
	return all
}

// logLine is one line of the log.
type logLine struct {
	Epoch
	Seconds Times `json:"seconds"`
}
