package paper

import (
	"errors"
	"fmt"
	"image/color"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
)

// Figure2 shows where a model's heads look (paper, Figure 2): on the left how global
// each head is, heads by blocks, 0 (blue) local to 1 (red) global; on the right
// the strongest head of each block for attention within the object, within the pair, to
// the background and between the pairs (RMTS), with stars at the peaks and 95 % intervals
// over the images as bands. In a model that works in
// two stages, attention within the object peaks before that within the pair.
func Figure2(s *attention.Scores, title string) (*figure.Figure, error) {
	if s == nil {
		return nil, errors.New("paper: Figure 2 was given no scores: expected those of attention.Analyze")
	}
	return HeadFigure(headPanel(title, s.All(), 0))
}

// PartFigure shows a model's heads on all images, on same and on different images, and in
// RMTS from the objects of the sample and of the display pair alone, one below the other.
func PartFigure(s *attention.Scores, title string, peakFrom int) (*figure.Figure, error) {
	if s == nil {
		return nil, errors.New("paper: a figure of heads was given no scores: expected those of attention.Analyze")
	}
	var panels []HeadPanel
	for _, p := range s.Parts() {
		panels = append(panels, headPanel(fmt.Sprintf("%s: %s (%d images)", title, p.Name, p.Images), p.Part, peakFrom))
	}
	return HeadFigure(panels...)
}

// A HeadPanel is one model in a [HeadFigure].
type HeadPanel struct {
	Title  string
	Scores attention.Measures // Scores.Measures, or Scores.Original for the released code's (D14)
	// Interval is drawn as bands about the lines; the zero value is none.
	Interval attention.Interval
	// PeakFrom leaves the blocks before it out when stars are given: 1 for DINOv2,
	// whose block 0 spikes (paper, Figure 15), else 0.
	PeakFrom int
}

// headPanel is a panel with intervals.
func headPanel(title string, p attention.Part, peakFrom int) HeadPanel {
	return HeadPanel{Title: title, Scores: p.Measures, Interval: p.Interval, PeakFrom: peakFrom}
}

// HeadFigure shows the heads of one or several models, one below the other (paper,
// Figures 2, 10, 11, 15 and 20).
func HeadFigure(panels ...HeadPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of heads was given no panels: expected the scores of one model or more")
	}
	var rows []*figure.Figure
	for _, p := range panels {
		rows = append(rows, p.figure())
	}
	f := figure.Grid{Figures: rows, Columns: 1, NoLetters: len(rows) < 2}.Figure()
	return checked(f)
}

// lineColors keep each measure's color, whether or not there is a line between pairs.
var lineColors = map[string]color.Color{
	"within object": figure.SeriesColor(0),
	"within pair":   figure.SeriesColor(1),
	"between pairs": figure.SeriesColor(2),
	"background":    figure.SeriesColor(6),
}

func (p HeadPanel) figure() *figure.Figure {
	heat := figure.HeatMap{
		Values: transpose(p.Scores.Local), Max: 1, Map: figure.Coolwarm(),
		Title: "Every head", XLabel: "block", YLabel: "head", BarLabel: "local → global",
	}
	lines := figure.Lines{
		Title: "Strongest head of each block", XLabel: "block", YLabel: "share of attention",
		YMax: 1,
	}
	for _, line := range (attention.Part{Measures: p.Scores, Interval: p.Interval}).Lines() {
		series := figure.Series{Name: line.Name, Values: line.Values, Lo: line.Low, Hi: line.High, Color: lineColors[line.Name]}
		if peak := line.Peak(p.PeakFrom); peak >= 0 {
			series.Stars = []int{peak}
		}
		lines.Series = append(lines.Series, series)
	}
	return figure.Grid{Title: p.Title, Figures: []*figure.Figure{heat.Figure(), lines.Figure()}, NoLetters: true}.Figure()
}

// transpose turns [L][H] into [H][L].
func transpose(m [][]float64) [][]float64 {
	var t [][]float64
	for _, row := range m {
		for h, v := range row {
			if h == len(t) {
				t = append(t, nil)
			}
			t[h] = append(t[h], v)
		}
	}
	return t
}
