package paper

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

// A learner is the seeds of a preset, each with its curve.
type learner struct {
	preset string
	seeds  [][]study.CurvePoint
}

// learners sorts points by preset and seed, in the order in which they come.
func learners(points []study.CurvePoint) (all []learner) {
	for _, p := range points {
		i := slices.IndexFunc(all, func(l learner) bool { return l.preset == p.Preset })
		if i < 0 {
			i, all = len(all), append(all, learner{preset: p.Preset})
		}
		k := slices.IndexFunc(all[i].seeds, func(curve []study.CurvePoint) bool { return curve[0].Seed == p.Seed })
		if k < 0 {
			k, all[i].seeds = len(all[i].seeds), append(all[i].seeds, nil)
		}
		all[i].seeds[k] = append(all[i].seeds[k], p)
	}
	return all
}

// images are those that the trainings had shown after each epoch, of the shortest one.
func (l learner) images() (x []float64) {
	for e, p := range l.seeds[0] {
		if slices.ContainsFunc(l.seeds, func(curve []study.CurvePoint) bool { return len(curve) <= e }) {
			break
		}
		x = append(x, float64(p.Images))
	}
	return x
}

// series is the mean of the seeds, in a band from the lowest to the highest; of one seed with Wilson's 95 % interval.
func (l learner) series() figure.Series {
	s := figure.Series{Name: l.preset}
	if t, err := study.Preset(l.preset); err == nil {
		s.Color = pretrainingColors(pretrainings)[t.Pretrained()] // as in Figure 6
	}
	for e := range l.images() {
		var values []float64
		for _, curve := range l.seeds {
			values = append(values, curve[e].Score.Accuracy())
		}
		low, high := slices.Min(values), slices.Max(values)
		if len(values) == 1 {
			low, high = l.seeds[0][e].Score.Interval()
		}
		s.Values, s.Lo, s.Hi = append(s.Values, stat.Mean(values, nil)), append(s.Lo, low), append(s.Hi, high)
	}
	return s
}

// LearningCurves shows the accuracy on validation images over the images that trainings had shown, a panel for each task and set of
// objects: the mean of a preset's seeds, in a band from the lowest to the highest, or Wilson's 95 % interval of a single one.
func LearningCurves(points []study.CurvePoint) (*figure.Figure, error) {
	var panels []figure.Lines
	for _, of := range learners(points) {
		title, x := taught(of.preset), of.images()
		i := slices.IndexFunc(panels, func(l figure.Lines) bool { return l.Title == title })
		if i < 0 {
			i, panels = len(panels), append(panels, figure.Lines{Title: title, XLabel: "images seen", YLabel: "accuracy", X: x, YMin: .4, YMax: 1, Width: 5.6, Height: 2.4,
				Guides: []figure.Guide{{Value: half, Name: "chance"}}})
		}
		l := &panels[i]
		if !slices.Equal(l.X, x) {
			return nil, fmt.Errorf("paper: %s was looked at after %v images, %s after %v: draw them apart", l.Series[0].Name, l.X, of.preset, x)
		}
		l.Series = append(l.Series, of.series())
	}
	if len(panels) == 0 {
		return nil, errors.New("paper: learning curves of no trainings: expected those that sd seeds --curves wrote")
	}
	slices.SortFunc(panels, func(a, b figure.Lines) int { return strings.Compare(a.Title, b.Title) })
	var figures []*figure.Figure
	for _, l := range panels {
		figures = append(figures, l.Figure())
	}
	return checked(figure.Grid{Figures: figures, Columns: 1, NoLetters: true}.Figure())
}

// taught says what a preset learns: "RMTS, 32 combinations"; "" for a name that is no preset.
func taught(preset string) string {
	t, err := study.Preset(preset)
	if err != nil {
		return ""
	}
	c, err := t.Stimuli.Resolved()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s, %s combinations", shortTasks[c.Task], c.Objects)
}

// learnedShares are the accuracies of which [CurveTable] says how many images they took.
var learnedShares = []float64{.75, .9}

// CurveTable says how far trainings came, and how many images it took them to be right in three quarters and in nine tenths of the
// validation images, seed by seed; they were looked at after each epoch.
func CurveTable(points []study.CurvePoint) figure.Table {
	t := figure.Table{Title: "Images that it takes to learn", Columns: []string{"preset", "seeds", "images", "accuracy at the end"}}
	for _, share := range learnedShares {
		t.Columns = append(t.Columns, "images to "+short(share))
	}
	for _, l := range learners(points) {
		var ends []float64
		last := l.seeds[0][len(l.seeds[0])-1]
		for _, curve := range l.seeds {
			ends = append(ends, curve[len(curve)-1].Score.Accuracy())
		}
		end := interval(last.Score)
		if mean, sd := stat.MeanStdDev(ends, nil); len(ends) > 1 {
			end = fmt.Sprintf("%s ± %s", short(mean), short(sd))
		}
		row := []any{l.preset, len(l.seeds), last.Images, end}
		for _, share := range learnedShares {
			var took []string
			for _, curve := range l.seeds {
				text := "never"
				if n := study.Reached(curve, share); n > 0 {
					text = fmt.Sprint(n)
				}
				took = append(took, text)
			}
			row = append(row, strings.Join(took, ", "))
		}
		t.Add(row...)
	}
	return t
}
