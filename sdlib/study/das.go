package study

import (
	"context"
	"fmt"
	"path/filepath"

	"samediff/sdlib/artifact"
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A DASSearch is a search for a property's subspace in a model's residual stream after a block
// (paper, section 4), of a model that was trained on some stimuli.
type DASSearch struct {
	Stimuli  stimuli.Config   `json:"stimuli"` // that the model was trained on; training pairs are of the split train
	Property stimuli.Property `json:"property"`
	das.Search
}

// A DASQuery asks how often a search's intervention brings about its target.
type DASQuery struct {
	// DASSearch says which subspace. A method that has to be given a rank, where none is, takes as
	// many directions as the search finds, at least one.
	DASSearch
	Split stimuli.Split `json:"split"` // of the pairs that it is tested on
	Test  int           `json:"test"`  // how many
}

// A DASResult is the answer to a [DASQuery].
type DASResult struct {
	das.Answers
	Dims int `json:"dims"` // that the intervention swaps; 0 where it is derived
}

// DAS is how often an intervention that was learned in a model brings about the answer that it
// should, on pairs that it was not learned from. The intervention is [Lab.Intervention].
var DAS = Analysis[DASQuery, DASResult]{
	Name: "das", Version: 1, NoSet: true,
	Compute: func(ctx context.Context, on On, q DASQuery) (DASResult, error) {
		m, err := on.Model.searched(q.Search)
		if err != nil {
			return DASResult{}, err
		}
		pairs, err := q.Pairs()
		if err != nil {
			return DASResult{}, err
		}
		if das.Derived(m.Config, q.Block) {
			s, err := on.Lab.Streams(ctx, m, pairs, q.Block)
			if err != nil {
				return DASResult{}, err
			}
			defer s.Close()
			a, err := das.Unchanged(s)
			return DASResult{Answers: a}, err
		}
		v, err := on.Lab.Intervention(ctx, on.Model, q.DASSearch)
		if err != nil {
			return DASResult{}, err
		}
		s, err := on.Lab.Streams(ctx, m, pairs, q.Block)
		if err != nil {
			return DASResult{}, err
		}
		defer s.Close()
		defer on.Lab.clock(onTesting)()
		a, err := v.Answers(ctx, on.Backend, m.Model, s, on.Report)
		return DASResult{a, v.Dims()}, err
	},
	Images: func(_ *stimuli.Set, q DASQuery) int { return q.Test },
	Shares: func(model artifact.ID, c vit.Config, q DASQuery) []Cost { return q.DASSearch.cost(model, c) },
}

// cost is that of a search: each pair's forward pass through the blocks above, and a backward pass
// through them that leaves the weights as they are.
func (q DASSearch) cost(model artifact.ID, c vit.Config) []Cost {
	if das.Derived(c, q.Block) || !(q.Method.Learned() || q.Method.Ranked() && q.Rank == 0) {
		return nil
	}
	if !q.Method.Learned() { // it takes the rank that the search finds
		q = q.by(das.Trained)
	}
	key := q.key(model)
	pairs := q.Recipe.Epochs * q.Recipe.Pairs
	if q.Recipe.Steps > 0 {
		pairs = q.Recipe.Steps * q.Recipe.Batch
	}
	above := float64(c.Blocks-1-q.Block) / float64(c.Blocks)
	return []Cost{{Key: &key, FLOPs: float64(pairs) * 2 * above * forwardFlops(c)}}
}

// key names what a search has learned in a model.
func (q DASSearch) key(model artifact.ID) artifact.Key {
	return artifact.Key{Step: "das-intervention", Version: dasVersion, Params: q, Inputs: []artifact.ID{model}}
}

// by is the same search by another method, which finds its rank itself.
func (q DASSearch) by(method das.Method) DASSearch {
	q.Method, q.Rank = method, 0
	return q
}

// trainingStreams are the streams of the pairs that a search learns from.
func (l *Lab) trainingStreams(ctx context.Context, m *Model, q DASSearch) (*das.Streams, error) {
	pairs, err := q.TrainingPairs(q.Stimuli, q.Property)
	if err != nil {
		return nil, err
	}
	return l.Streams(ctx, m, pairs, q.Block)
}

// searched returns the model that a search is run in: m, or for the control of that name one with
// random weights.
func (m *Model) searched(q das.Search) (*Model, error) {
	if q.Control != das.RandomWeights {
		return m, nil
	}
	random, err := vit.New(m.Config, q.Seed)
	if err != nil {
		return nil, err
	}
	return identified(random, "")
}

// Intervention returns the rotation and the mask of a search in a model, or of a baseline. What is
// learned is trained if the store does not have it: interrupted, even by kill -9, it goes on where it
// stopped when asked again. A baseline is computed anew. A method that has to be given a rank takes, where it
// is 0, as many directions as the search finds. With the control [das.RandomWeights] all is done in a
// model with random weights.
func (l *Lab) Intervention(ctx context.Context, m *Model, q DASSearch) (*das.Intervention, error) {
	if err := q.Validate(m.Config); err != nil {
		return nil, err
	}
	if das.Derived(m.Config, q.Block) {
		return nil, fmt.Errorf("das: after the last block, %d, an intervention cannot change the answer: there is nothing to learn", q.Block)
	}
	if q.Method.Ranked() && q.Rank == 0 {
		found, err := l.Intervention(ctx, m, q.by(das.Trained))
		if err != nil {
			return nil, err
		}
		q.Rank = q.rankOf(found)
	}
	if q.Method.Learned() {
		return l.learned(ctx, m, q)
	}
	m, err := m.searched(q.Search)
	if err != nil {
		return nil, err
	}
	s, err := l.trainingStreams(ctx, m, q)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return das.Baseline(ctx, s, q.Search)
}

// rankOf is how many directions a method takes beside a search: as many, but no more than the
// differences between the values of the property span.
func (q DASSearch) rankOf(found *das.Intervention) int {
	rank := max(found.Dims(), 1)
	if q.Method != das.Means && q.Method != das.Probe {
		return rank
	}
	if q.Control == das.HeldOut {
		return min(rank, stimuli.BaseShapes-das.HeldOutValues-1)
	}
	return min(rank, stimuli.BaseShapes-1)
}

// learned returns what a search has learned.
func (l *Lab) learned(ctx context.Context, m *Model, q DASSearch) (*das.Intervention, error) {
	m, err := m.searched(q.Search)
	if err != nil {
		return nil, err
	}
	if q.Stimuli, err = q.Stimuli.Resolved(); err != nil {
		return nil, err
	}
	a, err := l.Store.Get(ctx, q.key(m.ID), func(ctx context.Context, dir string) error {
		be, err := l.Backend()
		if err != nil {
			return err
		}
		s, err := l.trainingStreams(ctx, m, q)
		if err != nil {
			return err
		}
		defer s.Close()
		v, err := das.Train(ctx, be, m.Model, s, q.Search, das.Options{
			Dir: filepath.Join(dir, "work"), Progress: l.options.Progress, Times: l.searched, Warn: l.options.Notify})
		if err != nil {
			return err
		}
		return v.Save(dir)
	})
	if err != nil {
		return nil, err
	}
	return das.Load(a.Dir)
}

// dasVersion is raised when the same search or pairs would give another intervention or other streams.
const dasVersion = 1

// mostStreams is how many bytes of streams are kept at once: those after all blocks, where that is not more.
const mostStreams = 8e9

// Streams returns what searches after a block need of a model and counterfactual pairs; close them
// after use. They are computed for all blocks at once, unless they would take more than 8 GB: then
// for this one. `sd store gc` removes their files.
func (l *Lab) Streams(ctx context.Context, m *Model, pairs *stimuli.Counterfactuals, block int) (*das.Streams, error) {
	blocks := das.Searched(m.Config)
	bytes, err := das.Bytes(m.Config, pairs, blocks)
	if err != nil {
		return nil, err
	}
	if bytes > mostStreams {
		if blocks = []int{block}; das.Derived(m.Config, block) {
			blocks = nil // answers are all that is needed
		}
		if bytes, err = das.Bytes(m.Config, pairs, blocks); err != nil {
			return nil, err
		}
	}
	params := struct {
		Pairs  stimuli.CounterfactualConfig `json:"pairs"`
		Blocks []int                        `json:"blocks"`
	}{pairs.Config(), blocks}
	key := artifact.Key{Step: "das-streams", Version: dasVersion, Params: params, Inputs: []artifact.ID{m.ID}}
	a, err := l.Store.Get(ctx, key, func(ctx context.Context, dir string) error {
		if l.options.Notify != nil {
			l.options.Notify(fmt.Sprintf("keeping %.1f MB of streams", float64(bytes)/1e6))
		}
		be, err := l.Backend()
		if err != nil {
			return err
		}
		defer l.clock(onCaching)()
		return das.Keep(ctx, be, m.Model, pairs, blocks, dir, l.options.Progress)
	})
	if err != nil {
		return nil, err
	}
	return das.Open(a.Dir, m.Config, pairs)
}
