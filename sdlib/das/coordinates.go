package das

import "fmt"

// Name says what the intervention is, as the name of a folder: "block02-color", with the method
// where it is no search, the control where it is one, and the seed where it is not 1.
func (v *Intervention) Name() string {
	name := fmt.Sprintf("block%02d-%s", v.Block, v.Property())
	if v.Method != Trained {
		name += "-" + v.Method.String()
	}
	if !v.Method.Learned() {
		return name
	}
	if v.Control != NoControl {
		name += "-" + v.Control.String()
	}
	if v.Seed != 1 {
		name += fmt.Sprintf("-seed%d", v.Seed)
	}
	return name
}

// Coordinates returns states [K, D], row-major, along the directions of the rotation: xR, K vectors of
// length D. An intervention replaces those of them where [Intervention.Swapped] is 1.
func (v *Intervention) Coordinates(states []float32) [][]float32 {
	D := v.Config.Width
	var all [][]float32
	for len(states) >= D {
		x := make([]float32, D)
		for i, b := range states[:D] {
			for j, r := range v.Rotation[i*D : (i+1)*D] {
				x[j] += b * r
			}
		}
		all, states = append(all, x), states[D:]
	}
	return all
}

// Rest returns the intervention that swaps what this one leaves, and leaves what it swaps. Swapping
// the rest ought to do what swapping the property does not.
func (v *Intervention) Rest() *Intervention {
	rest := *v
	rest.Mask = make([]float32, len(v.Mask))
	for i, s := range v.Swapped() {
		rest.Mask[i] = 1 - 2*s
	}
	return &rest
}
