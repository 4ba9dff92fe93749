package attention

import (
	"fmt"

	"samediff/sdlib/stimuli"
)

// The places a token can have, as seen from one object. They exclude each other.
const (
	cls        = iota // CLS, or another token in front of the patches
	own               // a patch of the object itself
	partner           // a patch of an object it is compared with
	others            // a patch of any other object: in RMTS the other pair
	background        // a patch of no object
	places            // their number
)

// nowhere fills the rows of objects that an image doesn't have.
const nowhere = -1

// pairs is the number of pairs the scores look at: the only one of discrimination, or
// the sample and the display pair of RMTS.
const pairs = 2

// regions writes the place of every token as seen from each object of a stimulus into
// places [O, T], and which objects belong to its first and second pair into
// members [pairs, O] as 0 or 1.
// tokens is T, prefix the number of tokens in front of the patches.
func regions(s stimuli.Stimulus, places []int32, members []float32, tokens, prefix int) error {
	if len(s.Pairs) == 0 {
		return fmt.Errorf("attention: image %d has no pair of objects: head scores ask where an object looks, and which one it is compared with", s.Index)
	}
	clear(members)
	O := len(members) / pairs
	for i, p := range s.Pairs[:min(pairs, len(s.Pairs))] {
		members[i*O+p.First], members[i*O+p.Second] = 1, 1
	}
	for i := range places {
		places[i] = nowhere
	}
	for i, o := range s.Objects {
		if len(o.Tokens) == 0 {
			return fmt.Errorf("attention: object %d (%s) of image %d covers no patch: expected at least one", i, o.Role, s.Index)
		}
		row := places[i*tokens : (i+1)*tokens]
		for t := range row {
			row[t] = background
		}
		for t := range prefix {
			row[t] = cls
		}
		// Later marks win: a patch that objects share is own before partner's before others'.
		mark := func(o stimuli.Object, place int32) {
			for _, t := range o.Tokens {
				row[prefix+t] = place // patches count from 0
			}
		}
		for _, other := range s.Objects {
			mark(other, others)
		}
		for _, p := range s.Pairs {
			switch i {
			case p.First:
				mark(s.Objects[p.Second], partner)
			case p.Second:
				mark(s.Objects[p.First], partner)
			}
		}
		mark(o, own)
	}
	return nil
}
