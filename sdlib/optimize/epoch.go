package optimize

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/internal/disk"
)

// Epoch is what was measured in one pass over the data. Its lists have one number for each
// of Problem.Sets, or one without sets.
type Epoch struct {
	Epoch     int                  `json:"epoch"`               // counted from 1; 0 while it is under way
	LR        map[string][]float64 `json:"lr"`                  // of the last step, by group; "" has the parameters of no group
	Means     map[string][]float64 `json:"means"`               // over the steps, of "loss" and of Problem.Measures
	Validated []float64            `json:"validated,omitempty"` // what Problem.Validate returned after the epoch
	Seconds   Times                `json:"seconds"`
}

// Times says where an epoch's seconds went. What an interrupted run spent after its last
// checkpoint is not in it, because it was done again.
type Times struct {
	Data       float64 `json:"data"`              // drawing rows, or waiting for those drawn or read meanwhile
	Compile    float64 `json:"compile,omitempty"` // the run's first step, which is mostly its compilation
	Step       float64 `json:"step"`              // the other steps
	Evaluation float64 `json:"evaluation"`        // of Problem.Validate
}

// Mean returns the mean of "loss" or of a measure over the epoch, and over the sets; NaN for
// a name that is none of Problem.Measures.
func (e Epoch) Mean(name string) float64 {
	of, ok := e.Means[name]
	if !ok {
		return math.NaN()
	}
	return mean(of)
}

func mean(of []float64) (m float64) {
	for _, x := range of {
		m += x / float64(len(of))
	}
	return m
}

// String is an epoch in a line of progress: "loss 0.412  correct 0.871  validated 0.902".
func (e Epoch) String() string {
	parts := []string{fmt.Sprintf("loss %.3f", e.Mean("loss"))}
	for _, name := range slices.Sorted(maps.Keys(e.Means)) {
		if name != "loss" {
			parts = append(parts, fmt.Sprintf("%s %.3f", name, e.Mean(name)))
		}
	}
	if e.Validated != nil {
		parts = append(parts, fmt.Sprintf("validated %.3f", mean(e.Validated)))
	}
	return strings.Join(parts, "  ")
}

// validated returns what Problem.Validate returned for a set, epoch by epoch; nil without it.
func validated(history []Epoch, set int) (of []float64) {
	for _, e := range history {
		if e.Validated != nil {
			of = append(of, e.Validated[set])
		}
	}
	return of
}

// best returns the epoch for which validation returned the most, the earliest of equals; 0 for none.
func best(validated []float64) (epoch int) {
	for i, x := range validated {
		if epoch == 0 || x > validated[epoch-1] {
			epoch = i + 1
		}
	}
	return epoch
}

// logFile is the name of a run's log in the folder of its checkpoints.
const logFile = "log.jsonl"

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
		for _, e := range t.history {
			if err := to.Encode(t.Describe(e)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("optimize: log: %w", err)
	}
	return nil
}
