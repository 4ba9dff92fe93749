package paper

import (
	"errors"
	"math"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// taskTitles name the tasks above a panel.
var taskTitles = map[stimuli.Task]string{
	stimuli.Discrimination: "Discrimination",
	stimuli.RMTS:           "Relational match-to-sample",
}

// LossFigure shows what auxiliary losses teach models trained from scratch (the paper's
// Tables 1, 7, 8) run by run: a panel for each task, a dot for every seed and set, their
// means as bars. Losses come in the order of the results.
func LossFigure(results []study.AblationResult) (*figure.Figure, error) {
	if len(results) == 0 {
		return nil, errors.New("paper: a figure of losses was given no results: expected those of study.ReadAblation or Lab.Ablate")
	}
	runs := groupRuns(results)
	low := .5
	for _, r := range results {
		low = min(low, r.Score.Accuracy())
	}
	var panels []*figure.Figure
	for _, e := range runs.experiments() {
		d := figure.Dots{
			Title: taskTitles[e.task], YLabel: "accuracy", XLabel: "auxiliary losses",
			Guides: []figure.Guide{{Value: .5, Name: "chance"}},
			YMin:   math.Floor(20*low-.2) / 20, YMax: 1, // a multiple of .05 with room below; the same in all panels
			Width: lossInches,
		}
		if e.scale == study.PaperScale {
			d.Title += ", the paper's scale"
		}
		for _, set := range runs.sets {
			d.Groups = append(d.Groups, figure.DotGroup{Name: set})
		}
		for _, row := range runs.rows {
			if row.experiment != e {
				continue
			}
			d.Categories = append(d.Categories, spaced(row.losses))
			for i, set := range runs.sets {
				d.Groups[i].Values = append(d.Groups[i].Values, runs.accuracies(row, set))
			}
		}
		panels = append(panels, d.Figure())
	}
	return checked(figure.Grid{Figures: panels, Columns: 1, NoLetters: true}.Figure())
}

const lossInches = 7.6
