package das

import (
	"fmt"
	"slices"
)

// A Control is a search that ought to fail, or the search itself: what the search reaches
// beyond its controls is what it has found. [HeldOut] alone ought to succeed.
type Control string

const (
	// NoControl searches for the property.
	NoControl Control = ""
	// WrongObject takes the source's state from the other object of the counterfactual image,
	// in training and in tests (paper, section 4 and Figure 24).
	WrongObject Control = "wrong-object"
	// RandomPatch takes it from patches of the counterfactual image that no object touches.
	RandomPatch Control = "random-patch"
	// RandomRotation learns the mask alone; the rotation stays at its random start.
	RandomRotation Control = "random-rotation"
	// ShuffledLabels learns from targets that are dealt out at random among the pairs.
	ShuffledLabels Control = "shuffled-labels"
	// RandomWeights searches in a model of the same configuration whose weights are random: what
	// a search can reach by the freedom of its rotation alone. It is the caller who gives
	// another model; the search itself is that of NoControl.
	RandomWeights Control = "random-weights"
	// HeldOut learns from pairs that show 12 of the property's 16 values, and is tested on pairs of the
	// other 4. It ought to succeed: a subspace that holds the property holds values, too, that it
	// was not learned from. A search that has learned by heart fails.
	HeldOut Control = "held-out"
)

// Controls are the controls, after the search itself.
var Controls = []Control{NoControl, WrongObject, RandomPatch, RandomRotation, ShuffledLabels, RandomWeights, HeldOut}

// ParseControl returns the control of a name; "none" is NoControl.
func ParseControl(name string) (Control, error) {
	return named("control", name, Controls)
}

// String is the control's name, "none" for the search itself.
func (c Control) String() string {
	if c == NoControl {
		return "none"
	}
	return string(c)
}

func (c Control) check() error {
	if !slices.Contains(Controls, c) {
		_, err := ParseControl(string(c))
		return fmt.Errorf("das: %w", err)
	}
	return nil
}

// The places of the counterfactual image whose states are kept, as they stand in [Streams.Sources].
const (
	sourceObject = iota
	otherObject
	randomPatches
	sources // how many
)

// source is where the control reads.
func (c Control) source() int {
	switch c {
	case WrongObject:
		return otherObject
	case RandomPatch:
		return randomPatches
	}
	return sourceObject
}
