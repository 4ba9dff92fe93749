package study

import (
	"context"
	"fmt"

	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/stimuli"
)

// The images that [Lab.Heads] looks at: 250 same and 250 different ones, as many as the
// paper's code takes (docs/paper.md 4.2), drawn with a seed of their own.
const (
	headsPerClass = 250
	headsSeed     = 1
)

// headsVersion is raised when the same model and images would give other scores.
const headsVersion = 1

// Heads returns the attention scores of every head of the model, over 250 same and 250
// different images of the IID test split of the stimuli it was trained on.
func (l *Lab) Heads(ctx context.Context, m *Model) (*attention.Scores, error) {
	c := m.Training.Stimuli
	c.Split, c.Size = stimuli.TestIID, evalSize
	return l.HeadsOn(ctx, m, c, headsPerClass, headsSeed)
}

// HeadsOn returns the attention scores of every head over perClass same and perClass
// different images of a set, drawn by seed as [attention.Select] draws them.
func (l *Lab) HeadsOn(ctx context.Context, m *Model, c stimuli.Config, perClass int, seed uint64) (*attention.Scores, error) {
	c, err := c.Resolved()
	if err != nil {
		return nil, fmt.Errorf("score heads: %w", err)
	}
	params := struct {
		Stimuli  stimuli.Config `json:"stimuli"`
		PerClass int            `json:"per_class"`
		Seed     uint64         `json:"seed"`
	}{c, perClass, seed}
	key := artifact.Key{Step: "heads", Version: headsVersion, Params: params, Inputs: []artifact.ID{m.ID}}
	s, err := artifact.Value(ctx, l.Store, key, func(ctx context.Context) (*attention.Scores, error) {
		set, err := stimuli.Open(c)
		if err != nil {
			return nil, err
		}
		images, err := attention.Select(set, perClass, seed)
		if err != nil {
			return nil, err
		}
		be, err := l.Backend()
		if err != nil {
			return nil, err
		}
		return attention.Analyze(ctx, be, m.Model, set, images, l.options.Progress)
	})
	if err != nil {
		return nil, fmt.Errorf("score heads: %w", err)
	}
	return s, nil
}
