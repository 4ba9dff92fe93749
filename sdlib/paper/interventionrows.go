package paper

import (
	"context"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// The plans of the figures of interventions. On a ViT-B a head plan takes some 90,000
// forward passes and an edge plan 55,000; `sd patch` takes fewer images.
var (
	PaperHeads = study.HeadPlan{Sample: study.PaperSample, Top: 5, Draws: 10}
	PaperEdges = study.EdgePlan{Sample: study.PaperSample}
)

// interventionItems are figures that the paper does not have: causal tests of its section 3.
func interventionItems() []Item {
	return []Item{
		interventions("knockouts", "Accuracy without heads", &PaperHeads, nil, KnockOutFigure,
			func(ctx context.Context, l *study.Lab, name string, m *study.Model, set *stimuli.Set) (KnockOutPanel, error) {
				p := KnockOutPanel{Title: name}
				var err error
				if p.Sweep, err = l.HeadSweep(ctx, m, set, PaperHeads); err != nil {
					return p, err
				}
				p.Groups, err = l.HeadGroups(ctx, m, set, PaperHeads)
				return p, err
			}),
		interventions("edges", "Accuracy without edges between objects, background and CLS", nil, &PaperEdges, EdgeFigure,
			func(ctx context.Context, l *study.Lab, name string, m *study.Model, set *stimuli.Set) (EdgePanel, error) {
				cuts, err := l.EdgeCuts(ctx, m, set, PaperEdges)
				return EdgePanel{name, cuts}, err
			}),
	}
}

// interventions is a figure of interventions, with a panel for each model.
func interventions[P any](number, title string, heads *study.HeadPlan, edges *study.EdgePlan, draw func(...P) (*figure.Figure, error),
	panel func(ctx context.Context, l *study.Lab, name string, m *study.Model, set *stimuli.Set) (P, error)) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: "beyond 3", Models: map[study.Scale][]string{
		study.CourseScale: {"discrimination-256-course", "rmts-256-course"},
		study.PaperScale:  {"clip-b16", "clip-b16-rmts"},
	}}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			more, err := l.InterventionJobs(ctx, s, heads, edges)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, more...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		panels, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (P, error) {
			set, err := m.HeadSet()
			if err != nil {
				return *new(P), err
			}
			return panel(ctx, l, m.Label(s.Name), m, set)
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := draw(panels...)
		return Drawing{Figure: f}, err
	}
	return i
}
