package finetune

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"samediff/sdlib/internal/disk"
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

// String is an epoch in a line of progress: "loss 0.412  train .871  val .902".
func (e Epoch) String() string {
	s := fmt.Sprintf("loss %.3f  train %.3f", e.Loss, e.Train)
	if e.Epoch > 0 && e.Val >= 0 {
		s += fmt.Sprintf("  val %.3f", e.Val)
	}
	return s
}

// Times says where an epoch's seconds went. What an interrupted run spent after its last
// checkpoint is not in it, because it was done again.
type Times struct {
	Data       float64 `json:"data"`       // drawing images, or waiting for those drawn meanwhile
	Step       float64 `json:"step"`       // training steps; the first epoch's compile them too
	Evaluation float64 `json:"evaluation"` // on the validation set
}

// best returns the epoch of the highest validation accuracy, the earliest of equals, and 0 for none.
func best(history []Epoch) (epoch int) {
	for i, e := range history {
		if epoch == 0 || e.Val > history[epoch-1].Val {
			epoch = i + 1
		}
	}
	return epoch
}

// logFile is the name of a run's log in the folder of its checkpoints.
const logFile = "log.jsonl"

// logLine is one line of the log.
type logLine struct {
	Epoch
	Seconds Times `json:"seconds"`
}

// writeLog writes the log of all epochs so far. The file is replaced as a whole, so that
// it has whole lines whenever the run is killed, and no line twice after it is resumed.
func (t *trainer) writeLog() error {
	path := t.Log
	if path == "" && t.Dir != "" {
		path = filepath.Join(t.Dir, logFile)
	}
	if path == "" {
		return nil
	}
	err := disk.Replace(path, func(w io.Writer) error {
		to := json.NewEncoder(w)
		for i, e := range t.history {
			if err := to.Encode(logLine{e, t.times[i]}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("finetune: log: %w", err)
	}
	return nil
}
