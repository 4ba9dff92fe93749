package activations

import (
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
)

// Pictures are what a model is shown: a set of stimuli ([FromSet]), or images of one's own
// (package pictures).
type Pictures interface {
	Len() int
	// Pixels returns pictures by their positions, [n, height, width, 3] bytes of the size that
	// the model takes. Write calls it from a goroutine of its own, one call at a time.
	Pixels(items []int) ([]uint8, error)
}

// FromSet returns images of a set, given by their indices (nil for all), as pictures.
func FromSet(set *stimuli.Set, images []int) Pictures { return setPictures{set, images} }

type setPictures struct {
	set    *stimuli.Set
	images []int // nil for all
}

func (s setPictures) Len() int {
	if s.images == nil {
		return s.set.Len()
	}
	return len(s.images)
}

func (s setPictures) Pixels(items []int) ([]uint8, error) {
	return s.set.Images(runner.Pick(s.images, items)), nil
}
