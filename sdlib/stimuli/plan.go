package stimuli

import (
	"fmt"
	"image"
)

// The purposes random numbers serve, each with streams of its own.
const (
	forPairs uint64 = iota + 1
	forPlaces
	forDisplay
	forJitter
	forNoise
)

// key names the streams of a set: two sets share random numbers only if all of these are equal. The geometry is left
// out, so that one seed shows the same pairs to models with different patches.
func (c Config) key() uint64 {
	s := newStream(c.Seed, textKey(string(c.Task)), textKey(string(c.Objects)), textKey(string(c.Split)))
	return s.next()
}

// plan decides everything about a set's stimuli except pixels.
func (c Config) plan() ([]Stimulus, error) {
	if c.Task == RMTS {
		return c.planRMTS()
	}
	return c.planDiscrimination(), nil
}

// planDiscrimination follows section 2 and appendix A of the paper: every different pair brings a same pair, one of its
// objects twice at the same two places. Even stimuli are same, odd ones different, so that any even number of
// stimuli from the start is balanced.
func (c Config) planDiscrimination() []Stimulus {
	items := c.items()
	key := c.key()
	pairs := newSampler(items, newStream(key, forPairs))
	out := make([]Stimulus, 0, c.Size)
	for d := range c.Size / 2 {
		first, second := pairs.different()
		double := pairs.same(first, second)
		at := c.places(newStream(key, forPlaces, uint64(d)))
		for _, members := range [2][2]item{{items[double], items[double]}, {items[first], items[second]}} {
			s := Stimulus{Index: len(out), Kind: kindOf(members[0], members[1])}
			jitter := newStream(key, forJitter, uint64(s.Index))
			s.Objects = []Object{
				c.object(Object1, members[0], at[0], &jitter),
				c.object(Object2, members[1], at[1], &jitter),
			}
			s.Label = relation(members[0], members[1])
			s.Pairs = []Pair{{0, 1, s.Label}}
			out = append(out, s)
		}
	}
	return out
}

// planRMTS follows appendix A: sample pairs as in discrimination, half of them with a display pair of the same
// relation. Stimuli cycle over the four cells (sample, display) = same-same, same-different, different-different,
// different-same, whose labels alternate. The display pair is any pair of the split but the sample pair.
func (c Config) planRMTS() ([]Stimulus, error) {
	items := c.items()
	key := c.key()
	sampler := newSampler(items, newStream(key, forPairs))
	type couple = [2]int
	different := make([]couple, c.Size/2)
	same := make([]couple, c.Size/2)
	for d := range different {
		first, second := sampler.different()
		double := sampler.same(first, second)
		different[d], same[d] = couple{first, second}, couple{double, double}
	}
	differentDisplays, sameDisplays := unique(different), unique(same)
	if len(differentDisplays) < 2 || len(sameDisplays) < 2 {
		return nil, fmt.Errorf("stimuli: %d RMTS stimuli from %d objects give too few pairs to show a display pair other than the sample pair: ask for more stimuli",
			c.Size, len(items))
	}

	k := c.Geometry.CellPatches()
	out := make([]Stimulus, 0, c.Size)
	for i := range c.Size {
		d := i / 4 * 2
		var sample couple
		displays := sameDisplays
		switch i % 4 {
		case 0:
			sample = same[d]
		case 1:
			sample, displays, d = same[d+1], differentDisplays, d+1
		case 2:
			sample, displays = different[d], differentDisplays
		case 3:
			sample, d = different[d+1], d+1
		}
		choose := newStream(key, forDisplay, uint64(i))
		display := displays[choose.below(len(displays))]
		for unordered(display) == unordered(sample) {
			display = displays[choose.below(len(displays))]
		}

		at := c.places(newStream(key, forPlaces, uint64(d)))
		jitter := newStream(key, forJitter, uint64(i))
		s := Stimulus{Index: i, Kind: kindOf(items[sample[0]], items[sample[1]])}
		s.Objects = []Object{
			c.object(Sample1, items[sample[0]], at[0], &jitter),
			c.object(Sample2, items[sample[1]], at[1], &jitter),
			c.object(Display1, items[display[0]], corner{0, 0}, &jitter),
			c.object(Display2, items[display[1]], corner{0, k}, &jitter),
		}
		s.Pairs = []Pair{
			{0, 1, relation(items[sample[0]], items[sample[1]])},
			{2, 3, relation(items[display[0]], items[display[1]])},
		}
		if s.Pairs[0].Label == s.Pairs[1].Label {
			s.Label = 1
		}
		out = append(out, s)
	}
	return out, nil
}

// relation is 1 for equal items, 0 for different ones.
func relation(a, b item) int {
	if a == b {
		return 1
	}
	return 0
}

// unique lists the couples without repetition, in the order they first come.
func unique(couples [][2]int) [][2]int {
	seen := make(map[[2]int]bool, len(couples))
	var out [][2]int
	for _, couple := range couples {
		if u := unordered(couple); !seen[u] {
			seen[u] = true
			out = append(out, couple)
		}
	}
	return out
}

func unordered(couple [2]int) [2]int {
	if couple[0] > couple[1] {
		couple[0], couple[1] = couple[1], couple[0]
	}
	return couple
}

// A corner is the patch at the top left of a cell.
type corner struct{ row, col int }

// places draws two disjoint cells, uniformly among all such pairs; in RMTS, off the display pair's cells.
func (c Config) places(random stream) [2]corner {
	n, k := c.Geometry.Corners(), c.Geometry.CellPatches()
	for {
		var at [2]corner
		ok := true
		for i := range at {
			at[i] = corner{random.below(n), random.below(n)}
			ok = ok && (c.Task != RMTS || at[i].row >= k || at[i].col >= 2*k)
		}
		if ok && (abs(at[0].row-at[1].row) >= k || abs(at[0].col-at[1].col) >= k) {
			return at
		}
	}
}

func abs(v int) int { return max(v, -v) }

// object puts an item into a cell, with the next jitter of the stream.
func (c Config) object(role Role, it item, at corner, jitter *stream) Object {
	g := c.Geometry
	dx, dy := jitter.below(g.Jitter+1), jitter.below(g.Jitter+1)
	x, y := at.col*g.Patch+dx, at.row*g.Patch+dy
	return Object{
		Role: role, Shape: it.shape, Color: it.color,
		Row: at.row, Col: at.col, DX: dx, DY: dy,
		Box:    image.Rect(x, y, x+g.Object, y+g.Object),
		Tokens: g.tokens(at.row, at.col),
	}
}
