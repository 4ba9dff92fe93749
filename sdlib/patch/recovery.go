package patch

import (
	"fmt"

	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// A Recovery is how much of the source's answer values taken from it bring along, over the
// pairs that the model answers rightly on both sides, and differently.
type Recovery struct {
	Flipped finetune.Score `json:"flipped"` // images that are answered as their source is
	// Margin is the share of the way from the image's margin to its source's that the margin
	// goes: 0 nothing, 1 all of it. It is the ratio of the means over the pairs.
	Margin float64 `json:"margin"`
}

// Recovered compares the answers to images, to their sources, and to the images with values of
// the sources. It fails where no pair is answered rightly on both sides, and differently.
func Recovered(set *stimuli.Set, images []int, from *Sources, base, source, with Answers) (Recovery, error) {
	var r Recovery
	if len(base) != len(images) || len(source) != len(images) || len(with) != len(images) || len(from.Images) != len(images) {
		return r, fmt.Errorf("patch: %d, %d and %d answers to %d images: expected one each per image", len(base), len(source), len(with), len(images))
	}
	went, way := 0., 0.
	for i, image := range images {
		label, other := set.Stimulus(image).Label, from.Set.Stimulus(from.Images[i]).Label
		if base.Class(i) != label || source.Class(i) != other || label == other {
			continue
		}
		sign := float64(2*other - 1)
		went += sign * float64(with[i]-base[i])
		way += sign * float64(source[i]-base[i])
		count(&r.Flipped, with.Class(i) == other)
	}
	if r.Flipped.N == 0 {
		return r, fmt.Errorf("patch: of %d pairs of images none is answered rightly on both sides, and differently: train the model further, or take other pairs", len(images))
	}
	r.Margin = went / way // way > 0: the source's margin has the other sign
	return r, nil
}
