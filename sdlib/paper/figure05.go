package paper

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// A LinearPanel is one model in a [LinearFigure].
type LinearPanel struct {
	Title   string
	Probed  study.Probed
	Effects []probe.Effect // of study.Lab.Steer; nil shows the probe alone
	// Beside are the paper's curves that belong beside it; nil for none.
	Beside *PublishedLinear
}

// LinearFigure shows by block what a linear probe of a pair's relation gets right, and how often
// the answer flips when a direction is added to the pair (paper, Figures 5, 14, 19, 37 to 39),
// each with Wilson's 95 % interval as a band. Models stand one below the other; the paper's
// curves, where there are any, in light colors beside them.
func LinearFigure(panels ...LinearPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of probes was given no panels: expected the probes of one model or more")
	}
	var rows []*figure.Figure
	for _, p := range panels {
		if len(p.Probed.Rows) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no probes: expected those of study.Probing", p.Title)
		}
		rows = append(rows, p.figure())
	}
	return checked(figure.Grid{Figures: rows, Columns: 1, NoLetters: len(rows) < 2}.Figure())
}

// crowded is how many interventions one chart can show.
const crowded = 6

// lineOf says of which interventions a line is.
type lineOf struct {
	d probe.Direction
	α float64
}

func (p LinearPanel) figure() *figure.Figure {
	by := map[lineOf][]finetune.Score{}
	var order []lineOf
	for _, e := range p.Effects {
		if e.Block < 0 {
			continue
		}
		v := lineOf{e.Direction, e.Alpha}
		if by[v] == nil {
			order = append(order, v)
		}
		by[v] = append(by[v], e.Flipped(nil))
	}
	groups := [][]lineOf{order}
	if len(order) > crowded { // a chart for each direction
		groups = nil
		for i, v := range order {
			if i == 0 || v.d != order[i-1].d {
				groups = append(groups, nil)
			}
			groups[len(groups)-1] = append(groups[len(groups)-1], v)
		}
	}
	var panels []*figure.Figure
	for i, g := range groups {
		title := p.Title
		if i > 0 {
			title = ""
		}
		panels = append(panels, p.chart(title, g, by).Figure())
	}
	if p.Beside != nil {
		panels = append(panels, p.Beside.lines().Figure())
	}
	return figure.Grid{Figures: panels, Columns: 2, NoLetters: true}.Figure()
}

// chart shows the probe, and some interventions.
func (p LinearPanel) chart(title string, order []lineOf, by map[lineOf][]finetune.Score) figure.Lines {
	own := figure.Lines{Title: title, XLabel: "block", YLabel: "share", YMin: -.02, YMax: 1.02}
	var scores []finetune.Score
	for _, r := range p.Probed.Rows {
		scores = append(scores, r.Test.All)
	}
	own.Series = []figure.Series{series("probe", scores, 0)}
	for i, v := range order {
		name := lineNames[v.d]
		if len(order) > 2 || v.α != 1 {
			name += fmt.Sprintf(", α %g", v.α)
		}
		s := series(name, by[v], i+1)
		s.Dashed = v.d != probe.Opposite
		own.Series = append(own.Series, s)
	}
	if len(p.Effects) > 0 && p.Effects[0].Block < 0 { // in the legend: at this level there is no room for a name
		wrong := p.Effects[0].Flipped(nil).Accuracy()
		own.Series = append(own.Series, figure.Series{Name: "wrong by itself", Values: slices.Repeat([]float64{wrong}, len(scores)), Color: color.Gray{128}, Dashed: true, NoMark: true})
	}
	return own
}

// lineNames are the names of directions in the legend, the paper's where it has one.
var lineNames = map[probe.Direction]string{
	probe.Opposite: "intervention", probe.Present: "control", probe.Random: "random", probe.Means: "class means",
}

// series is a line of shares with their intervals.
func series(name string, scores []finetune.Score, i int) figure.Series {
	s := figure.Series{Name: name, Color: figure.SeriesColor(i)}
	for _, x := range scores {
		low, high := x.Interval()
		s.Values, s.Lo, s.Hi = append(s.Values, x.Accuracy()), append(s.Lo, low), append(s.Hi, high)
	}
	return s
}

