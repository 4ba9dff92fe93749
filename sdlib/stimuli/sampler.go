package stimuli

import "slices"

// An item is a shape in a color.
type item struct{ shape, color int }

// ranges are the shapes and the colors of a set: first id and the one after the last.
func (c Config) ranges() (shapes, colors [2]int) {
	shapes, colors = [2]int{0, BaseShapes}, [2]int{0, BaseColors}
	if c.Objects == OODShape || c.Objects == OODShapeColor {
		shapes = [2]int{BaseShapes, NumShapes}
	}
	if c.Objects == OODColor || c.Objects == OODShapeColor {
		colors = [2]int{BaseColors, NumColors}
	}
	return shapes, colors
}

// items lists the objects of a set and split, colors first (paper, section 2 and appendix A).
func (c Config) items() []item {
	shapes, colors := c.ranges()
	ranks := c.colorRanks()
	var out []item
	for color := colors[0]; color < colors[1]; color++ {
		for shape := shapes[0]; shape < shapes[1]; shape++ {
			// Color c trains on shapes c+14 and c+15 (mod 16); the other 14 are for the compositional test.
			trained := (shape-ranks[color]-14+2*BaseShapes)%BaseShapes < 2
			if c.Objects == Compositional32 && trained == (c.Split == Test) {
				continue
			}
			out = append(out, item{shape, color})
		}
	}
	return out
}

// kindCycle is the order in which a sampler hands out kinds, so that each is a third of the different pairs.
var kindCycle = [3]Kind{Both, ShapeOnly, ColorOnly}

// A sampler chooses pairs of items. It cycles over the kinds of difference; within a kind no pair comes again while
// another has not come as often, and among those the least used items come first, ties broken at random. Hence each
// item is used equally often, up to one or two times, which the original achieves for first members only.
// Its first n pairs do not depend on how many are drawn after them.
type sampler struct {
	random   stream
	items    []item
	used     []int         // how often each item is in a pair so far
	times    []int         // how often each pair has come: [items, items], symmetric
	kinds    [3]kindSupply // by position in kindCycle
	sameUsed []int         // how often each item was doubled by same
	drawn    int           // different pairs so far
}

// kindSupply is the stock of pairs of one kind.
type kindSupply struct {
	partners [][]int // for each item, the items that make a pair of this kind with it
	left     []int   // for each item, how many of those pairs have come only `round` times
	pairs    int     // how many of all pairs have come only `round` times
	round    int
}

func newSampler(items []item, random stream) *sampler {
	n := len(items)
	s := &sampler{random: random, items: items, used: make([]int, n), times: make([]int, n*n), sameUsed: make([]int, n)}
	for k, kind := range kindCycle {
		supply := &s.kinds[k]
		supply.partners, supply.left = make([][]int, n), make([]int, n)
		for a := range items {
			for b := range items {
				if kindOf(items[a], items[b]) == kind {
					supply.partners[a] = append(supply.partners[a], b)
				}
			}
		}
		supply.refill()
	}
	return s
}

// refill makes every pair of the kind available once more.
func (k *kindSupply) refill() {
	k.pairs = 0
	for a, partners := range k.partners {
		k.left[a] = len(partners)
		k.pairs += len(partners)
	}
	k.pairs /= 2
}

// different draws the next pair of unequal items.
func (s *sampler) different() couple {
	kind := kindCycle[s.drawn%len(kindCycle)]
	s.drawn++
	return s.draw(kind)
}

// draw draws the next pair of a kind of unequal items.
func (s *sampler) draw(kind Kind) couple {
	supply := &s.kinds[slices.Index(kindCycle[:], kind)]
	if supply.pairs == 0 {
		supply.round++
		supply.refill()
	}

	n := len(s.items)
	first := s.leastUsed(n, func(i int) (int, bool) { return i, supply.left[i] > 0 })
	partners := supply.partners[first]
	second := s.leastUsed(len(partners), func(i int) (int, bool) {
		return partners[i], s.times[first*n+partners[i]] == supply.round
	})

	supply.pairs--
	for _, ends := range [2][2]int{{first, second}, {second, first}} {
		s.used[ends[0]]++
		supply.left[ends[0]]--
		s.times[ends[0]*n+ends[1]]++
	}
	if s.random.below(2) == 1 {
		return couple{second, first}
	}
	return couple{first, second}
}

// leastUsed picks, among the admissible of n candidates, one of those in the fewest pairs so far, uniformly.
func (s *sampler) leastUsed(n int, candidate func(i int) (item int, admissible bool)) int {
	best, ties := -1, 0
	for i := range n {
		a, ok := candidate(i)
		switch {
		case !ok || best >= 0 && s.used[a] > s.used[best]:
		case best < 0 || s.used[a] < s.used[best]:
			best, ties = a, 1
		default:
			if ties++; s.random.below(ties) == 0 {
				best = a
			}
		}
	}
	return best
}

// same chooses which of two items is doubled for the same pair that goes with a different pair: the one doubled less
// often so far, or either.
func (s *sampler) same(different couple) int {
	a, b := different[0], different[1]
	if s.sameUsed[b] < s.sameUsed[a] || s.sameUsed[b] == s.sameUsed[a] && s.random.below(2) == 1 {
		a = b
	}
	s.sameUsed[a]++
	return a
}
