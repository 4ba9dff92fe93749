package paper

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/patch"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// A RecoveryPanel is what interchanges of one site in a model bring along ([study.Lab.Interchange]).
type RecoveryPanel struct {
	Title string
	study.Recovering
}

// RecoveryFigure shows where the answer is: the share of the way from an image's margin to
// its source's that values taken from the source bring about, for groups of tokens (rows) at
// points of the residual stream or in blocks (columns), or for heads by blocks; 1 (red) is all
// of the way. Beside it stand the changes of the margin that a gradient estimates (across) and
// the exact ones (up), a dot for each cell, with their correlation.
func RecoveryFigure(c vit.Config, panels ...RecoveryPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of interchanges was given no panels: expected those of one site or more")
	}
	var rows []*figure.Figure
	for _, p := range panels {
		if len(p.Cells) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no interchanges: expected those of Lab.Interchange", p.Title)
		}
		rows = append(rows, p.heat(c), p.estimates())
	}
	return checked(figure.Grid{Figures: rows, Columns: 2, NoLetters: true}.Figure())
}

var siteNames = map[patch.Site]string{
	patch.Stream: "Residual stream", patch.Attention: "What attention adds", patch.MLP: "What the MLP adds", patch.HeadSite: "Single heads",
}

// heat draws the shares recovered.
func (p RecoveryPanel) heat(c vit.Config) *figure.Figure {
	h := figure.HeatMap{Map: figure.RdBu(), Title: p.Title + "\n" + siteNames[p.Site], XLabel: "block", BarLabel: "margin recovered", Min: -1, Max: 1}
	best, at := math.Inf(-1), ""
	for g, cells := range p.Cells {
		row := make([]float64, len(cells))
		for k, r := range cells {
			if row[k] = math.Round(100*r.Margin)/100 + 0; r.Margin > best { // as written in the cell, no negative zero
				best, at = r.Margin, fmt.Sprintf("%s at %s", p.Groups[g], p.Site.Name(c, k))
			}
		}
		h.Values, h.YTicks = append(h.Values, row), append(h.YTicks, string(p.Groups[g]))
	}
	switch p.Site {
	case patch.HeadSite: // of all tokens: heads by blocks, on a scale of their own
		blocks := make([][]float64, c.Blocks)
		h.Max = .01
		for k, r := range p.Cells[0] {
			blocks[k/c.Heads] = append(blocks[k/c.Heads], r.Margin)
			h.Max = max(h.Max, math.Abs(r.Margin))
		}
		h.Values, h.YTicks, h.YLabel, h.Min = transpose(blocks), nil, "head", -h.Max
	case patch.Stream:
		h.XLabel, h.CellFormat = "blocks passed", "%.2f"
	default:
		h.CellFormat = "%.2f"
	}
	if p.Site != patch.HeadSite {
		h.Width, h.Height = 2.6+.36*float64(len(h.Values[0])), 1.3+.26*float64(len(h.Values))
	}
	r := p.Cells[0][0]
	h.Alt = fmt.Sprintf("%s, %s. Heat map: share of the margin that values of the source bring along, over %d pairs of images. The most, %.2f, comes with %s.",
		p.Title, siteNames[p.Site], r.Flipped.N, best, at)
	return h.Figure()
}

// estimates draws the exact changes against those that a gradient estimates.
func (p RecoveryPanel) estimates() *figure.Figure {
	plot := figure.Scatter{
		Title: "Estimated by a gradient", XLabel: "estimated change of the margin", YLabel: "exact change",
		Groups: []figure.Points{{X: slices.Concat(p.Estimates...), Y: slices.Concat(p.Changes...)}},
	}
	_, err := plot.Fit()
	plot.NoFit = err != nil
	return plot.Figure()
}
