package paper

import (
	"context"
	"errors"
	"fmt"

	"samediff/sdlib/figure"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// A Generalization is how far a model keeps shape and color apart, and how far it carries (paper, section 6).
type Generalization struct {
	Model string
	Task  stimuli.Task
	// Disentangled is the mean over shape and color of the best block's share of interventions that bring about their target.
	Disentangled float64
	Accuracy     map[string]float64 // by the names of generalizationSets
}

// generalizationSets are the test sets of Figure 6.
var generalizationSets = []string{"test (IID)", "compositional", "OOD shape-color"}

// Figure6 plots accuracies on three test sets against disentanglement, a panel for each task. The legend has r, its interval, and the
// r that is left without the model that carries it most: the paper joins its points and computes none.
func Figure6(models []Generalization) (*figure.Figure, error) {
	var panels []*figure.Figure
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		s := figure.Scatter{Title: taskTitles[task], XLabel: "disentanglement", YLabel: "accuracy", NoFit: true, Width: 5.6}
		for _, set := range generalizationSets {
			var p figure.Points
			for _, m := range models {
				if y, ok := m.Accuracy[set]; ok && m.Task == task {
					p.X, p.Y = append(p.X, m.Disentangled), append(p.Y, y)
				}
			}
			if len(p.X) == 0 {
				continue
			}
			c, err := Correlate(p.X, p.Y)
			if err != nil {
				return nil, err
			}
			p.Name = set + ": " + c.String()
			s.Groups = append(s.Groups, p)
		}
		if len(s.Groups) > 0 {
			panels = append(panels, s.Figure())
		}
	}
	if len(panels) == 0 {
		return nil, errors.New("paper: Figure 6 was given no models with accuracies: expected some that were trained on the 32 set")
	}
	return checked(figure.Grid{Figures: panels, Columns: 1}.Figure())
}

// generalization is Figure 6.
func generalization(number, title, where string, models map[study.Scale][]string) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models, Objects: stimuli.Compositional32}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			q, err := l.DASQueries(ctx, s, study.DASSweep{})
			if err != nil {
				return nil, err
			}
			c, err := l.Stimuli(ctx, s)
			if err != nil {
				return nil, err
			}
			more, err := study.AccuracyJobs(s, c, generalizationSets...)
			if err != nil {
				return nil, err
			}
			jobs = append(append(jobs, study.DASJobs(s, q)...), more...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		points, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (Generalization, error) {
			return generalizationOf(ctx, l, s, m)
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := Figure6(points)
		return Drawing{Figure: f}, err
	}
	return i
}

// generalizationOf computes a model's point, or reads what the store has.
func generalizationOf(ctx context.Context, l *study.Lab, s study.Subject, m *study.Model) (g Generalization, err error) {
	c, err := l.Stimuli(ctx, s)
	if err != nil {
		return g, err
	}
	if c.Objects != stimuli.Compositional32 {
		return g, fmt.Errorf("paper: Figure 6 is about models trained on the 32 set, but %s learned from %s", s.Name, c.Objects)
	}
	g = Generalization{Model: m.Label(s.Name), Task: c.Task, Accuracy: map[string]float64{}}
	q, err := l.DASQueries(ctx, s, study.DASSweep{})
	if err != nil {
		return g, err
	}
	rows, err := l.DASRows(ctx, m, q)
	if err != nil {
		return g, err
	}
	best := map[stimuli.Property]float64{}
	for _, r := range rows {
		best[r.Property] = max(best[r.Property], r.Score().Accuracy())
	}
	for _, p := range properties {
		g.Disentangled += best[p] / float64(len(properties))
	}
	results, err := l.EvaluateSize(ctx, m, 0, generalizationSets...)
	if err != nil {
		return g, err
	}
	for _, r := range results {
		g.Accuracy[r.Name] = r.All.Accuracy()
	}
	return g, nil
}

// tunedAnalogues names the fine-tunings of analogues and of their control on both tasks.
func tunedAnalogues(objects stimuli.Objects) (all []string) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		for _, o := range append([]pretrain.Objective{""}, pretrain.Objectives...) {
			all = append(all, study.AnaloguePreset(o, task, objects))
		}
	}
	return all
}
