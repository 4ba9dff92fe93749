package paper

import (
	"errors"
	"strconv"

	"samediff/sdlib/figure"
)

// A SimilarityPanel is a comparison of two models in a [SimilarityFigure].
type SimilarityPanel struct {
	Title         string
	Rows, Columns string      // names of the models
	Values        [][]float64 // of similarity.Compare
	Embedding     bool        // the first row and column are the embedding and not block 0
}

// SimilarityFigure shows how alike the representations of two models are, block by block.
func SimilarityFigure(panels ...SimilarityPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of similarity was given no panels: expected comparisons of similarity.Compare")
	}
	var all []*figure.Figure
	for _, p := range panels {
		heat := figure.HeatMap{Values: p.Values, Max: 1, Map: figure.Sequential(), Title: p.Title, XLabel: p.Columns, YLabel: p.Rows, BarLabel: "similarity"}
		ticks := func(n int) (names []string) {
			for i := range n {
				switch {
				case !p.Embedding:
					names = append(names, strconv.Itoa(i))
				case i == 0:
					names = append(names, "E")
				default:
					names = append(names, strconv.Itoa(i-1))
				}
			}
			return names
		}
		for _, row := range p.Values {
			heat.XTicks = ticks(len(row))
			for _, v := range row {
				heat.Min = min(heat.Min, v) // debiased measures can be below 0
			}
		}
		heat.YTicks = ticks(len(p.Values))
		all = append(all, heat.Figure())
	}
	return checked(figure.Grid{Figures: all, NoLetters: len(all) < 2}.Figure())
}
