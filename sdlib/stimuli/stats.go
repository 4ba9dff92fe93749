package stimuli

import (
	"fmt"
	"slices"
	"strings"
)

// Stats count what is in a set. Pairs are those of discrimination's images and RMTS's sample pairs.
type Stats struct {
	Stimuli   int `json:"stimuli"`
	Same      int `json:"same"`      // by label
	Different int `json:"different"` // by label

	Kinds []Count `json:"kinds"` // how pairs differ
	Cells []Count `json:"cells"` // RMTS: "same, different" is a same sample pair with a different display pair

	Objects        int    `json:"objects"`         // shape-color combinations that occur in pairs
	ObjectUses     [2]int `json:"object_uses"`     // fewest and most different pairs with one combination
	DifferentPairs int    `json:"different_pairs"` // pairs that occur, whichever object comes first
	PairUses       [2]int `json:"pair_uses"`       // fewest and most times that one of them occurs
}

// A Count is a name and how often it occurs.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Stats counts what is in the set. Objects without a known shape and color are left out.
func (s *Set) Stats() Stats {
	out := Stats{Stimuli: s.Len()}
	relations := [2]string{"different", "same"}
	kinds, cells := map[string]int{}, map[string]int{}
	uses, pairs := map[item]int{}, map[[2]item]int{}
	for _, stimulus := range s.plan() {
		out.Same += stimulus.Label
		if len(stimulus.Pairs) == 2 {
			cells[relations[stimulus.Pairs[0].Label]+", "+relations[stimulus.Pairs[1].Label]]++
		}
		if len(stimulus.Pairs) == 0 {
			continue
		}
		pair := stimulus.Pairs[0]
		for _, p := range stimulus.Pairs {
			if len(stimulus.Pairs) > 2 && p.Label == 0 { // more than two objects: the pair that differs
				pair = p
				break
			}
		}
		a, b := itemOf(stimulus.Objects[pair.First]), itemOf(stimulus.Objects[pair.Second])
		if min(a.shape, a.color, b.shape, b.color) < 0 {
			continue
		}
		kinds[string(kindOf(a, b))]++
		if a != b {
			uses[a]++
			uses[b]++
			pairs[ordered(a, b)]++
		} else if _, seen := uses[a]; !seen {
			uses[a] = 0
		}
	}
	out.Different = out.Stimuli - out.Same
	out.Kinds, out.Cells = counts(kinds), counts(cells)
	out.Objects, out.ObjectUses = len(uses), extremes(uses)
	out.DifferentPairs, out.PairUses = len(pairs), extremes(pairs)
	return out
}

// ordered is a pair of items whichever comes first.
func ordered(a, b item) [2]item {
	if a.color > b.color || a.color == b.color && a.shape > b.shape {
		a, b = b, a
	}
	return [2]item{a, b}
}

// counts lists a map by name.
func counts(of map[string]int) []Count {
	out := []Count{}
	for name, count := range of {
		out = append(out, Count{name, count})
	}
	slices.SortFunc(out, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// extremes are the smallest and the largest count.
func extremes[K comparable](of map[K]int) [2]int {
	var out [2]int
	first := true
	for _, count := range of {
		if first {
			out, first = [2]int{count, count}, false
		}
		out = [2]int{min(out[0], count), max(out[1], count)}
	}
	return out
}

// String is the counts in a few lines of text.
func (s Stats) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d stimuli: %d same, %d different\n", s.Stimuli, s.Same, s.Different)
	for _, list := range []struct {
		what   string
		counts []Count
	}{{"pairs", s.Kinds}, {"sample, display", s.Cells}} {
		if len(list.counts) == 0 {
			continue
		}
		var parts []string
		for _, c := range list.counts {
			parts = append(parts, fmt.Sprintf("%s %d", c.Name, c.Count))
		}
		fmt.Fprintf(&out, "%s: %s\n", list.what, strings.Join(parts, "; "))
	}
	if s.Objects > 0 {
		fmt.Fprintf(&out, "%d objects, each in %d to %d different pairs\n", s.Objects, s.ObjectUses[0], s.ObjectUses[1])
		fmt.Fprintf(&out, "%d different pairs, each %s\n", s.DifferentPairs, times(s.PairUses[0], s.PairUses[1]))
	}
	return out.String()
}

// times says how often a thing comes.
func times(least, most int) string {
	switch {
	case most == 1:
		return "once"
	case least == most:
		return fmt.Sprintf("%d times", most)
	}
	return fmt.Sprintf("%d to %d times", least, most)
}
