package paper

import (
	"errors"
	"fmt"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// ConfusionFigure shows which shapes and which colors a model takes for each other: for
// every two shapes the share of wrong answers on pairs that differ in shape alone, and
// for every two colors that on pairs that differ in color alone. Off the diagonal an
// error is a false "same", on it, where the objects are equal, a false "different".
// White is no error, or no such pair in the set.
func ConfusionFigure(title string, c finetune.Confusions) (*figure.Figure, error) {
	if len(c.Shapes) == 0 || len(c.Colors) == 0 {
		return nil, errors.New("paper: confusions of no pairs: they are known for sets of discrimination, with one pair of objects in an image")
	}
	scale := 0.0
	for _, x := range slices.Concat(c.Shapes, c.Colors) {
		scale = max(scale, share(x))
	}
	if scale == 0 {
		scale = 1 // no error at all
	}
	color := func(i int) string { return stimuli.Colors[i].Name }
	panels := []*figure.Figure{
		confusionMap("Pairs of shapes", c.Shapes, stimuli.ShapeName, scale),
		confusionMap("Pairs of colors", c.Colors, color, scale),
	}
	return checked(figure.Grid{Title: title, Figures: panels}.Figure())
}

func share(x finetune.Confusion) float64 { return float64(x.Errors) / float64(x.N) }

// confusionMap draws one attribute.
func confusionMap(title string, all []finetune.Confusion, name func(int) string, scale float64) *figure.Figure {
	var values []int // that occur
	for _, x := range all {
		values = append(values, x.First, x.Second)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	heat := figure.HeatMap{
		Title: title, Max: scale, Map: figure.Sequential(), BarLabel: "share of wrong answers",
		Values: make([][]float64, len(values)), Width: 4.3, Height: 3.7,
	}
	for i, v := range values {
		heat.Values[i] = make([]float64, len(values))
		heat.XTicks = append(heat.XTicks, name(v))
	}
	heat.YTicks = heat.XTicks
	var different, same finetune.Score
	worst := all[0]
	for _, x := range all {
		i, _ := slices.BinarySearch(values, x.First)
		j, _ := slices.BinarySearch(values, x.Second)
		heat.Values[i][j], heat.Values[j][i] = share(x), share(x)
		if share(x) > share(worst) {
			worst = x
		}
		to := &different
		if i == j {
			to = &same
		}
		to.N += x.N
		to.Correct += x.N - x.Errors
	}
	heat.Alt = fmt.Sprintf("%s. Heat map of %d by %d values.", title, len(values), len(values))
	for _, kind := range []struct {
		name  string
		score finetune.Score
	}{{"differ", different}, {"are equal", same}} {
		if n := kind.score.N; n > 0 {
			heat.Alt += fmt.Sprintf(" Of %d pairs that %s %d are wrong.", n, kind.name, n-kind.score.Correct)
		}
	}
	heat.Alt += fmt.Sprintf(" Most often wrong are %s and %s, %d of %d.", name(worst.First), name(worst.Second), worst.Errors, worst.N)
	return heat.Figure()
}
