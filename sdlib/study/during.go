package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Moment is what an analysis found of a model at a step of its training.
type Moment[R any] struct {
	Step   int         `json:"step"`  // steps done; 0 is before the first one
	Model  artifact.ID `json:"model"` // the weights at this step
	Answer R           `json:"answer"`
}

// duringVersion is raised when the same training and steps would give other moments.
const duringVersion = 1

// errSeen ends a training after the last step that is looked at.
var errSeen = errors.New("all steps are seen")

// During returns what the analysis finds of a model at steps of its training, in the order of
// the steps; 0 is the model before the first one. No weights are kept: the training is run again
// as far as the last of the steps, and the analysis is asked on the way. A training is a pure
// function of its state, so on one machine it passes through the same weights, to the bit, as
// [Lab.Train] did or will; its key and its artifact are not touched.
//
// Each answer is kept under the hash of the weights at its step, too: that of the last step is
// the answer of the trained model. Interrupted, even by kill -9, it goes on where it stopped.
func (a Analysis[P, R]) During(ctx context.Context, l *Lab, t Training, steps []int, set *stimuli.Set, p P) ([]Moment[R], error) {
	fail := func(err error) ([]Moment[R], error) { return nil, fmt.Errorf("%s during training: %w", a.Name, err) }
	if set == nil && !a.NoSet {
		return fail(errors.New("no set was given: expected one of stimuli.Open or ImportSet"))
	}
	r, err := t.resolve()
	if err != nil {
		return fail(err)
	}
	steps = slices.Compact(slices.Sorted(slices.Values(steps)))
	if _, all := r.Recipe.Steps(r.train.Len()); len(steps) == 0 || steps[0] < 0 || steps[len(steps)-1] > all {
		return fail(fmt.Errorf("steps %v, expected some of 0 to %d, the number of steps of the training", steps, all))
	}
	if set != nil {
		if err := runner.Fits(r.Model, set); err != nil {
			return fail(err)
		}
	}
	made, err := l.Store.Get(ctx, a.duringKey(r, steps, set, p), func(ctx context.Context, dir string) error {
		l.begin(ctx)
		be, err := l.Backend()
		if err != nil {
			return err
		}
		if seenAll(dir, steps) { // killed behind the last step
			return nil
		}
		start, err := l.start(ctx, r)
		if err != nil {
			return err
		}
		_, err = finetune.Train(ctx, be, start, r.train, r.val, r.Recipe, finetune.Options{
			Dir: filepath.Join(dir, "work"), Progress: l.options.Progress, Warn: l.options.Notify, Steps: steps,
			OnStep: func(ctx context.Context, step int, m *vit.Model) error {
				if err := a.keepMoment(ctx, l, r.Training, dir, step, m, set, p); err != nil {
					return err
				}
				if step == steps[len(steps)-1] {
					return errSeen
				}
				return nil
			}})
		if errors.Is(err, errSeen) {
			return nil
		}
		return err
	})
	if err != nil {
		return fail(err)
	}
	var all []Moment[R]
	for _, step := range steps {
		var m Moment[R]
		text, err := os.ReadFile(momentFile(made.Dir, step))
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			return fail(err)
		}
		all = append(all, m)
	}
	return all, nil
}

// duringKey names the moments of a training in the store.
func (a Analysis[P, R]) duringKey(r resolved, steps []int, set *stimuli.Set, p P) artifact.Key {
	asked := a.key("", set, p)
	return artifact.Key{Step: a.Name + " during training", Version: duringVersion, Params: map[string]any{
		"training": r.Training, "train_version": trainVersion, "steps": steps, "analysis_version": asked.Version, "asked": asked.Params}}
}

// keepMoment writes what the analysis finds of the model at a step to a folder.
func (a Analysis[P, R]) keepMoment(ctx context.Context, l *Lab, t Training, dir string, step int, m *vit.Model, set *stimuli.Set, p P) error {
	hash, err := m.Hash()
	if err != nil {
		return err
	}
	moment := Moment[R]{Step: step, Model: artifact.ID(hash)}
	if moment.Answer, err = a.Of(ctx, l, &Model{Model: m, ID: moment.Model, Training: t}, set, p); err != nil {
		return err
	}
	return disk.Replace(momentFile(dir, step), func(w io.Writer) error { return json.NewEncoder(w).Encode(moment) })
}

func momentFile(dir string, step int) string {
	return filepath.Join(dir, fmt.Sprintf("step-%06d.json", step))
}

// seenAll reports whether a folder has the moments of all steps.
func seenAll(dir string, steps []int) bool {
	return !slices.ContainsFunc(steps, func(step int) bool {
		_, err := os.Stat(momentFile(dir, step))
		return err != nil
	})
}
