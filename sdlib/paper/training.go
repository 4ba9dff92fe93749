package paper

import (
	"errors"
	"image/color"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
)

// TrainingCurve shows how a training went: the losses on the left; on the right the
// accuracy of the answers on training and validation images and, dashed, that of the
// probes of the auxiliary losses, where they were used; and below, where the pipeline
// loss was used, what share of attention goes where the loss wants it.
//
// The history is that of a training that has ended (study.Model.History) or, after any
// epoch, of one that runs (study.Options.OnEpoch).
func TrainingCurve(history []finetune.Epoch) (*figure.Figure, error) {
	if len(history) == 0 {
		return nil, errors.New("paper: a training curve of no epochs: the history is empty, as for a model that was read from files")
	}
	var epochs []float64
	for _, e := range history {
		epochs = append(epochs, float64(e.Epoch))
	}
	// measured leaves out what no epoch has measured: 0, or -1 for a missing validation set.
	measured := func(dashed bool, all ...curve) (series []figure.Series) {
		for _, c := range all {
			s := figure.Series{Name: c.name, Color: trainingColors[c.name], Dashed: dashed, NoMark: len(history) > 1}
			for _, e := range history {
				s.Values = append(s.Values, c.of(e))
			}
			if slices.Max(s.Values) > 0 {
				series = append(series, s)
			}
		}
		return series
	}
	curves := figure.Curves{
		Title: "Training", Epochs: epochs, Chance: .5, Width: 7.6,
		Loss: measured(false,
			curve{"task loss", func(e finetune.Epoch) float64 { return e.Task }},
			curve{"auxiliary loss", func(e finetune.Epoch) float64 { return e.Aux }}),
		Accuracy: append(
			measured(false,
				curve{"training", func(e finetune.Epoch) float64 { return e.Train }},
				curve{"validation", func(e finetune.Epoch) float64 { return e.Val }}),
			measured(true,
				curve{"shape probe", func(e finetune.Epoch) float64 { return e.Shape }},
				curve{"color probe", func(e finetune.Epoch) float64 { return e.Color }},
				curve{"identity probe", func(e finetune.Epoch) float64 { return e.Identity }},
				curve{"relation probe", func(e finetune.Epoch) float64 { return e.Relation }})...),
	}.Figure()
	scores := measured(false,
		curve{"within object", func(e finetune.Epoch) float64 { return e.WithinObject }},
		curve{"within pair", func(e finetune.Epoch) float64 { return e.WithinPair }},
		curve{"between pairs", func(e finetune.Epoch) float64 { return e.BetweenPairs }})
	if scores == nil {
		return checked(curves)
	}
	attention := figure.Lines{
		Title: "Attention where the pipeline loss wants it", X: epochs, Series: scores,
		XLabel: "epoch", YLabel: "score", YMax: 1, Width: 4.4,
	}.Figure()
	return checked(figure.Grid{Figures: []*figure.Figure{curves, attention}, Columns: 1, NoLetters: true}.Figure())
}

// trainingColors give each quantity one color in all training curves, whatever else they show.
var trainingColors = map[string]color.Color{
	"task loss":      figure.SeriesColor(0),
	"auxiliary loss": figure.SeriesColor(1),
	"training":       figure.SeriesColor(2),
	"validation":     figure.SeriesColor(3),
	"shape probe":    figure.SeriesColor(4),
	"color probe":    figure.SeriesColor(5),
	"identity probe": figure.SeriesColor(4), // in place of the two above
	"relation probe": figure.SeriesColor(6),
	"within object":  lineColors["within object"], // those of Figure 2
	"within pair":    lineColors["within pair"],
	"between pairs":  lineColors["between pairs"],
}

// A curve is one quantity of a training.
type curve struct {
	name string
	of   func(finetune.Epoch) float64
}
