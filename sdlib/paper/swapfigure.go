package paper

import (
	"cmp"
	"fmt"
	"slices"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
)

// SwapFigure shows what an intervention does to one token (paper, Figure 3a), from the states [D] of
// the edited object and of the source: their coordinates along the rotation's directions, those
// that are swapped first, and below what the edited token becomes. Directions are ordered by how
// far they change; of those that are swapped and of those that stay, 64 at most are shown.
func SwapFigure(v *das.Intervention, edited, source []float32) (*figure.Figure, error) {
	D := v.Config.Width
	if len(edited) != D || len(source) != D {
		return nil, fmt.Errorf("paper: states of %d and %d numbers, expected %d of one token each", len(edited), len(source), D)
	}
	b, c, swapped := v.Coordinates(edited)[0], v.Coordinates(source)[0], v.Swapped()
	order := make([]int, D)
	for j := range order {
		order[j] = j
	}
	change := func(j int) float32 { return max(c[j]-b[j], b[j]-c[j]) }
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(swapped[j], swapped[i]), cmp.Compare(change(j), change(i)))
	})
	order = append(first(order[:v.Dims()]), first(order[v.Dims():])...)
	values, largest := make([][]float64, 3), 0.
	for _, j := range order {
		after := b[j]
		if swapped[j] == 1 {
			after = c[j]
		}
		for row, x := range []float32{b[j], c[j], after} {
			values[row] = append(values[row], float64(x))
			largest = max(largest, float64(x), -float64(x))
		}
	}
	return checked(figure.HeatMap{
		Values: values, Min: -largest, Max: largest, Map: figure.RdBu(),
		Title:  fmt.Sprintf("%s after block %d: %d of %d directions are swapped", v.Property(), v.Block, v.Dims(), D),
		XLabel: "direction, those that are swapped first" + of(len(order), D), YTicks: []string{"edited", "source", "edited after"},
		BarLabel: "coordinate", Width: 6.5, Height: 1.7,
	}.Figure())
}

// columnsShown is how many directions a heat map shows of a kind. Many more would be narrower than a pixel.
const columnsShown = 64

// first are the first of an order, as many as are shown.
func first(order []int) []int { return slices.Clone(order[:min(len(order), columnsShown)]) }

// of says how many are shown, where that is not all.
func of(shown, all int) string {
	if shown == all {
		return ""
	}
	return fmt.Sprintf(" (%d of %d)", shown, all)
}
