package paper

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// Figure6 plots the accuracy on three test sets against disentanglement, a row of panels for each task. The paper joins its points and
// computes no correlation; here is the least-squares line, with r, through the models that learned the task, each model the mean of
// its seeds. A model at chance is drawn as an outline and left out of the line. [GeneralizationTable] has what else r rests on.
func Figure6(points []GeneralizationPoint) (*figure.Figure, error) {
	kinds := pretrainingsOf(points)
	colors := pretrainingColors(kinds)
	left, low := .2, .4 // of the axes, unless a point lies further out
	for _, p := range points {
		left = min(left, p.Disentangled)
		for _, y := range p.Accuracy {
			low = min(low, y)
		}
	}
	var panels []*figure.Figure
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		if !slices.ContainsFunc(points, func(p GeneralizationPoint) bool { return p.Task == task }) {
			continue
		}
		for column, set := range study.GeneralizationSets {
			s := figure.Scatter{Title: shortTasks[task] + ", " + setTitles[set], XLabel: "disentanglement", XMin: left, XMax: 1, YMin: low, YMax: 1, Width: 2.6, Height: 2.5}
			if column == 0 {
				s.YLabel, s.Width = "accuracy", 2.8
			}
			for _, kind := range kinds {
				p := figure.Points{Color: colors[kind]}
				if column == len(study.GeneralizationSets)-1 {
					p.Name, s.Width = kind, 3.9
				}
				for _, m := range points {
					if y, ok := m.Accuracy[set]; ok && m.Task == task && m.Pretraining == kind {
						p.X, p.Y, p.Hollow = append(p.X, m.Disentangled), append(p.Y, y), append(p.Hollow, m.AtChance)
					}
				}
				s.Groups = append(s.Groups, p)
			}
			_, x, y := chosen(points, task, set, modelsChoices[1])
			if fit, err := (figure.Scatter{Groups: []figure.Points{{X: x, Y: y}}}).Fit(); err == nil {
				s.Line = &fit
			} else {
				s.NoFit = true
			}
			panels = append(panels, s.Figure())
		}
	}
	if len(panels) == 0 {
		return nil, errors.New("paper: Figure 6 was given no models with accuracies: expected some that were trained on the 32 set")
	}
	return checked(figure.Grid{Figures: panels, Columns: len(study.GeneralizationSets)}.Figure())
}

// shortTasks are the tasks in a panel's title.
var shortTasks = map[stimuli.Task]string{stimuli.Discrimination: "Discrimination", stimuli.RMTS: "RMTS"}

// setTitles are the test sets in a panel's title.
var setTitles = map[string]string{"test (IID)": "fresh images", "compositional": "new combinations", "OOD shape-color": "new objects"}

// pretrainings are those of the analogues and of their control, in the order of their colors.
var pretrainings = []string{"scratch", string(pretrain.Supervised), string(pretrain.Contrastive), string(pretrain.Masked), string(pretrain.Distilled)}

// pretrainingColors returns a color for each kind of what models knew before the task: analogues have the same in all figures, others
// those that are left, beginning behind the analogues'.
func pretrainingColors(kinds []string) map[string]color.Color {
	colors, taken := map[string]color.Color{}, map[color.Color]bool{}
	for i, kind := range pretrainings {
		if slices.Contains(kinds, kind) {
			colors[kind], taken[figure.SeriesColor(i)] = figure.SeriesColor(i), true
		}
	}
	next := len(pretrainings)
	for _, kind := range kinds {
		if colors[kind] == nil {
			for range kinds { // once around at most
				if !taken[figure.SeriesColor(next)] {
					break
				}
				next++
			}
			colors[kind], taken[figure.SeriesColor(next)] = figure.SeriesColor(next), true
		}
	}
	return colors
}

// pretrainingsOf lists what models knew before the task, first what the analogues did.
func pretrainingsOf(points []GeneralizationPoint) (kinds []string) {
	for _, kind := range pretrainings {
		if slices.ContainsFunc(points, func(p GeneralizationPoint) bool { return p.Pretraining == kind }) {
			kinds = append(kinds, kind)
		}
	}
	for _, p := range points {
		kinds = once(kinds, p.Pretraining)
	}
	return kinds
}

// GeneralizationTable says what the correlations of Figure 6 are and what they rest on: of all models, of those that learned the task,
// and of the pretrained ones among them, each the mean of its seeds; with the interval, and with the r that is left without the
// model that carries it most. A choice that leaves nobody out has no row.
func GeneralizationTable(points []GeneralizationPoint) (figure.Table, error) {
	t := figure.Table{Title: "Disentanglement and accuracy: Pearson's r", Columns: []string{"task", "test set", "models", "n", "r", "95 % interval", "r without one", "which"}}
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		for _, set := range study.GeneralizationSets {
			before := 0
			for _, choice := range modelsChoices {
				names, x, y := chosen(points, task, set, choice)
				if len(names) == before { // none, or those of the row before
					continue
				}
				before = len(names)
				c, err := Correlate(x, y)
				if err != nil {
					return t, err
				}
				row := []any{string(task), setTitles[set], choice.what, c.N, "", "", "", ""}
				if !math.IsNaN(c.R) {
					row[4] = fmt.Sprintf("%.2f", c.R)
				}
				if !math.IsNaN(c.Low) {
					row[5] = fmt.Sprintf("%.2f to %.2f", c.Low, c.High)
				}
				if c.Carrier >= 0 {
					row[6], row[7] = "none", names[c.Carrier]
					if !math.IsNaN(c.Without) {
						row[6] = fmt.Sprintf("%.2f", c.Without)
					}
				}
				t.Add(row...)
			}
		}
	}
	return t, nil
}

// GeneralizedTable lists the models of Figure 6 with what they stand on: the best blocks, accuracies with Wilson's 95 % interval, and
// which of them stayed at chance.
func GeneralizedTable(all []study.Generalization) figure.Table {
	t := figure.Table{Title: "Disentanglement and generalization", Columns: []string{"model", "pretraining", "seed", "shape", "color", "disentanglement"}}
	for _, set := range study.GeneralizationSets {
		t.Columns = append(t.Columns, setTitles[set])
	}
	t.Columns = append(t.Columns, "learned")
	for _, g := range all {
		row := []any{g.Name, g.Pretraining, g.Seed, peaked(g.Shape), peaked(g.Color), short(g.Disentangled())}
		for _, set := range study.GeneralizationSets {
			row = append(row, interval(g.On(set)))
		}
		learned := "yes"
		if g.AtChance() {
			learned = "no, at chance"
		}
		t.Add(append(row, learned)...)
	}
	return t
}

// peaked is what a search reached, and after which block.
func peaked(p study.Peak) string { return fmt.Sprintf("%s after %d", interval(p.Score), p.Block) }

// generalization is Figure 6.
func generalization(number, title, where string, models map[study.Scale][]string) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models, Objects: stimuli.Compositional32}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			more, err := l.GeneralizationJobs(ctx, s, study.GeneralizationSpec{})
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, more...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		all, err := each(ctx, i, l, r, func(s study.Subject, _ *study.Model) (study.Generalization, error) {
			return l.Generalization(ctx, s, study.GeneralizationSpec{})
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := Figure6(GeneralizationPoints(all))
		return Drawing{Figure: f}, err
	}
	return i
}
