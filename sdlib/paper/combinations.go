package paper

import (
	"fmt"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// CombinationFigure shows how often each combination of shape and color occurs among the
// objects of a set, as a heat map of shapes x colors; white is never. The compositional
// training set shows 32 of 256, its test set the other 224 (paper, section 2).
func CombinationFigure(title string, set *stimuli.Set) (*figure.Figure, error) {
	uses := figure.HeatMap{
		Title: title, BarLabel: "objects", Map: figure.Sequential(), Width: 5.2, Height: 3.8,
		Values: make([][]float64, stimuli.NumShapes),
	}
	for shape := range uses.Values {
		uses.Values[shape] = make([]float64, stimuli.NumColors)
		uses.YTicks = append(uses.YTicks, stimuli.ShapeName(shape))
	}
	for _, c := range stimuli.Colors {
		uses.XTicks = append(uses.XTicks, c.Name)
	}
	found := 0
	shapes, colors := set.Attributes()
	for i, shape := range shapes {
		if shape < 0 || colors[i] < 0 {
			continue // one's own images need not name them
		}
		n := &uses.Values[shape][colors[i]]
		if *n == 0 {
			found++
		}
		*n++
		uses.Max = max(uses.Max, *n)
	}
	if found == 0 {
		return nil, fmt.Errorf("paper: the set's %d objects have neither shape nor color ids, so there are no combinations to show", len(shapes))
	}
	uses.Alt = fmt.Sprintf("%s. Heat map of %d shapes by %d colors; %d combinations occur, each up to %g times.",
		title, stimuli.NumShapes, stimuli.NumColors, found, uses.Max)
	return checked(uses.Figure())
}
