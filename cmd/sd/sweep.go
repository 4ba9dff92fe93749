package main

import (
	"context"
	"fmt"

	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

// A sweep is queries Q about a model, made from what is asked W, and rows R that answer them.
type sweep[W, Q, R any] struct {
	queries func(*study.Lab, context.Context, study.Subject, W) ([]Q, error)
	jobs    func(study.Subject, []Q) []study.Job
	rows    func(*study.Lab, context.Context, *study.Model, []Q) ([]R, error)
	save    func(path string, rows []R) error
	table   func(rows []R) figure.Table
}

// run answers what is asked about the model of a name, job by job, writes the rows to a CSV file unless it is "", and
// prints them. also, unless nil, is called with the queries before.
func (s sweep[W, Q, R]) run(ctx context.Context, a *app, name string, what W, csv string, asJSON bool, also func(*study.Lab, *study.Model, []Q) error) error {
	lab, err := a.lab()
	if err != nil {
		return err
	}
	subject, err := lab.Subject(ctx, name)
	if err != nil {
		return err
	}
	queries, err := s.queries(lab, ctx, subject, what)
	if err != nil {
		return err
	}
	if err := lab.Work(ctx, s.jobs(subject, queries)); err != nil {
		return err
	}
	m, err := lab.Model(ctx, subject)
	if err != nil {
		return err
	}
	rows, err := s.rows(lab, ctx, m, queries)
	if err != nil {
		return err
	}
	if spent := lab.Spent(); spent != (study.Spent{}) && !a.quiet {
		fmt.Fprintln(a.err, "sd:", spent)
	}
	if csv != "" {
		if err := s.save(csv, rows); err != nil {
			return err
		}
	}
	if also != nil {
		if err := also(lab, m, queries); err != nil {
			return err
		}
	}
	if asJSON {
		return a.printJSON(rows)
	}
	return a.printTable(s.table(rows))
}

// outcomeColumns are the columns of [outcome].
var outcomeColumns = []string{"accuracy", "95 % interval", "to different", "to same", "1 - base", "dimensions"}

// outcome sets out how often interventions bring about their target.
func outcome(r study.DASResult) []any {
	low, high := r.Score().Interval()
	different, same := r.ByTarget()
	dims := any(r.Dims)
	if r.Derived {
		dims = "derived"
	}
	return []any{r.Score().Accuracy(), fmt.Sprintf("%.3f to %.3f", low, high), different.Accuracy(), same.Accuracy(), r.Without().Accuracy(), dims}
}
