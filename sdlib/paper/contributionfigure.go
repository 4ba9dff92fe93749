package paper

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"samediff/sdlib/attribution"
	"samediff/sdlib/figure"
)

// A ContributionPanel is one image, or the mean over several, in a [ContributionFigure].
type ContributionPanel struct {
	Title string
	attribution.Contribution
}

// ContributionFigure shows which parts wrote the answer ([attribution.Contributions]): the
// direct contribution of every head and every MLP to the logit of same minus that of
// different, red for same and blue for different. Panels share one scale.
func ContributionFigure(panels ...ContributionPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of contributions was given no panels: expected those of one image or more")
	}
	largest := 0.0
	for _, p := range panels {
		if len(p.Heads) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no contributions: expected those of attribution.Contributions", p.Title)
		}
		for l := range p.Heads {
			for _, v := range append([]float64{p.MLP[l]}, p.Heads[l]...) {
				largest = max(largest, math.Abs(v))
			}
		}
	}
	var figures []*figure.Figure
	for _, p := range panels {
		figures = append(figures, p.figure(largest))
	}
	return checked(figure.Grid{Figures: figures, NoLetters: true}.Figure())
}

func (p ContributionPanel) figure(largest float64) *figure.Figure {
	heat := figure.HeatMap{
		Values: append(transpose(p.Heads), p.MLP), Min: -largest, Max: largest, Map: figure.RdBu(),
		Title:  fmt.Sprintf("%s\nlogits differ by %s", p.Title, signed(p.Logit)),
		XLabel: "block", YLabel: "head", BarLabel: "different → same",
	}
	if len(p.Heads) <= 6 { // numbers fit
		heat.CellFormat = "%+.2f"
		heat.Width = 1.6 + .52*float64(len(p.Heads))
	}
	for h := range p.Heads[0] {
		heat.YTicks = append(heat.YTicks, strconv.Itoa(h))
	}
	heat.YTicks = append(heat.YTicks, "MLP")
	heat.Alt = fmt.Sprintf("%s. Heat map of %d heads and the MLP (rows) in %d blocks (columns): what each adds to the difference of the logits, %.2f. "+
		"Heads %.2f, MLPs %.2f, embeddings %.2f, biases %.2f.", p.Title, len(p.Heads[0]), len(p.Heads), p.Logit, p.HeadSum(), p.MLPSum(), p.Embed, p.Rest)
	return heat.Figure()
}

// signed writes a number with its sign, and a true minus.
func signed(v float64) string {
	if v < 0 {
		return fmt.Sprintf("−%.2f", -v)
	}
	return fmt.Sprintf("+%.2f", v)
}
