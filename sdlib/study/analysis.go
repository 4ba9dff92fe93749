package study

import (
	"context"
	"fmt"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// An Analysis asks something of a model, as a value: a name, a version, and a function of a
// model, a set of images and parameters P. The answer R is kept in the store, under all that
// it depends on, so it is computed once. [Accuracy] and [HeadScores] are analyses; one of
// your own is a variable and its function (see the package's example).
type Analysis[P, R any] struct {
	Name string // of the step in the store: "evaluate"
	// Version is raised when the same model, set and parameters would give another answer.
	Version int
	// Compute finds the answer. P and R are plain data that JSON can hold.
	Compute func(ctx context.Context, on On, p P) (R, error)
	// NoSet says that the analysis brings its own images.
	NoSet bool
	// Images is how many images the analysis looks at, for estimates; nil stands for all of the set.
	Images func(set *stimuli.Set, p P) int
	// Shares are the costs of results that the answer is made from and that other answers may be
	// made from too, for estimates; nil for none.
	Shares func(model artifact.ID, c vit.Config, p P) []Cost
}

// On is what an analysis works on.
type On struct {
	Lab     *Lab // for results that it builds on
	Backend *backend.Backend
	Model   *Model
	Set     *stimuli.Set // drawn or imported; nil for an analysis that brings its own images
	Report  progress.Func
}

// Of returns the answer for a model and a set, and computes it if the store does not have
// it. set is nil for analyses with NoSet.
func (a Analysis[P, R]) Of(ctx context.Context, l *Lab, m *Model, set *stimuli.Set, p P) (R, error) {
	var none R
	if set == nil && !a.NoSet {
		return none, fmt.Errorf("%s: no set was given: expected one of stimuli.Open or ImportSet", a.Name)
	}
	if set != nil {
		if err := runner.Fits(m.Config, set); err != nil { // before the store has a trace of it
			return none, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	answer, err := artifact.Value(ctx, l.Store, a.key(m.ID, set, p), func(ctx context.Context) (R, error) {
		l.begin(ctx)
		be, err := l.Backend()
		if err != nil {
			return none, err
		}
		return a.Compute(ctx, On{l, be, m, set, l.options.Progress}, p)
	})
	if err != nil {
		return answer, fmt.Errorf("%s: %w", a.Name, err)
	}
	return answer, nil
}

// key names an answer in the store.
func (a Analysis[P, R]) key(model artifact.ID, set *stimuli.Set, p P) artifact.Key {
	params := struct {
		Stimuli *stimuli.Config `json:"stimuli,omitempty"`
		Params  P               `json:"params"`
	}{Params: p}
	if set != nil {
		c := set.Config() // of an imported set it has the hash of its content
		params.Stimuli = &c
	}
	return artifact.Key{Step: a.Name, Version: a.Version, Params: params, Inputs: []artifact.ID{model}}
}

// Job is the analysis of a model that may have to be trained first. The title says what the
// set is: "on test (IID)".
func (a Analysis[P, R]) Job(of Subject, title string, set *stimuli.Set, p P) Job {
	images := 0
	switch {
	case a.Images != nil:
		images = a.Images(set, p)
	case set != nil:
		images = set.Config().Size
	}
	return Job{
		Step: a.Name, Title: title, Subject: of,
		key: func(id artifact.ID) artifact.Key { return a.key(id, set, p) },
		run: func(ctx context.Context, l *Lab, m *Model) error {
			_, err := a.Of(ctx, l, m, set, p)
			return err
		},
		costs: func(model artifact.ID, c vit.Config) []Cost {
			all := []Cost{{FLOPs: float64(images) * forwardFlops(c)}}
			if a.Shares != nil {
				all = append(all, a.Shares(model, c, p)...)
			}
			return all
		},
	}
}
