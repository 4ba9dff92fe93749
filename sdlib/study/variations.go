package study

import (
	"context"

	"samediff/sdlib/stimuli"
)

// Variations are sets of fresh images for a model trained on the stimuli c, each with one thing changed that the paper keeps
// fixed (see [stimuli.Factors]); the first is as in training. size is the number of images in each, 0 for 6,400. What the
// geometry or the task has no room for is left out: more objects are for discrimination.
func Variations(c stimuli.Config, size int) []NamedSet {
	if size == 0 {
		size = evalSize
	}
	c.Split, c.Size = stimuli.TestIID, size
	g := c.Geometry
	small := g.Object * 5 / 7
	var all []NamedSet
	for _, v := range []struct {
		name   string
		change func(f *stimuli.Factors)
	}{
		{"as trained", func(*stimuli.Factors) {}},
		{"off the patch grid", func(f *stimuli.Factors) { f.OffGrid = true }},
		{"5/7 as large", func(f *stimuli.Factors) { f.Size = stimuli.Range{Min: small, Max: small} }},
		{"each of its own size", func(f *stimuli.Factors) { f.Size = stimuli.Range{Min: g.Object / 2, Max: g.Cell} }},
		{"each turned by up to 90°, 5/7 as large", func(f *stimuli.Factors) { f.Turn = stimuli.Range{Min: -90, Max: 90} }},
		{"each of its own contrast", func(f *stimuli.Factors) { f.Contrast = stimuli.Range{Min: 20, Max: 100} }},
		{"each of its own texture", func(f *stimuli.Factors) { f.Texture = stimuli.Mixed }},
		{"noise on the background", func(f *stimuli.Factors) { f.BackgroundNoise = 20 }},
		{"three objects", func(f *stimuli.Factors) { f.Count = 3 }},
		{"four objects", func(f *stimuli.Factors) { f.Count = 4 }},
	} {
		changed := c
		v.change(&changed.Factors)
		if _, err := changed.Resolved(); err == nil {
			all = append(all, NamedSet{v.name, changed})
		}
	}
	return all
}

// EvaluateVaried returns the model's accuracy on each set of [Variations], with that many images in each, 0 for 6,400.
func (l *Lab) EvaluateVaried(ctx context.Context, m *Model, size int) ([]SetResult, error) {
	c, err := m.stimuli()
	if err != nil {
		return nil, err
	}
	sets := Variations(c, size)
	if len(sets) == 0 { // not even the set as in training can be drawn
		c.Split, c.Size = stimuli.TestIID, size
		_, err := c.Resolved()
		return nil, err
	}
	return l.evaluateSets(ctx, m, sets)
}

// evaluateSets returns the model's accuracy on sets that can be drawn.
func (l *Lab) evaluateSets(ctx context.Context, m *Model, sets []NamedSet) ([]SetResult, error) {
	var all []SetResult
	for _, s := range sets {
		set, err := stimuli.Open(s.Stimuli)
		if err != nil {
			return nil, err
		}
		r, err := l.EvaluateOn(ctx, m, s.Name, set)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
