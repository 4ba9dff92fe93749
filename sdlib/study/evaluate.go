package study

import (
	"context"
	"fmt"
	"slices"

	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Accuracy is how many images of a set a model answers rightly, under a condition such as
// heads that are switched off.
var Accuracy = Analysis[finetune.Condition, finetune.Evaluation]{
	Name: "evaluate", Version: 2,
	Compute: func(ctx context.Context, on On, under finetune.Condition) (finetune.Evaluation, error) {
		return finetune.Evaluate(ctx, on.Backend, on.Model.Model, on.Set, under, on.Report)
	},
}

// A NamedSet is a set by the name that the paper's tables have for it.
type NamedSet struct {
	Name    string         `json:"name"`
	Stimuli stimuli.Config `json:"stimuli"`
}

// SetResult is a model's accuracy on one set.
type SetResult struct {
	NamedSet
	finetune.Evaluation
}

// SetNames are the names of all sets that there are ([Sets]).
var SetNames = []string{"train", "test (IID)", "compositional", "OOD shape", "OOD color", "OOD shape-color"}

// evalSize is the number of images in each test set.
const evalSize = 6400

// Sets are the sets that every model is asked about, as the paper's Tables 2 to 6 name them,
// for a model trained on the stimuli c. The training images are those of its training; the
// other sets have images of their own, 6,400 for size 0. "compositional" exists for the 32
// set only.
func Sets(c stimuli.Config, size int) []NamedSet {
	if size == 0 {
		size = evalSize
	}
	with := func(name string, split stimuli.Split, objects stimuli.Objects) NamedSet {
		c := c
		c.Split, c.Objects, c.Size = split, objects, size
		return NamedSet{name, c}
	}
	train := NamedSet{"train", c}
	train.Stimuli.Split = stimuli.Train
	all := []NamedSet{train, with("test (IID)", stimuli.TestIID, c.Objects)}
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

// Sets returns the sets that the model is asked about, see [Sets].
func (m *Model) Sets() ([]NamedSet, error) {
	c, err := m.stimuli()
	return Sets(c, 0), err
}

// Evaluate returns the model's accuracy on every set of [Sets].
func (l *Lab) Evaluate(ctx context.Context, m *Model) ([]SetResult, error) {
	return l.EvaluateSize(ctx, m, 0)
}

// EvaluateSize is [Lab.Evaluate] with another number of images in the sets that the model
// was not trained on; 0 is the paper's. names, where there are some, are those of the sets to
// evaluate it on.
func (l *Lab) EvaluateSize(ctx context.Context, m *Model, size int, names ...string) ([]SetResult, error) {
	c, err := m.stimuli()
	if err != nil {
		return nil, err
	}
	return l.evaluateSets(ctx, m, slices.DeleteFunc(Sets(c, size), func(s NamedSet) bool {
		return len(names) > 0 && !slices.Contains(names, s.Name)
	}))
}

// EvaluateOn returns the model's accuracy on one set, drawn or imported, under a name of
// one's own. Heads that are named besides are switched off (see [vit.Heads]).
func (l *Lab) EvaluateOn(ctx context.Context, m *Model, name string, set *stimuli.Set, off ...vit.Head) (SetResult, error) {
	if set == nil {
		return SetResult{}, fmt.Errorf("evaluate: no set was given: expected one of stimuli.Open or ImportSet")
	}
	if err := m.Answers(); err != nil { // before the store has an answer of a model with the same weights
		return SetResult{}, fmt.Errorf("evaluate: %w", err)
	}
	e, err := Accuracy.Of(ctx, l, m, set, finetune.Condition{Off: off})
	return SetResult{NamedSet{name, set.Config()}, e}, err
}

// AccuracyJobs are the jobs of [Lab.Evaluate] for a subject, on the sets of these names, or on all.
func (l *Lab) AccuracyJobs(ctx context.Context, s Subject, names ...string) ([]Job, error) {
	c, err := l.Stimuli(ctx, s)
	if err != nil {
		return nil, err
	}
	return AccuracyJobs(s, c, names...)
}

// AccuracyJobs are evaluations of a subject on those of the sets of stimuli c ([Sets]) that
// have these names, or on all.
func AccuracyJobs(s Subject, c stimuli.Config, names ...string) ([]Job, error) {
	return accuracyJobs(s, c, 0, names...)
}

// accuracyJobs has another number of images in the sets that the model was not trained on; 0 is the paper's.
func accuracyJobs(s Subject, c stimuli.Config, size int, names ...string) ([]Job, error) {
	for _, name := range names {
		if !slices.Contains(SetNames, name) {
			return nil, fmt.Errorf("no set is called %q, expected some of %q", name, SetNames)
		}
	}
	var jobs []Job
	for _, named := range Sets(c, size) {
		if len(names) > 0 && !slices.Contains(names, named.Name) {
			continue
		}
		set, err := stimuli.Open(named.Stimuli)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, Accuracy.Job(s, "on "+named.Name, set, finetune.Condition{}))
	}
	return jobs, nil
}
