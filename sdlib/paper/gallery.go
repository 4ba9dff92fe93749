package paper

import (
	"fmt"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// Gallery shows the first n stimuli of a set with their answers: what a model trained or
// tested on it is given. Small images are shown small, eight in a row at 64 pixels.
func Gallery(title string, set *stimuli.Set, n int) (*figure.Figure, error) {
	if n < 1 || n > set.Len() {
		return nil, fmt.Errorf("paper: a gallery of %d stimuli: expected 1 to %d, as many as the set has", n, set.Len())
	}
	const small = 100 // pixels; larger images are reduced by the grid
	grid := figure.ImageGrid{Title: title}
	if set.Geometry().Image <= small {
		grid.Scale = 1
	}
	for i := range n {
		grid.Images = append(grid.Images, set.Image(i))
		grid.Captions = append(grid.Captions, answer(set.Stimulus(i).Label))
	}
	return checked(grid.Figure())
}
