package paper

import (
	"context"

	"samediff/sdlib/das"
	"samediff/sdlib/study"
)

// searches is a figure of alignment searches after every block, one panel for each model.
func searches(number, title, where string, models map[study.Scale][]string, controls ...das.Control) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models}
	queries := func(ctx context.Context, l *study.Lab, s study.Subject) ([]study.DASQuery, error) {
		return l.DASQueries(ctx, s, study.DASSweep{Controls: controls})
	}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			q, err := queries(ctx, l, s)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, study.DASJobs(s, q)...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		panels, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (SearchPanel, error) {
			q, err := queries(ctx, l, s)
			if err != nil {
				return SearchPanel{}, err
			}
			rows, err := l.DASRows(ctx, m, q)
			return SearchPanel{Title: m.Label(s.Name), Scores: study.DASScores(rows)}, err
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := SearchFigure(panels...)
		return Drawing{Figure: f}, err
	}
	return i
}
