package stimuli

import "image"

// The purposes random numbers serve, each with streams of its own.
const (
	forPairs uint64 = iota + 1
	forPlaces
	forDisplay
	forJitter
	forNoise
	forLooks
	forOddOne
	forColorOrder
	forMissing
	forBase
	forCF
	forEdit
	forPool
	forRandomPatch
	forValues
)

// key names the streams of a set: two sets share random numbers only if all of these are equal. The geometry is left
// out, so that one seed shows the same pairs to models with different patches.
func (c Config) key() uint64 {
	s := newStream(c.Seed, textKey(string(c.Task)), textKey(string(c.Objects)), textKey(string(c.Split)))
	return s.next()
}

// plan decides everything about a set's stimuli except pixels.
func (c Config) plan() []Stimulus {
	if c.Task == RMTS {
		return c.planRMTS()
	}
	stimuli := c.planDiscrimination()
	if c.Faithful.MissingSame {
		stimuli = c.dropSame(stimuli)
	}
	return stimuli
}

// planDiscrimination follows section 2 and appendix A of the paper: every different pair brings a same pair, one of its
// objects twice at the same two places. Even stimuli are same, odd ones different, so that any even number of
// stimuli from the start is balanced. With more than two objects, all but one are equal in a different stimulus.
func (c Config) planDiscrimination() []Stimulus {
	items := c.items()
	key := c.key()
	pairs := newSampler(items, newStream(key, forPairs))
	count := orDefault(c.Factors.Count, 2)
	out := make([]Stimulus, 0, c.Size)
	for d := range c.Size / 2 {
		same, different := c.couples(pairs, d)
		at := c.places(count, newStream(key, forPlaces, uint64(d)))
		for _, drawn := range [2]couple{same, different} {
			i, pair := len(out), [2]item{items[drawn[0]], items[drawn[1]]}
			shown := c.oddOneOut(pair, count, newStream(key, forOddOne, uint64(i)))
			jitter, looks := newStream(key, forJitter, uint64(i)), newStream(key, forLooks, uint64(i))
			s := Stimulus{Index: i, Kind: kindOf(pair[0], pair[1]), Label: c.relation(pair[0], pair[1])}
			for o, it := range shown {
				s.Objects = append(s.Objects, c.object(objectRole(o), it, at[o], &jitter, &looks))
				for p := range o {
					s.Pairs = append(s.Pairs, Pair{p, o, c.relation(shown[p], it)})
				}
			}
			out = append(out, s)
		}
	}
	return out
}

// couples draws what a same stimulus and the different one after it show. Where one property alone is asked for, they
// cycle over the four ways in which the two properties can be equal.
func (c Config) couples(s *sampler, d int) (same, different couple) {
	asked := c.Factors.Relation
	if asked == "" {
		different = s.different()
	} else {
		different = s.draw([2]Kind{Both, differsIn(asked)}[d%2])
	}
	if asked != "" && d%4 >= 2 {
		return s.draw(differsIn(asked.other())), different
	}
	double := s.same(different)
	return couple{double, double}, different
}

// oddOneOut shows the first of a pair count-1 times and the second once, anywhere; two are shown as they are.
func (c Config) oddOneOut(pair [2]item, count int, random stream) []item {
	shown := make([]item, count)
	for i := range shown {
		shown[i] = pair[0]
	}
	odd := 1
	if count > 2 {
		odd = random.below(count)
	}
	shown[odd] = pair[1]
	return shown
}

