package stimuli

import "math"

// Faithful turns on what the paper's released code does differently from what is right, to reproduce its numbers. All are
// off by default. The other disagreements between paper and code are plain values:
//
//   - object size and jitter, D1: Geometry.Object and Jitter (24 and 8 of 32 pixels in the code and by default; an older
//     version 28 and 4);
//   - noise, D2: Config.NoiseSD (10 in the code and by default, √10 by the text);
//   - clipping, D3: Config.Clip (250 in the code and by default, 255 by the text).
type Faithful struct {
	// MissingSame leaves out same stimuli as the original did, D4: where a different pair came more than once, some of
	// the same images that went with it were overwritten or never written. The numbers follow the original's logs (of
	// 3,200: 3,063 in the 32 set, 3,148 OOD shape, 3,134 OOD color, 3,010 OOD shape-color, in proportion for other
	// sizes); which ones are missing is chosen at random among the repeated. So labels are not balanced: always
	// answering "same" scores 49.2 % and not 50. Discrimination only.
	MissingSame bool `json:"missing_same,omitempty"`
	// ColorOrder draws the order in which colors get their two shapes of the compositional set from the seed, D5: the
	// original took the iteration order of a Python set, another in every run.
	ColorOrder bool `json:"color_order,omitempty"`
	// EditObject1 makes the edited object of every counterfactual the first one of its pair, D15. Otherwise it is
	// either with equal probability, as the paper says.
	EditObject1 bool `json:"edit_object_1,omitempty"`
	// SourceOutlines draws counterfactual images with silhouettes resized from 32 pixels whatever the cell, D16. With
	// cells of 28 pixels (B14) their outlines then differ a little from those the models were trained on.
	SourceOutlines bool `json:"source_outlines,omitempty"`
}

// OriginalCode is what the paper's released code does.
var OriginalCode = Faithful{MissingSame: true, ColorOrder: true, EditObject1: true, SourceOutlines: true}

// colorRanks gives each color its place in the compositional rule: its id, or a random place that depends on the seed
// alone, so that all splits agree.
func (c Config) colorRanks() [NumColors]int {
	var ranks [NumColors]int
	for color := range ranks {
		ranks[color] = color
	}
	if c.Faithful.ColorOrder {
		random := newStream(c.Seed, forColorOrder)
		shuffle(&random, ranks[:BaseColors])
	}
	return ranks
}

// dropSame leaves out same stimuli of repeated pairs, so many that as large a share remains as in the original's logs.
func (c Config) dropSame(stimuli []Stimulus) []Stimulus {
	kept := 3200
	switch {
	case c.Objects == Compositional32 && c.Split != Test:
		kept = 3063
	case c.Objects == OODShape:
		kept = 3148
	case c.Objects == OODColor:
		kept = 3134
	case c.Objects == OODShapeColor:
		kept = 3010
	}
	missing := int(math.Round(float64(len(stimuli)/2*(3200-kept)) / 3200))

	times := map[[2]item]int{}
	pairOf := func(s Stimulus) [2]item { return ordered(itemOf(s.Objects[0]), itemOf(s.Objects[1])) }
	for d := 1; d < len(stimuli); d += 2 {
		times[pairOf(stimuli[d])]++
	}
	var repeated []int // the same stimuli, each just before its different one, whose pair comes again
	for d := 1; d < len(stimuli); d += 2 {
		if times[pairOf(stimuli[d])] > 1 {
			repeated = append(repeated, d-1)
		}
	}
	random := newStream(c.key(), forMissing)
	shuffle(&random, repeated)
	drop := map[int]bool{}
	for _, i := range repeated[:min(missing, len(repeated))] {
		drop[i] = true
	}
	var out []Stimulus
	for i, s := range stimuli {
		if !drop[i] {
			s.Index = len(out)
			out = append(out, s)
		}
	}
	return out
}
