package patch

import (
	"fmt"
	"slices"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Group is some of an image's tokens: one of the constants, or a role of the set's
// objects such as "object 1", "sample 2", "display 1".
type Group string

const (
	CLS        Group = "CLS"        // all tokens in front of the patches, with registers and a distillation token
	Background Group = "background" // patches of no object
	Objects    Group = "objects"    // patches of objects
	SamplePair Group = "sample"     // patches of the sample pair; RMTS only
	Display    Group = "display"    // patches of the display pair; RMTS only
	AllTokens  Group = "all"

	// As seen from each object in turn; they stand in an Edge whose other end is Objects.
	Own     Group = "own"     // patches of the object itself
	Partner Group = "partner" // patches of the object it is compared with
	Others  Group = "others"  // patches of all other objects; in RMTS the other pair
)

// relative reports whether the group means other tokens for each object.
func (g Group) relative() bool { return g == Own || g == Partner || g == Others }

// tokens returns the group's tokens of an image, of 0..T-1 in ascending order. It fails for a
// group that the image lacks.
func (g Group) tokens(c vit.Config, s stimuli.Stimulus) ([]int, error) {
	var all []int
	object := func(o stimuli.Object) {
		for _, patch := range o.Tokens {
			all = append(all, c.Prefix()+patch)
		}
	}
	switch {
	case g == CLS:
		for t := range c.Prefix() {
			all = append(all, t)
		}
	case g == AllTokens:
		for t := range c.Tokens() {
			all = append(all, t)
		}
	case g == Background:
		covered := make([]bool, c.Tokens())
		for _, o := range s.Objects {
			for _, patch := range o.Tokens {
				covered[c.Prefix()+patch] = true
			}
		}
		for t := c.Prefix(); t < c.Tokens(); t++ {
			if !covered[t] {
				all = append(all, t)
			}
		}
	case g.relative():
		return nil, fmt.Errorf("patch: the group %q is seen from an object: it stands in an edge from or to %q", g, Objects)
	default:
		for _, o := range s.Objects {
			role := Group(o.Role)
			if g == Objects || g == role || (g == SamplePair && (o.Role == stimuli.Sample1 || o.Role == stimuli.Sample2)) ||
				(g == Display && (o.Role == stimuli.Display1 || o.Role == stimuli.Display2)) {
				object(o)
			}
		}
	}
	if len(all) == 0 {
		return nil, g.missing(s)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// seenFrom returns the tokens of a relative group as object i of an image sees it. A patch
// that objects share is own before partner's before others'. There may be none.
func (g Group) seenFrom(c vit.Config, s stimuli.Stimulus, i int) []int {
	place := map[int]Group{}
	mark := func(o stimuli.Object, as Group) {
		for _, patch := range o.Tokens {
			place[c.Prefix()+patch] = as
		}
	}
	for _, o := range s.Objects {
		mark(o, Others)
	}
	for _, p := range s.Pairs {
		switch i {
		case p.First:
			mark(s.Objects[p.Second], Partner)
		case p.Second:
			mark(s.Objects[p.First], Partner)
		}
	}
	mark(s.Objects[i], Own)
	var tokens []int
	for t, as := range place {
		if as == g {
			tokens = append(tokens, t)
		}
	}
	slices.Sort(tokens)
	return tokens
}

// missing is the error for a group that an image lacks.
func (g Group) missing(s stimuli.Stimulus) error {
	var roles []stimuli.Role
	for _, o := range s.Objects {
		roles = append(roles, o.Role)
	}
	return fmt.Errorf("patch: image %d has no tokens of the group %q: its objects are %q; groups are %q, %q, %q, %q, the role of an object, in RMTS %q and %q, and in edges %q, %q and %q",
		s.Index, g, roles, CLS, Background, Objects, AllTokens, SamplePair, Display, Own, Partner, Others)
}
