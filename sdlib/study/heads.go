package study

import (
	"context"

	"samediff/sdlib/attention"
	"samediff/sdlib/stimuli"
)

// HeadSample says which images of a set heads are scored on.
type HeadSample struct {
	PerClass int    `json:"per_class"` // images labeled same, and as many labeled different; 0 takes all images
	Seed     uint64 `json:"seed"`      // of the choice, see attention.Select
}

// PaperSample is the paper's: 250 same and 250 different images (section 3).
var PaperSample = HeadSample{PerClass: 250, Seed: 1}

// HeadScores is where every head looks, on a sample of a set's images.
var HeadScores = Analysis[HeadSample, *attention.Scores]{
	Name: "heads", Version: 3,
	Compute: func(ctx context.Context, on On, s HeadSample) (*attention.Scores, error) {
		var images []int // all
		if s.PerClass != 0 {
			var err error
			if images, err = attention.Select(on.Set, s.PerClass, s.Seed); err != nil {
				return nil, err
			}
		}
		return attention.Analyze(ctx, on.Backend, on.Model.Model, on.Set, images, on.Report)
	},
	Images: func(set *stimuli.Set, s HeadSample) int {
		if s.PerClass == 0 {
			return set.Config().Size
		}
		return 2 * s.PerClass
	},
}

// Heads returns the attention scores of every head, over the paper's sample of the IID test
// split of the stimuli that the model was trained on.
func (l *Lab) Heads(ctx context.Context, m *Model) (*attention.Scores, error) {
	c, err := m.stimuli()
	if err != nil {
		return nil, err
	}
	set, err := headSet(c)
	if err != nil {
		return nil, err
	}
	return HeadScores.Of(ctx, l, m, set, PaperSample)
}

// HeadsJob is the job of [Lab.Heads] for a subject.
func (l *Lab) HeadsJob(ctx context.Context, s Subject) (Job, error) {
	c, err := l.Stimuli(ctx, s)
	if err != nil {
		return Job{}, err
	}
	set, err := headSet(c)
	if err != nil {
		return Job{}, err
	}
	return HeadScores.Job(s, "", set, PaperSample), nil
}

func headSet(c stimuli.Config) (*stimuli.Set, error) {
	c.Split, c.Size = stimuli.TestIID, evalSize
	return stimuli.Open(c)
}
