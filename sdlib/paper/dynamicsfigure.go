package paper

import (
	"errors"
	"fmt"
	"image/color"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

// moving is how many heads [DynamicsFigure] follows.
const moving = 5

// DynamicsFigure shows how a model's heads come to look where they look during training
// ([study.Lab.Dynamics]). Above, for each kind of attention, the strongest head of each block, a
// line for each step, from light to dark. Below, the accuracy on the same images; how far each
// head's measure ("pair", see [attention.MeasureNames]) moved from the first step to the last
// one; and the heads that moved the farthest, step by step. Bands are 95 % intervals.
func DynamicsFigure(d study.Dynamics, title, measure string) (*figure.Figure, error) {
	if len(d) < 2 {
		return nil, fmt.Errorf("paper: a figure of training dynamics was given %d steps, expected 2 or more", len(d))
	}
	changes, err := d.Changes(measure)
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	var lines []*figure.Figure
	for i, line := range d[0].Answer.Scores.Lines() {
		lines = append(lines, overBlocks(d, i, "Attention "+strings.Replace(line.Name, "background", "to the background", 1), i == len(d[0].Answer.Scores.Lines())-1))
	}
	below := []*figure.Figure{accuracyDuring(d), movedHeads(d, changes, measure), followed(d, changes[:min(moving, len(changes))], measure)}
	return checked(figure.Grid{Title: title, Columns: 1, NoLetters: true, Figures: []*figure.Figure{
		figure.Grid{Figures: lines, NoLetters: true}.Figure(), figure.Grid{Figures: below, NoLetters: true}.Figure()}}.Figure())
}

// stepColor runs from light to dark over the steps.
func stepColor(i, n int) color.Color {
	c, err := figure.Sequential().At(.25 + .75*float64(i)/float64(max(1, n-1)))
	if err != nil {
		return color.Black
	}
	return c
}

// overBlocks draws one of the lines of Figure 2 at every step.
func overBlocks(d study.Dynamics, i int, name string, legend bool) *figure.Figure {
	plot := figure.Lines{Title: name, XLabel: "block", YLabel: "strongest head", YMax: 1, NoLegend: !legend, Width: 2.5, Height: 2.2}
	if legend {
		plot.Width = 3.5
	}
	for k, m := range d {
		line := m.Answer.Scores.Lines()[i]
		series := figure.Series{Name: fmt.Sprintf("step %d", m.Step), Values: line.Values, Color: stepColor(k, len(d)), NoMark: true}
		if k == len(d)-1 {
			series.Lo, series.Hi, series.Star = line.Low, line.High, true
		}
		plot.Series = append(plot.Series, series)
	}
	return plot.Figure()
}

// accuracyDuring draws the accuracy over the steps.
func accuracyDuring(d study.Dynamics) *figure.Figure {
	plot := figure.Lines{Title: "Answers", XLabel: "step", YLabel: fmt.Sprintf("accuracy on %d images", d[0].Answer.Right.N), YMax: 1, NoLegend: true, Width: 2.5, Height: 2.2,
		Guides: []figure.Guide{{Value: .5, Name: "chance"}}}
	var s figure.Series
	for _, m := range d {
		low, high := m.Answer.Right.Interval()
		plot.X = append(plot.X, float64(m.Step))
		s.Values, s.Lo, s.Hi = append(s.Values, m.Answer.Right.Accuracy()), append(s.Lo, low), append(s.Hi, high)
	}
	plot.Series = []figure.Series{s}
	return plot.Figure()
}

// measureTitles are what figures call the measures of heads.
var measureTitles = map[string]string{"local": "local → global", "within": "within object", "pair": "within pair", "background": "to the background", "between": "between pairs"}

// movedHeads draws how far every head's measure moved.
func movedHeads(d study.Dynamics, changes []study.HeadChange, measure string) *figure.Figure {
	scores := d[0].Answer.Scores
	rows := make([][]float64, len(scores.Local[0])) // [H][L]
	for h := range rows {
		rows[h] = make([]float64, len(scores.Local))
	}
	for _, c := range changes {
		rows[c.Head.Head][c.Head.Block] = c.Moved()
	}
	most := max(.01, changes[0].Moved(), -changes[0].Moved())
	return figure.HeatMap{Values: rows, Min: -most, Max: most, Map: figure.RdBu(), Title: "Change " + measureTitles[measure],
		XLabel: "block", YLabel: "head", BarLabel: fmt.Sprintf("step %d less step %d", d[len(d)-1].Step, d[0].Step)}.Figure()
}

// followed draws a measure of some heads over the steps.
func followed(d study.Dynamics, changes []study.HeadChange, measure string) *figure.Figure {
	plot := figure.Lines{Title: "Heads that moved the farthest", XLabel: "step", YLabel: measureTitles[measure], YMax: 1, Width: 3.9, Height: 2.2}
	for _, m := range d {
		plot.X = append(plot.X, float64(m.Step))
	}
	for _, c := range changes {
		plot.Series = append(plot.Series, figure.Series{Name: c.Head.String(), Values: c.Values, Lo: c.Low, Hi: c.High})
	}
	return plot.Figure()
}

// DynamicsTable has a line for each step of a training: the accuracy, and where each kind of attention is strongest.
func DynamicsTable(d study.Dynamics) (figure.Table, error) {
	if len(d) == 0 {
		return figure.Table{}, errors.New("paper: a table of training dynamics was given no steps: expected those of Lab.Dynamics")
	}
	t := figure.Table{Columns: []string{"step", "accuracy", "95 % interval"}}
	for _, line := range d[0].Answer.Scores.Lines() {
		t.Columns = append(t.Columns, line.Name+" peaks in", "at")
	}
	for _, m := range d {
		low, high := m.Answer.Right.Interval()
		cells := []any{m.Step, m.Answer.Right.Accuracy(), fmt.Sprintf("%.3f–%.3f", low, high)}
		for _, line := range m.Answer.Scores.Lines() {
			peak := line.Peak(0)
			cells = append(cells, attention.Head{Block: peak, Head: line.Heads[peak]}, line.Values[peak])
		}
		t.Add(cells...)
	}
	return t, nil
}

// MovedTable lists the heads whose measure moved the farthest, with the values at the first and the last step.
func MovedTable(d study.Dynamics, measure string, count int) (figure.Table, error) {
	changes, err := d.Changes(measure)
	if err != nil {
		return figure.Table{}, err
	}
	t := figure.Table{Columns: []string{"moved the farthest", "measure", "change", fmt.Sprintf("at step %d", d[0].Step), "95 % interval", fmt.Sprintf("at step %d", d[len(d)-1].Step), "95 % interval"}}
	for _, c := range changes[:min(count, len(changes))] {
		last := len(c.Values) - 1
		interval := func(i int) string { return fmt.Sprintf("%.3f–%.3f", c.Low[i], c.High[i]) }
		t.Add(c.Head, measure, fmt.Sprintf("%+.3f", c.Moved()), c.Values[0], interval(0), c.Values[last], interval(last))
	}
	return t, nil
}
