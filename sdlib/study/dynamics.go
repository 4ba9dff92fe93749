package study

import (
	"context"
	"fmt"
	"slices"

	"samediff/sdlib/attention"
	"samediff/sdlib/finetune"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
)

// A Snapshot is where a model's heads look, and how many of the same images it answers rightly.
type Snapshot struct {
	Scores *attention.Scores `json:"scores"`
	Right  finetune.Score    `json:"right"`
}

// Snapshots are [HeadScores] and the answers to the same images.
var Snapshots = Analysis[HeadSample, Snapshot]{
	Name: "heads and answers", Version: 1,
	Compute: func(ctx context.Context, on On, s HeadSample) (Snapshot, error) {
		scores, err := HeadScores.Of(ctx, on.Lab, on.Model, on.Set, s)
		if err != nil {
			return Snapshot{}, err
		}
		images, answers, err := on.Lab.before(ctx, on.Model, on.Set, s)
		if err != nil {
			return Snapshot{}, err
		}
		effects, err := patch.Compare(on.Set, images, answers, answers)
		if err != nil {
			return Snapshot{}, err
		}
		return Snapshot{scores, effects[0].Base}, nil
	},
	Images: func(set *stimuli.Set, s HeadSample) int { return 2 * s.size(set) },
}

// Dynamics are the snapshots of a model during its training, in the order of the steps.
type Dynamics []Moment[Snapshot]

// Dynamics returns how the heads come to look where they look: the scores on a sample of the IID
// test split at steps of a training, see [Analysis.During]. No steps are those of [Training.Spread].
func (l *Lab) Dynamics(ctx context.Context, t Training, steps []int, s HeadSample) (Dynamics, error) {
	if len(steps) == 0 {
		steps = t.Spread()
	}
	c, err := t.Stimuli.Resolved()
	if err != nil {
		return nil, err
	}
	set, err := headSet(c)
	if err != nil {
		return nil, err
	}
	all, err := Snapshots.During(ctx, l, t, steps, set, s)
	return all, err
}

// TrainingOf returns the training of a model's name, for [Lab.Dynamics]: that of a preset, which need not have been run,
// of a model of the course, or of one in the store.
func (l *Lab) TrainingOf(ctx context.Context, name string) (Training, error) {
	if t, err := Preset(name); err == nil {
		return t, nil
	}
	for _, c := range CourseModels() {
		if c.Name == name {
			return c.Training, nil
		}
	}
	m, err := l.Find(ctx, name)
	if err != nil {
		return Training{}, err
	}
	if m.Training.Recipe.Epochs == 0 {
		return Training{}, fmt.Errorf("%s does not say how it was trained: expected a preset, a model of the course (`sd model ls`), or the ID of a training in the store", name)
	}
	return m.Training, nil
}

// steps returns how many steps an epoch of the training has, and how many there are in all.
func (t Training) steps() (perEpoch, all int) {
	c, err := t.Stimuli.Resolved()
	if err != nil {
		c = t.Stimuli
	}
	return t.Recipe.Steps(c.Size)
}

// Spread returns steps of the training that are spread as a learning curve is, dense at first:
// 0, 1/20, 1/10, 1/5, 2/5 and all of them.
func (t Training) Spread() []int {
	_, all := t.steps()
	return slices.Compact([]int{0, all / 20, all / 10, all / 5, 2 * all / 5, all})
}

// EpochSteps returns the steps before the first and after every epoch of the training.
func (t Training) EpochSteps() []int {
	perEpoch, _ := t.steps()
	var steps []int
	for epoch := range t.Recipe.Epochs + 1 {
		steps = append(steps, epoch*perEpoch)
	}
	return steps
}

// A HeadChange is how far a head's measure moved in a training.
type HeadChange struct {
	Head    attention.Head
	Measure string // "local", "within", "pair", "background", "between"
	// Values are the measure at each of the steps, and Low and High bound the 95 % intervals over the images.
	Values, Low, High []float64
}

// Moved is the last value less the first one.
func (c HeadChange) Moved() float64 { return c.Values[len(c.Values)-1] - c.Values[0] }

// Changes lists all heads for a measure of [attention.Measures], those that moved the farthest, up or down, first.
func (d Dynamics) Changes(measure string) ([]HeadChange, error) {
	if len(d) < 2 {
		return nil, fmt.Errorf("changes between %d steps of a training, expected 2 or more", len(d))
	}
	var all []HeadChange
	for _, m := range d {
		s := m.Answer.Scores
		values, low, high := s.Measures.Named(measure), s.Interval.Low.Named(measure), s.Interval.High.Named(measure)
		if values == nil {
			return nil, fmt.Errorf("no scores are called %q in %s: expected one of %q", measure, s.Task, attention.MeasureNames(s.Task))
		}
		if all == nil {
			for _, h := range attention.Highest(values) {
				all = append(all, HeadChange{Head: h, Measure: measure})
			}
		}
		for i := range all {
			c := &all[i]
			c.Values, c.Low, c.High = append(c.Values, c.Head.Of(values)), append(c.Low, c.Head.Of(low)), append(c.High, c.Head.Of(high))
		}
	}
	slices.SortStableFunc(all, func(a, b HeadChange) int {
		switch x, y := max(a.Moved(), -a.Moved()), max(b.Moved(), -b.Moved()); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return all, nil
}