// lines is the chart of published curves.
func (p PublishedLinear) lines() figure.Lines {
	l := figure.Lines{Title: p.Model + ", as logged", XLabel: "block", YLabel: "share", YMin: -.02, YMax: 1.02}
	for i, c := range p.Curves {
		l.Series = append(l.Series, figure.Series{Name: c.Name, Values: c.Values, Color: light(figure.SeriesColor(i)), Dashed: c.Control()})
	}
	return l
}

// linearProbe is a figure of probes and interventions of models that learned RMTS, beside the
// paper's curves of one.
func linearProbe(number, title, where, published string, alphas []float64, models map[study.Scale][]string) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models, Task: stimuli.RMTS, Objects: stimuli.All256}
	// The weights of small models' probes are short against their streams: a factor of 1 in the
	// paper's unit does nothing there.
	spec := func(r Request) study.SteerSpec {
		s := study.PaperSteer
		if s.Alphas = alphas; r.scale() == study.CourseScale {
			s.Unit, s.Alphas = study.MeansApart, []float64{1, 2, 4}
		}
		return s
	}
	set := func(ctx context.Context, l *study.Lab, s study.Subject) (*stimuli.Set, error) {
		c, err := i.learned(ctx, l, s)
		if err != nil {
			return nil, err
		}
		return study.LinearSet(c)
	}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			on, err := set(ctx, l, s)
			if err != nil {
				return nil, err
			}
			blocks, err := l.Blocks(ctx, s)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, study.LinearJobs(s, blocks, on, spec(r))...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		subjects, err := i.subjects(ctx, l, r)
		if err != nil {
			return Drawing{}, err
		}
		var panels []LinearPanel
		for _, s := range subjects {
			on, err := set(ctx, l, s)
			if err != nil {
				return Drawing{}, err
			}
			m, err := l.Model(ctx, s)
			if err != nil {
				return Drawing{}, err
			}
			p := LinearPanel{Title: m.Label(s.Name)}
			if spec(r).Unit == study.MeansApart {
				p.Title += "\nα in distances of the class means"
			}
			if p.Probed, err = study.Probing.Of(ctx, l, m, on, spec(r).Probe); err != nil {
				return Drawing{}, err
			}
			if p.Effects, err = l.Steer(ctx, m, on, spec(r)); err != nil {
				return Drawing{}, err
			}
			panels = append(panels, p)
		}
		if len(panels) > 0 {
			panels[0].Beside = findPublished(published)
		}
		f, err := LinearFigure(panels...)
		return Drawing{Figure: f}, err
	}
	return i
}

// linearFigures are the rows of [Contents] about probes and interventions.
func linearFigures(models func(course, atPaper []string) map[study.Scale][]string) map[string]Item {
	one, three := []float64{1}, []float64{.5, 1, 2}
	all := map[string]Item{}
	for _, i := range []Item{
		linearProbe("5", "Linear probes and interventions", "5", "CLIP ViT-B/16", one, models([]string{"rmts-256-course"}, []string{"clip-b16-rmts"})),
		linearProbe("14", "Linear probes and interventions, CLIP ViT-B/32", "appendix", "CLIP ViT-B/32", one, models([]string{"rmts-256-quick"}, []string{"clip-b32-rmts"})),
		linearProbe("19", "Linear probes and interventions, DINOv2", "D", "DINOv2", one, models(nil, []string{"dinov2-b14-rmts"})),
		linearProbe("37", "Linear interventions, DINO", "K.3", "DINO", three, models(nil, []string{"dino-b16-rmts"})),
		linearProbe("38", "Linear interventions, ImageNet", "K.3", "ImageNet", three, models(nil, []string{"imagenet-b16-rmts"})),
		linearProbe("39", "Linear interventions, MAE", "K.3", "MAE", one, models(nil, []string{"mae-b16-rmts"})),
	} {
		all[i.Number] = i
	}
	return all
}
