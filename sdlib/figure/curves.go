package figure

import (
	"errors"
	"math"
	"slices"
)

// Curves shows how training went: loss on the left, accuracy on the right, both
// over epochs, in one figure with one legend. Loss is drawn from 0 on and accuracy up to
// 1, so that a curve that hardly moves looks so.
type Curves struct {
	// Epochs holds the positions; nil for 1, 2, 3...
	Epochs []float64
	// Loss and Accuracy hold one series per set or model, one value per epoch.
	// Accuracy is a share from 0 to 1. Either may be empty, not both. Series of
	// one name have one color in both panels.
	Loss, Accuracy []Series
	// Chance draws a reference line in the accuracy panel; 0 for none.
	Chance float64

	Title         string
	Width, Height float64 // inches of the whole; 0 for 6.6 and 2.6
	Alt           string
}

// Figure returns both panels as one figure.
func (t Curves) Figure() *Figure {
	const kind = "curves"
	if len(t.Loss)+len(t.Accuracy) == 0 {
		return failed(kind, errors.New("no series: Loss and Accuracy are both empty"))
	}
	epochs := t.Epochs
	if epochs == nil {
		for i := range slices.Concat(t.Loss, t.Accuracy)[0].Values {
			epochs = append(epochs, float64(i+1))
		}
	}
	// Color and marker go with the name, not with the position in one panel.
	order := map[string]int{}
	place := func(series []Series) []Series {
		out := make([]Series, len(series))
		for i, s := range series {
			if _, seen := order[s.Name]; !seen {
				order[s.Name] = len(order)
			}
			if s.Color == nil {
				s.Color = SeriesColor(order[s.Name])
			}
			out[i] = s
		}
		return out
	}
	panels := []Lines{
		{X: epochs, Series: place(t.Loss), YLabel: "loss", XLabel: "epoch"},
		{X: epochs, Series: place(t.Accuracy), YLabel: "accuracy", XLabel: "epoch"},
	}
	if t.Chance != 0 {
		panels[1].Guides = []Guide{{t.Chance, "chance"}}
	}
	if low, high := rangeOf(t.Loss); low >= 0 && high > 0 {
		panels[0].YMax = high
	}
	if low, high := rangeOf(t.Accuracy); low >= 0 && high <= 1 {
		if t.Chance > 0 && t.Chance < 1 {
			low = min(low, t.Chance)
		}
		if panels[1].YMin, panels[1].YMax = low, 1; low == 1 {
			panels[1].YMin = 0
		}
	}
	if len(t.Loss) == 0 {
		panels = panels[1:]
	} else if len(t.Accuracy) == 0 {
		panels = panels[:1]
	}

	// Two panels that share their names need one legend. It stands at the right
	// end, and its panel is wider by as much.
	width, height := orSize(t.Width, 3.3*float64(len(panels))), orSize(t.Height, 2.6)
	shares := []float64{1}
	if len(panels) == 2 {
		shares = []float64{0.5, 0.5}
		if covers(panels[1].Series, panels[0].Series) {
			panels[0].NoLegend = true
			shares = []float64{0.42, 0.58}
		}
	}
	var figures []*Figure
	for i, p := range panels {
		p.Width, p.Height = width*shares[i], height
		figures = append(figures, p.Figure())
	}
	f := Grid{Figures: figures, Title: t.Title, NoLetters: true}.Figure()
	if t.Alt != "" {
		f = f.WithAlt(t.Alt)
	}
	return f
}

// rangeOf returns the smallest and the largest value of all series, bands included;
// NaN where there is none, or where a value is NaN.
func rangeOf(series []Series) (low, high float64) {
	low, high = math.NaN(), math.NaN()
	for i, s := range series {
		for k, v := range slices.Concat(s.Values, s.Lo, s.Hi) {
			if i == 0 && k == 0 {
				low, high = v, v
			}
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high
}

// covers reports whether every named series of b also stands in a.
func covers(a, b []Series) bool {
	names := map[string]bool{}
	for _, s := range a {
		names[s.Name] = true
	}
	for _, s := range b {
		if !names[s.Name] {
			return false
		}
	}
	return true
}
