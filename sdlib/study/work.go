package study

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samediff/sdlib/artifact"
)

// Work runs the jobs that are not done, until none is left. Processes that share the store
// may work through the same jobs at the same time: each takes what no other has, and waits
// for what others have only when nothing else is left. A process that is killed loses
// nothing but its place: another one, or a later call, goes on with its job.
//
// A job that fails does not hold up the others, unless they need its model; the error names all that failed.
func (l *Lab) Work(ctx context.Context, jobs []Job) error {
	return l.WorkWhile(ctx, jobs, 0)
}

// ErrOthers says that other processes have all that is left of some jobs.
var ErrOthers = errors.New("other processes have all that is left")

// WorkWhile is [Lab.Work] for a process that is paid for while it waits: when other processes have
// had all that is left for as long as patience, it ends with an error that wraps [ErrOthers]. A
// patience of 0 has no end.
func (l *Lab) WorkWhile(ctx context.Context, jobs []Job, patience time.Duration) error {
	jobs = WithTrainings(jobs)
	done, failed := make([]bool, len(jobs)), map[string]error{} // failed trainings, by their subject's name
	var errs []error
	var idle time.Time // since when there is nothing to take; zero while there is
	for left := len(jobs); left > 0; {
		took, held := false, false // held: another process has what a job waits for
		for i, j := range jobs {
			if done[i] {
				continue
			}
			if err := ctx.Err(); err != nil {
				return errors.Join(append(errs, err)...)
			}
			finish := func(err error) {
				done[i] = true
				left--
				if err != nil {
					errs = append(errs, fmt.Errorf("%v: %w", j, err))
				}
			}
			if failed[j.Subject.Name] != nil {
				finish(fmt.Errorf("its model could not be trained"))
				continue
			}
			s, err := l.status(ctx, j)
			switch {
			case err != nil:
				if j.key == nil {
					failed[j.Subject.Name] = err
				}
				finish(err)
				continue
			case s.State == JobDone:
				finish(nil)
				continue
			case s.State == JobRunning:
				held = true
				continue
			case s.State == JobWaiting:
				continue // for its training, which stands before it
			}
			err = l.do(artifact.NoWait(ctx), j)
			switch {
			case errors.Is(err, artifact.ErrBusy):
				held = true
				continue
			case err != nil && ctx.Err() != nil:
				return errors.Join(append(errs, ctx.Err())...)
			case err != nil && j.key == nil:
				failed[j.Subject.Name] = err
			}
			took = true
			finish(err)
		}
		if took || left == 0 {
			idle = time.Time{}
			continue
		}
		if !held { // models that were there are gone, removed or found damaged: train them again
			for i, j := range jobs {
				if done[i] && j.key == nil && failed[j.Subject.Name] == nil {
					done[i] = false
					left++
				}
			}
			continue
		}
		if idle.IsZero() {
			idle = time.Now()
		}
		if patience > 0 && time.Since(idle) > patience {
			return errors.Join(append(errs, ErrOthers)...)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // others have all that is left
		}
	}
	return errors.Join(errs...)
}

// do runs one job.
func (l *Lab) do(ctx context.Context, j Job) error {
	ctx = context.WithValue(ctx, jobKey{}, j)
	m, err := l.Model(ctx, j.Subject)
	if err != nil {
		return err
	}
	return j.run(ctx, l, m)
}

type jobKey struct{}

// begin announces the job that ctx belongs to, where there is one, when its computation begins:
// whoever asked for what is there already, or is being computed by another, hears nothing.
func (l *Lab) begin(ctx context.Context) {
	j, ok := ctx.Value(jobKey{}).(Job)
	if ok && l.options.Notify != nil {
		l.options.Notify(j.String())
	}
	if ok && l.options.OnJob != nil {
		l.options.OnJob(j)
	}
}
