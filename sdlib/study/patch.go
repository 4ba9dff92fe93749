package study

import (
	"context"
	"fmt"

	"samediff/sdlib/attention"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// KnockOutList are knock-outs of heads, each tried on the same images.
type KnockOutList struct {
	Sample    HeadSample       `json:"sample"`
	KnockOuts []patch.KnockOut `json:"knock_outs"`
}

// KnockOuts is what a model answers under each knock-out of a list, in its order.
var KnockOuts = Analysis[KnockOutList, []patch.Answers]{
	Name: "knock-out", Version: 1,
	Compute: func(ctx context.Context, on On, p KnockOutList) ([]patch.Answers, error) {
		e, err := experiment(on, p.Sample)
		if err != nil {
			return nil, err
		}
		defer e.Close()
		var all []patch.Answers
		for _, k := range p.KnockOuts {
			answers, err := e.KnockOut(ctx, k, on.Report)
			if err != nil {
				return nil, err
			}
			all = append(all, answers)
		}
		return all, nil
	},
	Images: func(set *stimuli.Set, p KnockOutList) int { return len(p.KnockOuts) * p.Sample.size(set) },
}

// Controlled says which heads are knocked out together: the strongest by a measure of
// attention, and random ones of the same blocks for comparison.
type Controlled struct {
	Sample HeadSample        `json:"sample"` // the heads are scored on it, too
	By     patch.Choice      `json:"by"`
	Top    int               `json:"top"`   // heads chosen
	Draws  int               `json:"draws"` // of random heads, with the seeds 1, 2, ...; those that draw the same are tried once
	With   patch.Replacement `json:"with"`
	Seed   uint64            `json:"seed"` // of patch.Resample
}

// A HeadGroup is heads that were knocked out together, and the answers.
type HeadGroup struct {
	Draw    int           `json:"draw"` // 0 the chosen heads, from 1 random ones of the same blocks
	Heads   []vit.Head    `json:"heads"`
	Answers patch.Answers `json:"answers"`
}

// HeadGroups is what a model answers without its strongest heads, and without random ones.
var HeadGroups = Analysis[Controlled, []HeadGroup]{
	Name: "knock-out-groups", Version: 1,
	Compute: func(ctx context.Context, on On, p Controlled) ([]HeadGroup, error) {
		if p.Draws < 0 {
			return nil, fmt.Errorf("%d draws of random heads, expected 0 or more", p.Draws)
		}
		scores, err := HeadScores.Of(ctx, on.Lab, on.Model, on.Set, p.Sample)
		if err != nil {
			return nil, err
		}
		top, err := patch.Top(scores, p.By, p.Top)
		if err != nil {
			return nil, err
		}
		groups, err := p.groups(on.Model.Config, top)
		if err != nil {
			return nil, err
		}
		e, err := experiment(on, p.Sample)
		if err != nil {
			return nil, err
		}
		defer e.Close()
		for i, g := range groups {
			if groups[i].Answers, err = e.KnockOut(ctx, patch.KnockOut{Heads: g.Heads, By: p.With, Seed: p.Seed}, on.Report); err != nil {
				return nil, err
			}
		}
		return groups, nil
	},
	Images: func(set *stimuli.Set, p Controlled) int { return (2 + p.Draws) * p.Sample.size(set) }, // the scores, then each group
}

// groups returns the chosen heads and the random ones, without answers. Draws that give the
// chosen heads, or what an earlier one gave, are left out: blocks of few heads have no others.
func (p Controlled) groups(c vit.Config, top []vit.Head) ([]HeadGroup, error) {
	groups := []HeadGroup{{Heads: top}}
	seen := map[string]bool{names(top): true}
	for draw := 1; draw <= p.Draws; draw++ {
		heads, err := patch.Random(c, top, uint64(draw))
		if err != nil {
			return nil, err
		}
		if key := names(heads); !seen[key] {
			seen[key] = true
			groups = append(groups, HeadGroup{Draw: draw, Heads: heads})
		}
	}
	return groups, nil
}

// CutList are cuts of edges between tokens, each tried on the same images.
type CutList struct {
	Sample HeadSample  `json:"sample"`
	Cuts   []patch.Cut `json:"cuts"`
}

// Cuts is what a model answers under each cut of a list, in its order.
var Cuts = Analysis[CutList, []patch.Answers]{
	Name: "cut-edges", Version: 1,
	Compute: func(ctx context.Context, on On, p CutList) ([]patch.Answers, error) {
		e, err := experiment(on, p.Sample)
		if err != nil {
			return nil, err
		}
		defer e.Close()
		var all []patch.Answers
		for _, c := range p.Cuts {
			answers, err := e.Cut(ctx, c, on.Report)
			if err != nil {
				return nil, err
			}
			all = append(all, answers)
		}
		return all, nil
	},
	Images: func(set *stimuli.Set, p CutList) int { return len(p.Cuts) * p.Sample.size(set) },
}

// experiment is on a sample of the analysis's images.
func experiment(on On, s HeadSample) (*patch.Experiment, error) {
	images, err := s.images(on.Set)
	if err != nil {
		return nil, err
	}
	return patch.NewExperiment(on.Backend, on.Model.Model, on.Set, images)
}

// images returns the indices of the sample's images.
func (s HeadSample) images(set *stimuli.Set) ([]int, error) {
	if s.PerClass == 0 {
		all := make([]int, set.Len())
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	return attention.Select(set, s.PerClass, s.Seed)
}

// size is the number of the sample's images.
func (s HeadSample) size(set *stimuli.Set) int {
	if s.PerClass == 0 {
		return set.Config().Size
	}
	return 2 * s.PerClass
}
