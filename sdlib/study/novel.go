package study

import (
	"context"
	"errors"
	"fmt"

	"samediff/sdlib/artifact"
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A NovelQuery asks how often novel representations in the subspace of a search bring about
// their target.
type NovelQuery struct {
	DASQuery           // the search, and the pairs that it is tested on
	Novel    das.Novel `json:"novel"`
	Made     int       `json:"made"` // of how many objects: the sources of validation pairs
}

// Novel is how often a model answers as it should about pairs of objects that have novel
// representations in a subspace which a search has found (paper, section 5 and Appendix J).
// The search is that of [DAS] and is run if the store does not have it.
var Novel = Analysis[NovelQuery, DASResult]{
	Name: "novel", Version: 1, NoSet: true,
	Compute: func(ctx context.Context, on On, q NovelQuery) (DASResult, error) {
		m, err := on.Model.searched(q.Search)
		if err != nil {
			return DASResult{}, err
		}
		pairs, err := q.Pairs()
		if err != nil {
			return DASResult{}, err
		}
		var v *das.Intervention // nil where none can change an answer
		if !das.Derived(m.Config, q.Block) {
			if v, err = on.Lab.Intervention(ctx, on.Model, q.DASSearch); err != nil {
				return DASResult{}, err
			}
		}
		s, err := on.Lab.Streams(ctx, m, pairs, q.Block)
		if err != nil {
			return DASResult{}, err
		}
		defer s.Close()
		if v == nil || v.Dims() == 0 {
			a, err := das.Unchanged(s)
			a.Derived = v == nil
			return DASResult{Answers: a}, err
		}
		made, err := q.Objects()
		if err != nil {
			return DASResult{}, err
		}
		from, err := on.Lab.Objects(ctx, m, made)
		if err != nil {
			return DASResult{}, err
		}
		defer from.Close()
		defer on.Lab.clock(onTesting)()
		a, err := v.NovelAnswers(ctx, on.Backend, m.Model, s, from, q.Novel, on.Report)
		return DASResult{a, v.Dims()}, err
	},
	Images: func(_ *stimuli.Set, q NovelQuery) int { return q.Test },
	Shares: func(model artifact.ID, c vit.Config, q NovelQuery) []Cost { return q.DASSearch.cost(model, c) },
}

// Objects are the pairs whose source objects the representations are made of.
func (q NovelQuery) Objects() (*stimuli.Counterfactuals, error) {
	c := q.Stimuli
	c.Split, c.Size = stimuli.Val, evalSize
	return stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: c, Property: q.Property, Size: q.Made})
}

// Objects returns a model's states of the source objects of pairs, after all blocks that are
// searched; close them after use. `sd store gc` removes their file.
func (l *Lab) Objects(ctx context.Context, m *Model, pairs *stimuli.Counterfactuals) (*das.Objects, error) {
	key := artifact.Key{Step: "das-objects", Version: dasVersion, Params: pairs.Config(), Inputs: []artifact.ID{m.ID}}
	a, err := l.Store.Get(ctx, key, func(ctx context.Context, dir string) error {
		be, err := l.Backend()
		if err != nil {
			return err
		}
		defer l.clock(onCaching)()
		return das.KeepObjects(ctx, be, m.Model, pairs, das.Searched(m.Config), dir, l.options.Progress)
	})
	if err != nil {
		return nil, err
	}
	return das.OpenObjects(a.Dir, m.Config, pairs)
}

// A NovelSweep is novel representations in the subspaces of searches: every combination of its lists.
type NovelSweep struct {
	DASSweep                // the searches; their seeds are those of the draws too
	Novelties []das.Novelty // nil is all
	Shared    int           // pairs in a row that get the same vectors; 0 is 1
	Made      int           // of how many objects; 0 is 1,000
}

// NovelQueries returns what a sweep asks of a subject's model. Everything that can be wrong with
// it is an error here, before anything is trained.
func (l *Lab) NovelQueries(ctx context.Context, s Subject, w NovelSweep) ([]NovelQuery, error) {
	searches, err := l.DASQueries(ctx, s, w.DASSweep)
	if err != nil {
		return nil, err
	}
	if w.Novelties == nil {
		w.Novelties = das.Novelties
	}
	if w.Made == 0 {
		w.Made = DASTests
	}
	if w.Shared == 1 {
		w.Shared = 0 // the same question has one key
	}
	var all []NovelQuery
	checked := map[stimuli.Property]bool{}
	for _, search := range searches {
		for _, novelty := range w.Novelties {
			q := NovelQuery{search, das.Novel{Novelty: novelty, Shared: w.Shared, Seed: search.Seed}, w.Made}
			if err := q.Novel.Validate(); err != nil {
				return nil, err
			}
			if !checked[q.Property] {
				if _, err := q.Objects(); err != nil {
					return nil, err
				}
				checked[q.Property] = true
			}
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no novelties: expected one or more, or nil for all")
	}
	return all, nil
}

// Title says what is written where: "added, color after block 2, seed 1".
func (q NovelQuery) Title() string {
	return fmt.Sprintf("%s, %s", q.Novel.Novelty, q.DASSearch.Title())
}

// NovelJobs are the jobs of queries about a subject, after those of the searches that they need.
func NovelJobs(s Subject, queries []NovelQuery) []Job {
	var searches []DASQuery
	var novel []Job
	for _, q := range queries {
		if n := len(searches); n == 0 || searches[n-1] != q.DASQuery {
			searches = append(searches, q.DASQuery)
		}
		novel = append(novel, Novel.Job(s, q.Title(), nil, q))
	}
	return append(DASJobs(s, searches), novel...)
}

// NovelRows returns the answers to queries about a model, and computes those that the store does not have.
func (l *Lab) NovelRows(ctx context.Context, m *Model, queries []NovelQuery) (rows []NovelRow, err error) {
	for _, q := range queries {
		r, err := Novel.Of(ctx, l, m, nil, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Title(), err)
		}
		rows = append(rows, NovelRow{q, r, m.ID})
	}
	return rows, nil
}
