package patch

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"samediff/sdlib/attention"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Choice names a measure of package attention by which heads are chosen.
type Choice string

const (
	Local   Choice = "local"         // least attention away from the object
	Pair    Choice = "within pair"   // most attention to the object it is compared with
	Between Choice = "between pairs" // most attention to the other pair; RMTS only
)

// Top returns the k heads that stand out by a measure, the strongest first.
func Top(s *attention.Scores, by Choice, k int) ([]vit.Head, error) {
	if s == nil {
		return nil, fmt.Errorf("patch: no scores to choose heads by: expected those of attention.Analyze")
	}
	var order []vit.Head
	switch by {
	case Local:
		order = attention.Highest(s.Local)
		slices.Reverse(order)
	case Pair:
		order = attention.Highest(s.Pair)
	case Between:
		if s.Between == nil {
			return nil, fmt.Errorf("patch: heads chosen by attention between pairs, but the scores are of %s, whose images have one pair", s.Task)
		}
		order = attention.Highest(s.Between)
	default:
		return nil, fmt.Errorf("patch: heads chosen by %q, expected %q, %q or %q", by, Local, Pair, Between)
	}
	if k < 1 || k > len(order) {
		return nil, fmt.Errorf("patch: the %d strongest heads asked for, expected 1 to %d, all of the model", k, len(order))
	}
	return order[:k], nil
}

// Choices returns the measures that heads have on images of a task.
func Choices(task stimuli.Task) []Choice {
	if task == stimuli.RMTS {
		return []Choice{Local, Pair, Between}
	}
	return []Choice{Local, Pair}
}

// Random draws, as a control for chosen heads, as many heads of the same blocks, in blocks
// and heads ascending. They are drawn among the block's heads that were not chosen; where
// those are too few, as in a block of which every head was chosen, chosen ones fill the draw.
func Random(c vit.Config, chosen []vit.Head, seed uint64) ([]vit.Head, error) {
	if _, err := c.HeadMask(chosen...); err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	rng := rand.New(rand.NewPCG(seed, 0x4ead))
	var drawn []vit.Head
	for l := range c.Blocks {
		want := 0
		var first, last []int // heads that were not chosen, and heads that were
		for _, h := range rng.Perm(c.Heads) {
			if slices.Contains(chosen, vit.Head{Block: l, Head: h}) {
				want++
				last = append(last, h)
			} else {
				first = append(first, h)
			}
		}
		heads := append(first, last...)[:want]
		slices.Sort(heads)
		for _, h := range heads {
			drawn = append(drawn, vit.Head{Block: l, Head: h})
		}
	}
	return drawn, nil
}
