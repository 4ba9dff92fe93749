package study

import (
	"context"

	"samediff/sdlib/attention"
	"samediff/sdlib/stimuli"
)

// HeadMaps are the attention maps of chosen heads on one image of a set.
var HeadMaps = Analysis[HeadChoice, []attention.Map]{
	Name: "head maps", Version: 1,
	Compute: func(ctx context.Context, on On, c HeadChoice) ([]attention.Map, error) {
		return attention.Maps(ctx, on.Backend, on.Model.Model, on.Set, c.Image, c.Heads...)
	},
	Images: func(*stimuli.Set, HeadChoice) int { return 1 },
}

// A HeadChoice says which heads are looked at, and on which image.
type HeadChoice struct {
	Image int              `json:"image"` // index in the set
	Heads []attention.Head `json:"heads"`
}

// HeadSteps returns the heads that [attention.Scores.Steps] chooses by the scores of [Lab.Heads], from a block on,
// and their maps on an image of the set that these are of. Heads that are named are taken instead.
func (l *Lab) HeadSteps(ctx context.Context, m *Model, from, image int, named ...attention.Head) (*stimuli.Set, []attention.Step, []attention.Map, error) {
	var steps []attention.Step
	c := HeadChoice{Image: image, Heads: named}
	for _, h := range named {
		steps = append(steps, attention.Step{Name: "chosen", Head: h})
	}
	if len(named) == 0 {
		scores, err := l.Heads(ctx, m)
		if err != nil {
			return nil, nil, nil, err
		}
		if steps, err = scores.Steps(from); err != nil {
			return nil, nil, nil, err
		}
		for _, s := range steps {
			c.Heads = append(c.Heads, s.Head)
		}
	}
	config, err := m.stimuli()
	if err != nil {
		return nil, nil, nil, err
	}
	set, err := headSet(config)
	if err != nil {
		return nil, nil, nil, err
	}
	maps, err := HeadMaps.Of(ctx, l, m, set, c)
	return set, steps, maps, err
}
