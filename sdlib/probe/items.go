package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"samediff/sdlib/stimuli"
)

// A Target is what a probe is asked.
type Target string

// The targets.
const (
	// Relation asks of a pair whether its objects are the same: of both pairs in RMTS, of the
	// only one in discrimination (the paper's probe, section 5).
	Relation Target = "relation"
	// Shape and Color ask which of the 16 (with the held-out ones 20) an object has.
	Shape Target = "shape"
	Color Target = "color"
	// SameObject asks of two tokens whether they belong to one object. A linear probe reads two
	// vectors one after the other and cannot compare them: it succeeds where each token by itself
	// says something of the other, as after attention within objects.
	SameObject Target = "same-object"
)

// Targets lists them.
var Targets = []Target{Relation, Shape, Color, SameObject}

// An Item is one question: some tokens of an image, whose vectors one after the other are what
// the probe reads, and the right answer.
type Item struct {
	Image int   // position among the images whose activations were kept
	Slots []int // of the image's O·P tokens, object by object
	Class int   // the answer, 0..C-1; of relations 1 is same and 0 different

	Pair string       // "sample", "display", or "pair" in discrimination; "" for an object
	Kind stimuli.Kind // how the objects of the item differ; of an object or of tokens ""
	// Shapes and Colors are those of the objects that the item is about.
	Shapes, Colors []int
}

// Items are the questions of a target.
type Items struct {
	Target  Target
	Classes int // C
	Slots   int // tokens of an item
	All     []Item
}

// NewItems returns the questions of a target about the images of a set, given by their
// indices. pairs, where it is not "", keeps those of one pair of RMTS: "sample" or
// "display". For [SameObject] there are two of each image, one of each answer, drawn by seed.
func NewItems(set *stimuli.Set, images []int, target Target, pairs string, seed uint64) (Items, error) {
	P := set.TokensPerObject()
	s := Items{Target: target}
	switch target {
	case Relation:
		s.Classes, s.Slots = 2, 2*P
	case Shape:
		s.Classes, s.Slots = stimuli.BaseShapes, P
	case Color:
		s.Classes, s.Slots = stimuli.BaseColors, P
	case SameObject:
		s.Classes, s.Slots = 2, 2
		if P < 2 {
			return s, fmt.Errorf("probe: an object has a single token here, so that no two tokens belong to one object: take a model with smaller patches, such as those of the geometry course")
		}
	default:
		return s, fmt.Errorf("probe: unknown target %q: expected one of %s", target, join(Targets))
	}
	if pairs != "" && target != Relation {
		return s, fmt.Errorf("probe: %q names a pair, and %s is not asked of pairs: leave it away", pairs, target)
	}
	rng := rand.New(rand.NewPCG(seed, 0x706b35))
	for row, image := range images {
		stimulus := set.Stimulus(image)
		switch target {
		case Relation:
			for _, p := range stimulus.Pairs {
				if i := relation(stimulus, p, row, P); pairs == "" || i.Pair == pairs {
					s.All = append(s.All, i)
				}
			}
		case SameObject:
			s.All = append(s.All, tokens(stimulus, row, P, rng)...)
		default:
			for o, object := range stimulus.Objects {
				i := Item{Image: row, Slots: slots(o, P), Class: object.Shape, Shapes: []int{object.Shape}, Colors: []int{object.Color}}
				if target == Color {
					i.Class = object.Color
				}
				if i.Class < 0 {
					return s, fmt.Errorf("probe: object %d of image %d has no known %s", o, image, target)
				}
				s.All = append(s.All, i)
			}
		}
	}
	if len(s.All) == 0 {
		if pairs != "" {
			return s, fmt.Errorf("probe: no image has a pair %q: expected \"sample\" or \"display\" in RMTS and none in discrimination, the set is of task %q", pairs, set.Config().Task)
		}
		return s, fmt.Errorf("probe: none of the %d images has what the target %s is asked of", len(images), target)
	}
	for _, i := range s.All { // 20 where held-out shapes or colors occur
		if i.Class >= s.Classes {
			s.Classes = stimuli.NumShapes
		}
	}
	return s, nil
}

// relation is the question about a pair.
func relation(s stimuli.Stimulus, p stimuli.Pair, row, P int) Item {
	a, b := s.Objects[p.First], s.Objects[p.Second]
	i := Item{Image: row, Slots: append(slots(p.First, P), slots(p.Second, P)...), Class: p.Label, Pair: PairName(s, p),
		Shapes: []int{a.Shape, b.Shape}, Colors: []int{a.Color, b.Color}}
	switch {
	case p.Label == 1:
		i.Kind = stimuli.Same
	case a.Color == b.Color:
		i.Kind = stimuli.ShapeOnly
	case a.Shape == b.Shape:
		i.Kind = stimuli.ColorOnly
	default:
		i.Kind = stimuli.Both
	}
	return i
}

// PairName names a pair of a stimulus: "sample" and "display" in RMTS, else "pair".
func PairName(s stimuli.Stimulus, p stimuli.Pair) string {
	switch s.Objects[p.First].Role {
	case stimuli.Sample1, stimuli.Sample2:
		return "sample"
	case stimuli.Display1, stimuli.Display2:
		return "display"
	}
	return "pair"
}

// tokens draws two tokens of one object, and two of different ones.
func tokens(s stimuli.Stimulus, row, P int, rng *rand.Rand) []Item {
	var large []int // objects of two tokens or more
	for o := range s.Objects {
		if len(s.Objects[o].Tokens) > 1 {
			large = append(large, o)
		}
	}
	if len(large) == 0 || len(s.Objects) < 2 {
		return nil
	}
	one := large[rng.IntN(len(large))]
	first := rng.IntN(len(s.Objects[one].Tokens))
	second := (first + 1 + rng.IntN(len(s.Objects[one].Tokens)-1)) % len(s.Objects[one].Tokens)
	other := (one + 1 + rng.IntN(len(s.Objects)-1)) % len(s.Objects)
	if len(s.Objects[other].Tokens) == 0 {
		return nil
	}
	there := rng.IntN(len(s.Objects[other].Tokens))
	a, b := s.Objects[one], s.Objects[other]
	return []Item{
		{Image: row, Slots: []int{one*P + first, one*P + second}, Class: 1, Shapes: []int{a.Shape}, Colors: []int{a.Color}},
		{Image: row, Slots: []int{one*P + first, other*P + there}, Class: 0, Shapes: []int{a.Shape, b.Shape}, Colors: []int{a.Color, b.Color}},
	}
}

// slots are the places of an object's tokens among those kept of its image.
func slots(object, P int) []int {
	all := make([]int, P)
	for p := range all {
		all[p] = object*P + p
	}
	return all
}

// Answers returns the right answer of every item.
func (s Items) Answers() []int {
	all := make([]int, len(s.All))
	for i, item := range s.All {
		all[i] = item.Class
	}
	return all
}

// Shuffled returns the items with their answers permuted among them.
func (s Items) Shuffled(seed uint64) Items {
	s.All = slices.Clone(s.All)
	rand.New(rand.NewPCG(seed, 0x5f0ff1e)).Shuffle(len(s.All), func(i, j int) {
		s.All[i].Class, s.All[j].Class = s.All[j].Class, s.All[i].Class
	})
	return s
}

func join[T ~string](names []T) string {
	var all []string
	for _, name := range names {
		all = append(all, string(name))
	}
	return strings.Join(all, ", ")
}
