package optimize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
)

// A Watch looks at the parameters while a run is under way, to measure what becomes of them.
// It changes nothing: a run that is watched ends with the same values, to the bit, and goes on
// from a checkpoint of one that was not.
type Watch struct {
	// Steps are those after which See is called, in any order; 0 is before the first one.
	Steps []int
	// See must not keep or change the parameters. Its error stops the run and is returned. After
	// an interruption it may be called for a step again, with the same values; by the time that a
	// checkpoint of a later step is written, it has returned.
	See func(ctx context.Context, step int, parameters []*tensors.Tensor) error
}

func (w Watch) validate(steps int) error {
	if len(w.Steps) > 0 && w.See == nil {
		return errors.New("optimize: steps to watch, but Watch.See is nil")
	}
	for _, step := range w.Steps {
		if step < 0 || step > steps {
			return fmt.Errorf("optimize: step %d is to be watched, expected 0 to %d, the number of steps", step, steps)
		}
	}
	return nil
}

// watch shows the parameters where the step that the run has come to is one to watch. The
// seconds that this takes are none of a step's: begin moves on by them.
//
// It is called in front of the step that follows. So a checkpoint of the watched step itself says
// nothing of See, which is called again on resuming, and one of a later step says that it is done.
func (t *trainer) watch(ctx context.Context, begin *time.Time) error {
	if !slices.Contains(t.Watch.Steps, t.state.step) {
		return nil
	}
	started := time.Now()
	err := t.Watch.See(ctx, t.state.step, t.state.θ)
	*begin = begin.Add(time.Since(started))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), t.save())
	}
	return fmt.Errorf("optimize: watch step %d: %w", t.state.step, err)
}