// planRMTS follows appendix A: sample pairs as in discrimination, half of them with a display pair of the same
// relation. Stimuli cycle over the four cells (sample, display) = same-same, same-different, different-different,
// different-same, whose labels alternate. The display pair is any pair of the split but the sample pair.
func (c Config) planRMTS() []Stimulus {
	items := c.items()
	key := c.key()
	sampler := newSampler(items, newStream(key, forPairs))
	different, same := make([]couple, c.Size/2), make([]couple, c.Size/2)
	for d := range different {
		different[d] = sampler.different()
		double := sampler.same(different[d])
		same[d] = couple{double, double}
	}
	// At least two of each, even in the smallest set: the first two pairs of a sampler share no object.
	differentDisplays, sameDisplays := unique(different), unique(same)

	out := make([]Stimulus, 0, c.Size)
	for i := range c.Size {
		d, cell := i/4*2+i%2, i%4
		sample, displays := same[d], sameDisplays
		if cell >= 2 {
			sample = different[d]
		}
		if cell == 1 || cell == 2 {
			displays = differentDisplays
		}
		choose := newStream(key, forDisplay, uint64(i))
		display := displays[choose.below(len(displays))]
		for display.sorted() == sample.sorted() {
			display = displays[choose.below(len(displays))]
		}

		at := c.places(2, newStream(key, forPlaces, uint64(d)))
		jitter, looks := newStream(key, forJitter, uint64(i)), newStream(key, forLooks, uint64(i))
		s := Stimulus{Index: i, Kind: kindOf(items[sample[0]], items[sample[1]])}
		s.Objects = []Object{
			c.object(Sample1, items[sample[0]], at[0], &jitter, &looks),
			c.object(Sample2, items[sample[1]], at[1], &jitter, &looks),
			c.object(Display1, items[display[0]], place{0, 0}, &jitter, &looks),
			c.object(Display2, items[display[1]], place{c.Geometry.Cell, 0}, &jitter, &looks),
		}
		s.Pairs = []Pair{
			{0, 1, c.relation(items[sample[0]], items[sample[1]])},
			{2, 3, c.relation(items[display[0]], items[display[1]])},
		}
		s.Label = labelOf(s.Pairs)
		out = append(out, s)
	}
	return out
}

// relation is 1 for items that are the same, 0 for different ones.
func (c Config) relation(a, b item) int {
	same := a == b
	if asked := c.Factors.Relation; asked != "" {
		same = asked.of(a) == asked.of(b)
	}
	if same {
		return 1
	}
	return 0
}

// labelOf is the answer to the task: the relation of the only pair, or whether two pairs have the same relation. Of more
// pairs, as of three and more objects, all must be same.
func labelOf(pairs []Pair) int {
	if len(pairs) == 2 {
		if pairs[0].Label == pairs[1].Label {
			return 1
		}
		return 0
	}
	label := 1
	for _, pair := range pairs {
		label = min(label, pair.Label)
	}
	return label
}

// A couple is two items, by their indices.
type couple [2]int

// sorted is the couple whichever comes first.
func (c couple) sorted() couple { return couple{min(c[0], c[1]), max(c[0], c[1])} }

// unique lists the couples without repetition, in the order they first come.
func unique(couples []couple) []couple {
	seen := make(map[couple]bool, len(couples))
	var out []couple
	for _, c := range couples {
		if !seen[c.sorted()] {
			seen[c.sorted()] = true
			out = append(out, c)
		}
	}
	return out
}

// object puts an item into the cell at a place, with the next jitter of a stream and the looks of another.
func (c Config) object(role Role, it item, at place, jitter, looks *stream) Object {
	g, f := c.Geometry, c.Factors
	o := Object{
		Role: role, Shape: it.shape, Color: it.color,
		Turn: f.Turn.draw(looks, 0), Contrast: f.Contrast.draw(looks, 100), Texture: f.Texture,
	}
	if f.Texture == Mixed {
		o.Texture = [...]Texture{Plain, Stripes, Checks, Dots}[looks.below(4)]
	}

	size := f.Size.draw(looks, g.Object)
	o.DX, o.DY = jitter.below(g.Jitter+1), jitter.below(g.Jitter+1)
	if size != g.Object { // keep the center, then stay in the cell
		o.DX = min(max(o.DX+(g.Object-size)/2, 0), g.Cell-size)
		o.DY = min(max(o.DY+(g.Object-size)/2, 0), g.Cell-size)
	}
	x, y := at.x+o.DX, at.y+o.DY
	o.Box = image.Rect(x, y, x+size, y+size)

	covered := image.Rect(at.x, at.y, at.x+g.Cell, at.y+g.Cell)
	if f.OffGrid {
		covered = o.Box
	}
	o.Row, o.Col, o.Tokens = covered.Min.Y/g.Patch, covered.Min.X/g.Patch, g.Covered(covered)
	return o
}
