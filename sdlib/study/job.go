package study

import (
	"context"
	"errors"
	"fmt"
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
	costs func(model artifact.ID, c vit.Config) []Cost
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
		run:   func(context.Context, *Lab, *Model) error { return nil }, // the model is all there is to do
		costs: func(artifact.ID, vit.Config) []Cost { return t.costs() },
	}
}

// WithTrainings returns jobs with the training of each of their subjects before them, once, where it has one.
func WithTrainings(jobs []Job) []Job {
	var all []Job
	seen := map[string]bool{}
	for _, j := range jobs {
		if s := j.Subject; s.Training != nil && !seen[s.Name] {
			seen[s.Name] = true
			all = append(all, TrainJob(s))
		}
		if j.Step != "train" {
			all = append(all, j)
		}
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
	// operations at some speed ([Lab.Rate]). What several jobs need is in the estimate of the first.
	Estimate float64

	model artifact.ID // of its subject, "" if it is not there
}

// Survey says of each job how far it is, with estimates for this machine. Nothing is computed.
func (l *Lab) Survey(ctx context.Context, jobs []Job) ([]JobStatus, error) {
	r, err := l.Rate(ctx, CourseScale)
	if err != nil {
		return nil, err
	}
	return l.SurveyAt(ctx, jobs, r)
}

// SurveyAt is [Lab.Survey] with estimates at a speed.
func (l *Lab) SurveyAt(ctx context.Context, jobs []Job, r Rate) ([]JobStatus, error) {
	bill := newBill(l)
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
			flops, err := bill.add(ctx, s, c)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", j, err)
			}
			s.Estimate = flops / r.FLOPS
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
	var model artifact.ID
	var err error
	if j.key == nil {
		info, err = l.look(ctx, *j.Subject.Training)
	} else {
		var there bool
		if model, there, err = l.id(ctx, j.Subject); err != nil {
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
	s := JobStatus{Job: j, State: JobReady, Owner: info.Owner, model: model}
	switch info.State {
	case artifact.Finished:
		s.State, s.Took = JobDone, info.Meta.Seconds
	case artifact.Computing:
		s.State = JobRunning
	}
	return s, err
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
