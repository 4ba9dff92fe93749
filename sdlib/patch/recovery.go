package patch

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

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
	// Low and High bound the 95 % interval of Margin over the pairs, by the standard error of a
	// ratio of means (Cochran 1977, section 6.4); both are Margin itself for a single pair.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Recovered compares the answers to images, to their sources, and to the images with values of
// the sources. It fails where no pair is answered rightly on both sides, and differently.
func Recovered(set *stimuli.Set, images []int, from *Sources, base, source, with Answers) (Recovery, error) {
	var r Recovery
	if len(base) != len(images) || len(source) != len(images) || len(with) != len(images) || len(from.Images) != len(images) {
		return r, fmt.Errorf("patch: %d, %d and %d answers to %d images: expected one each per image", len(base), len(source), len(with), len(images))
	}
	var went, way []float64 // of each pair
	for i, image := range images {
		label, other := set.Stimulus(image).Label, from.Set.Stimulus(from.Images[i]).Label
		if base.Class(i) != label || source.Class(i) != other || label == other {
			continue
		}
		sign := float64(2*other - 1)
		went = append(went, sign*float64(with[i]-base[i]))
		way = append(way, sign*float64(source[i]-base[i]))
		count(&r.Flipped, with.Class(i) == other)
	}
	if r.Flipped.N == 0 {
		return r, fmt.Errorf("patch: of %d pairs of images none is answered rightly on both sides, and differently: train the model further, or take other pairs", len(images))
	}
	r.Margin, r.Low, r.High = ratio(went, way)
	return r, nil
}

// ratio returns R = Σ yᵢ / Σ xᵢ, of x whose mean is not 0, and its 95 % interval R ± 1.96 s, where
//
//	s² = Σ (yᵢ - R xᵢ)² / (n (n-1) x̄²)
func ratio(y, x []float64) (r, low, high float64) {
	n := float64(len(x))
	mean := floats.Sum(x) / n // > 0 here: the source's margin has the other sign
	r = floats.Sum(y) / n / mean
	if len(x) < 2 {
		return r, r, r
	}
	squares := 0.
	for i := range x {
		squares += (y[i] - r*x[i]) * (y[i] - r*x[i])
	}
	s := math.Sqrt(squares/(n*(n-1))) / math.Abs(mean)
	return r, r - 1.959963984540054*s, r + 1.959963984540054*s
}
