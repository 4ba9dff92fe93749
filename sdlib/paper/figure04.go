package paper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// A NovelPanel is one model in a [NovelFigure].
type NovelPanel struct {
	Title  string
	Scores []study.NovelScore // of study.NovelScores or study.ReadNovel; of one task
	Beside []PublishedNovel   // curves of the paper that stand below; nil for none
}

// NovelFigure shows by block how often pairs with novel representations get the answer that they
// should have (paper, Figures 4b, 13, 17, 18 and 29 to 36), with Wilson's 95 % interval as a band:
// shape and color side by side, one row for each model, and the paper's curves in light colors
// below. Lines across are the model's accuracy on the same pairs, and 1 - that: the level of an
// intervention that changes nothing.
func NovelFigure(panels ...NovelPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of novel representations was given no panels: expected the scores of one model or more")
	}
	grid := figure.Grid{Columns: 2, NoLetters: true}
	for _, p := range panels {
		if len(p.Scores) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no scores: expected those of study.NovelScores", p.Title)
		}
		for _, property := range []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty} {
			chart, err := p.chart(property)
			if err != nil {
				return nil, err
			}
			grid.Figures = append(grid.Figures, chart)
		}
		for _, published := range p.Beside {
			grid.Figures = append(grid.Figures, published.chart())
		}
	}
	return checked(grid.Figure())
}

// chart draws what a panel has of one property.
func (p NovelPanel) chart(property stimuli.Property) (*figure.Figure, error) {
	l := novelLines(fmt.Sprintf("%s: %s", p.Title, property))
	byNovelty := map[das.Novelty]map[int]study.NovelScore{}
	var blocks []int
	right, all := 0., 0.
	for _, s := range p.Scores {
		if s.Property != property {
			continue
		}
		if byNovelty[s.Novelty] == nil {
			byNovelty[s.Novelty] = map[int]study.NovelScore{}
		}
		if _, twice := byNovelty[s.Novelty][s.Block]; twice {
			return nil, fmt.Errorf("paper: the panel %q has two scores for %s, %s after block %d: expected those of one model and one seed", p.Title, s.Novelty, property, s.Block)
		}
		byNovelty[s.Novelty][s.Block] = s
		if !slices.Contains(blocks, s.Block) {
			blocks = append(blocks, s.Block)
		}
		right, all = right+s.Base, all+1
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("paper: the panel %q has no scores for %s", p.Title, property)
	}
	slices.Sort(blocks)
	for _, block := range blocks {
		l.X = append(l.X, float64(block))
	}
	base := right / all
	l.Guides = []figure.Guide{{Value: base, Name: "base"}, {Value: 1 - base, Name: "1 - base"}}
	for i, novelty := range das.Novelties {
		scores := byNovelty[novelty]
		if scores == nil {
			continue
		}
		line := figure.Series{Name: string(novelty), Color: figure.SeriesColor(i)}
		for _, block := range blocks {
			s, ok := scores[block]
			if !ok {
				return nil, fmt.Errorf("paper: the panel %q has no score for %s, %s after block %d, but others after it: expected the same blocks", p.Title, novelty, property, block)
			}
			low, high := s.Interval()
			line.Values, line.Lo, line.Hi = append(line.Values, s.Accuracy()), append(line.Lo, low), append(line.Hi, high)
		}
		l.Series = append(l.Series, line)
	}
	return l.Figure(), nil
}

// chart draws published curves.
func (p PublishedNovel) chart() *figure.Figure {
	l := novelLines(fmt.Sprintf("%s, as logged: %s", p.Model, p.Property))
	for i, novelty := range das.Novelties {
		if values := p.Curves[novelty]; values != nil {
			l.Series = append(l.Series, figure.Series{Name: string(novelty), Values: values, Color: light(figure.SeriesColor(i))})
		}
	}
	return l.Figure()
}

// novelLines is a chart without lines yet.
func novelLines(title string) figure.Lines {
	return figure.Lines{Title: title, XLabel: "after block", YLabel: "answers that become the target", YMin: -.02, YMax: 1.02}
}

// novel is a figure of novel representations, shape and color, of models that learned one or
// both tasks, with the paper's curves of a model below.
func novel(number, title, where, published string, models map[study.Scale][]string) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			queries, err := l.NovelQueries(ctx, s, study.NovelSweep{})
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, study.NovelJobs(s, queries)...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		subjects, err := i.subjects(ctx, l, r)
		if err != nil {
			return Drawing{}, err
		}
		var panels []NovelPanel
		for n, s := range subjects {
			queries, err := l.NovelQueries(ctx, s, study.NovelSweep{})
			if err != nil {
				return Drawing{}, err
			}
			m, err := l.Model(ctx, s)
			if err != nil {
				return Drawing{}, err
			}
			rows, err := l.NovelRows(ctx, m, queries)
			if err != nil {
				return Drawing{}, err
			}
			p := NovelPanel{Title: m.Label(s.Name), Scores: study.NovelScores(rows)}
			// The paper's curves stand once for each task, below the last model that learned it.
			task := queries[0].Stimuli.Task
			if later := subjects[n+1:]; !slices.ContainsFunc(later, func(o study.Subject) bool { return taskOf(ctx, l, o) == task }) {
				p.Beside = publishedNovel(published, task)
			}
			panels = append(panels, p)
		}
		f, err := NovelFigure(panels...)
		return Drawing{Figure: f}, err
	}
	return i
}

// taskOf is what a subject's model learned, "" where that cannot be read.
func taskOf(ctx context.Context, l *study.Lab, s study.Subject) stimuli.Task {
	c, err := l.Stimuli(ctx, s)
	if err != nil {
		return ""
	}
	return c.Task
}
