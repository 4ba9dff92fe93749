package study

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/vit"
)

// A Job is one result that a figure or a table needs: a training, or an analysis of a model.
// Jobs know what they depend on, so any number of processes that share a store can work
// through a list of them ([Lab.Work]).
type Job struct {
	Step    string // "train", or the analysis's name
	Title   string // what is computed, beside Step and Subject
	Subject Subject

	key   func(model artifact.ID) artifact.Key // nil for a training
	run   func(ctx context.Context, l *Lab, m *Model) error
	flops func(vit.Config) float64 // floating-point operations
}

// String is the job in a line: "evaluate quick: on test (IID)".
func (j Job) String() string {
	s := j.Step + " " + j.Subject.Name
	if j.Title != "" {
		s += ": " + j.Title
	}
	return s
}

// TrainJob is the training of a subject.
func TrainJob(s Subject) Job {
	t := *s.Training
	return Job{
		Step: "train", Subject: s,
		run: func(context.Context, *Lab, *Model) error { return nil }, // the model is all there is to do
		flops: func(c vit.Config) float64 { // backward passes cost twice a forward pass
			before := 0.
			if t.Pretraining != nil {
				before = t.Pretraining.flops()
			}
			return before + 3*float64(t.images())*forwardFlops(c) + float64(t.Recipe.Epochs*t.Val)*forwardFlops(c)
		},
	}
}

// images returns the number of images that a training shows, in all epochs.
func (t Training) images() int {
	n := t.Stimuli.Size
	if c, err := t.Stimuli.Resolved(); err == nil {
		n = c.Size
	}
	return t.Recipe.Epochs * n
}

// WithTrainings returns jobs with the training of each of their subjects before them, where it has one.
func WithTrainings(jobs []Job) []Job {
	var all []Job
	seen := map[string]bool{}
	for _, j := range jobs {
		if s := j.Subject; s.Training != nil && j.Step != "train" && !seen[s.Name] {
			seen[s.Name] = true
			all = append(all, TrainJob(s))
		}
		all = append(all, j)
	}
	return all
}

// A JobState says how far a job is.
type JobState string

const (
	JobDone    JobState = "done"
	JobRunning JobState = "running" // in some process that shares the store
	JobReady   JobState = "ready"
	JobWaiting JobState = "waiting" // for its model
)

// A JobStatus is a job and how far it is.
type JobStatus struct {
	Job
	State JobState
	Owner string  // who runs it: "process 123"
	Took  float64 // seconds, of a job that is done
	// Estimate is about how many seconds a job that is not done will take: its floating-point
	// operations at the speed that trainings in the store had, or at an assumed one.
	Estimate float64
}

// Survey says of each job how far it is. Nothing is computed.
func (l *Lab) Survey(ctx context.Context, jobs []Job) ([]JobStatus, error) {
	speed, err := l.speed(ctx)
	if err != nil {
		return nil, err
	}
	var all []JobStatus
	for _, j := range jobs {
		s, err := l.status(ctx, j)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", j, err)
		}
		c, err := l.config(ctx, j.Subject)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", j, err)
		}
		if s.State != JobDone {
			s.Estimate = j.flops(c) / speed
		}
		all = append(all, s)
	}
	return all, nil
}

func (l *Lab) config(ctx context.Context, s Subject) (vit.Config, error) {
	if s.Training != nil {
		return s.Training.Model, nil
	}
	m, err := l.find(ctx, s)
	if err != nil {
		return vit.Config{}, err
	}
	return m.Config, nil
}

// status looks a job up in the store.
func (l *Lab) status(ctx context.Context, j Job) (JobStatus, error) {
	var info artifact.Info
	var err error
	if j.key == nil {
		info, err = l.look(ctx, *j.Subject.Training)
	} else {
		model, there, err := l.id(ctx, j.Subject)
		if err != nil {
			return JobStatus{}, err
		}
		if !there {
			return JobStatus{Job: j, State: JobWaiting}, nil
		}
		id, err := j.key(model).ID()
		if err != nil {
			return JobStatus{}, err
		}
		if info, err = l.Store.Look(ctx, id); errors.Is(err, artifact.ErrNotFound) {
			info, err = artifact.Info{}, nil
		}
		if err != nil {
			return JobStatus{}, err
		}
	}
	s := JobStatus{Job: j, State: JobReady, Owner: info.Owner}
	switch info.State {
	case artifact.Finished:
		s.State, s.Took = JobDone, info.Meta.Seconds
	case artifact.Computing:
		s.State = JobRunning
	}
	return s, err
}

// assumedSpeed is that of two CPU cores, in floating-point operations per second.
const assumedSpeed = 60e9

// speed returns the median speed of the trainings that the store has, in operations per second.
func (l *Lab) speed(ctx context.Context) (float64, error) {
	infos, err := l.trainings(ctx)
	var speeds []float64
	for _, i := range infos {
		t, err := trainingOf(i)
		if err == nil && i.Meta.Seconds > 1 && !i.Meta.Resumed && t.Pretraining == nil { // which may have been there already
			speeds = append(speeds, TrainJob(Subject{Training: &t}).flops(t.Model)/i.Meta.Seconds)
		}
	}
	if len(speeds) == 0 {
		return assumedSpeed, err
	}
	slices.Sort(speeds)
	return speeds[len(speeds)/2], err
}

// forwardFlops returns the floating-point operations of a forward pass for one image: two for
// each weight of a block and token, and those of attention.
func forwardFlops(c vit.Config) float64 {
	T, D, L := float64(c.Tokens()), float64(c.Width), float64(c.Blocks)
	block := 2*T*D*(4*D+2*float64(c.MLP)) + 4*T*T*D
	patches := 2 * T * D * float64(3*c.Patch*c.Patch)
	return L*block + patches
}

// Describe writes a duration in seconds for people: "40 s", "12 min", "3.5 h", "2 days".
func Describe(seconds float64) string {
	s := "%.0f s"
	switch {
	case seconds >= 48*3600:
		s, seconds = "%.0f days", seconds/86400
	case seconds >= 2*3600:
		s, seconds = "%.1f h", seconds/3600
	case seconds >= 100:
		s, seconds = "%.0f min", seconds/60
	case seconds < 10:
		s = "%.1f s"
	}
	return strings.Replace(fmt.Sprintf(s, seconds), ".0 ", " ", 1)
}
