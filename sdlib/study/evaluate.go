package study

import (
	"context"
	"fmt"

	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// SetResult is a model's accuracy on one set.
type SetResult struct {
	Name    string         `json:"name"` // as the paper's tables call it
	Stimuli stimuli.Config `json:"stimuli"`
	finetune.Evaluation
}

// Sets are the sets that every model is asked about, as the paper's Tables 2 to 6
// name them, for a model trained on the stimuli c. The training and validation images
// are those of its training; "compositional" exists for the 32 set only.
func Sets(c stimuli.Config) []SetResult {
	with := func(name string, split stimuli.Split, objects stimuli.Objects) SetResult {
		c := c
		c.Split, c.Objects, c.Size = split, objects, evalSize
		return SetResult{Name: name, Stimuli: c}
	}
	train := SetResult{Name: "train", Stimuli: c}
	train.Stimuli.Split = stimuli.Train
	all := []SetResult{train, with("test (IID)", stimuli.TestIID, c.Objects)}
	if c.Objects == stimuli.Compositional32 {
		all = append(all, with("compositional", stimuli.Test, c.Objects))
	}
	// The paper evaluates the validation split of the out-of-distribution sets (docs/paper.md 1.7);
	// a test split is the same by construction and was seen by nobody.
	return append(all,
		with("OOD shape", stimuli.Test, stimuli.OODShape),
		with("OOD color", stimuli.Test, stimuli.OODColor),
		with("OOD shape-color", stimuli.Test, stimuli.OODShapeColor))
}

// evalSize is the number of images in each test set.
const evalSize = 6400

// evaluateVersion is raised when the same model and sets would give other numbers.
const evaluateVersion = 1

// Evaluate returns the model's accuracy on every set of [Sets].
func (l *Lab) Evaluate(ctx context.Context, m *Model) ([]SetResult, error) {
	c, err := m.Training.Stimuli.Resolved()
	if err != nil {
		return nil, err
	}
	sets := Sets(c)
	for i := range sets {
		if sets[i], err = l.EvaluateOn(ctx, m, sets[i].Name, sets[i].Stimuli); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// EvaluateOn returns the model's accuracy on one set, under a name of one's own.
// Heads that are named besides are switched off (see [vit.Heads]).
func (l *Lab) EvaluateOn(ctx context.Context, m *Model, name string, c stimuli.Config, off ...attention.Head) (SetResult, error) {
	c, err := c.Resolved()
	if err != nil {
		return SetResult{}, err
	}
	params := struct {
		stimuli.Config
		Off []attention.Head `json:"off,omitempty"`
	}{c, off}
	key := artifact.Key{Step: "evaluate", Version: evaluateVersion, Params: params, Inputs: []artifact.ID{m.ID}}
	e, err := artifact.Value(ctx, l.Store, key, func(ctx context.Context) (finetune.Evaluation, error) {
		set, err := stimuli.Open(c)
		if err != nil {
			return finetune.Evaluation{}, err
		}
		be, err := l.Backend()
		if err != nil {
			return finetune.Evaluation{}, err
		}
		return finetune.Evaluate(ctx, be, m.Model, set, finetune.Condition{Off: off}, l.options.Progress)
	})
	if err != nil {
		return SetResult{}, fmt.Errorf("evaluate on %s: %w", name, err)
	}
	return SetResult{Name: name, Stimuli: c, Evaluation: e}, nil
}
