package probe

import (
	"fmt"
	"math/rand/v2"

	"samediff/sdlib/stimuli"
)

// HeldOut says what a probe does not see while it is trained, and is tested on: a probe that
// reads an abstract *same* stays accurate with shapes or colors that are new to it, one that
// knows each shape's own *same* does not.
type HeldOut string

// What can be held out.
const (
	Nothing    HeldOut = ""
	HalfShapes HeldOut = "shape"       // half of the shapes
	HalfColors HeldOut = "color"       // half of the colors
	HalfBoth   HeldOut = "shape-color" // half of each
)

// HeldOuts lists them.
var HeldOuts = []HeldOut{Nothing, HalfShapes, HalfColors, HalfBoth}

// Part returns the items all of whose objects have shapes (colors) of one half: those that are
// held out, or those that are seen. The halves are drawn by seed, from all that the paper trains
// on. Of the answers to a question of two classes equally many are kept, so that chance is one half.
func (s Items) Part(h HeldOut, held bool, seed uint64) (Items, error) {
	switch {
	case h == Nothing:
		return s, nil
	case h != HalfShapes && h != HalfColors && h != HalfBoth:
		return s, fmt.Errorf("probe: %q can't be held out: expected one of %s", h, join(HeldOuts[1:]))
	case s.Target == Shape && h != HalfColors, s.Target == Color && h != HalfShapes:
		return s, fmt.Errorf("probe: %s is held out, and the target is %s: a probe cannot name what it never saw", h, s.Target)
	}
	half := func(n int, stream uint64) map[int]bool {
		in := map[int]bool{}
		for i, id := range rand.New(rand.NewPCG(seed, stream)).Perm(n) {
			in[id] = (i < n/2) == held
		}
		return in
	}
	shapes, colors := half(stimuli.BaseShapes, 1), half(stimuli.BaseColors, 2)
	fits := func(i Item) bool {
		for k := range i.Shapes {
			if h != HalfColors && !shapes[i.Shapes[k]] || h != HalfShapes && !colors[i.Colors[k]] {
				return false
			}
		}
		return true
	}
	part := s
	part.All = nil
	count := make([]int, s.Classes)
	for _, i := range s.All {
		if fits(i) {
			part.All = append(part.All, i)
			count[i.Class]++
		}
	}
	if len(part.All) == 0 {
		return s, fmt.Errorf("probe: no item of %d has all its objects in one half of the %ss: take a larger set, of shapes and colors that are trained on", len(s.All), h)
	}
	if s.Classes == 2 {
		part.All = balanced(part.All, min(count[0], count[1]))
	}
	return part, nil
}

// balanced keeps the first n items of each of two classes.
func balanced(all []Item, n int) []Item {
	var kept []Item
	var have [2]int
	for _, i := range all {
		if have[i.Class] < n {
			kept = append(kept, i)
			have[i.Class]++
		}
	}
	return kept
}
