package study

import (
	"context"
	"errors"
	"fmt"

	"samediff/sdlib/attention"
	"samediff/sdlib/probe"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
)

// SteerSpec says what is added to a model's stream: the directions of probes, times some
// factors, to every pair of a sample of the images that the probes are tested on.
type SteerSpec struct {
	Probe      ProbeSpec         `json:"probe"` // of the target relation
	Alphas     []float64         `json:"alphas"`
	Unit       AlphaUnit         `json:"unit,omitempty"` // of the factors
	Directions []probe.Direction `json:"directions"`
	PerClass   int               `json:"per_class"` // images of each label; each pair of an image is changed by itself
	Block      int               `json:"block"`     // after which the direction is added
}

// An AlphaUnit says what a factor of 1 adds.
type AlphaUnit string

// The units.
const (
	// Rows adds the row of the probe's weights as it is, like the paper. Its length depends on
	// how the probe was trained, and on the model and the block (D21).
	Rows AlphaUnit = ""
	// MeansApart adds as much of the direction as carries the mean of one relation's pairs to
	// that of the other along it, so that factors of several blocks and models can be compared.
	MeansApart AlphaUnit = "means-apart"
)

// PaperSteer is the paper's intervention and its control, with a factor of 1 (section 5).
var PaperSteer = SteerSpec{Probe: PaperProbe, Alphas: []float64{1}, Directions: []probe.Direction{probe.Opposite, probe.Present}, PerClass: 2000}

// Steering adds directions after one block and counts the answers that flip. The first effect
// is the model's own answers.
var Steering = Analysis[SteerSpec, []probe.Effect]{
	Name: "steering", Version: 1,
	Compute: func(ctx context.Context, on On, s SteerSpec) ([]probe.Effect, error) { return on.Lab.steer(ctx, on, s) },
	Images: func(set *stimuli.Set, s SteerSpec) int { // forward passes, of which half is done on average
		return s.PerClass * 2 * len(s.Alphas) * len(s.Directions)
	},
}

func (l *Lab) steer(ctx context.Context, on On, s SteerSpec) ([]probe.Effect, error) {
	switch {
	case s.Probe.Target != probe.Relation:
		return nil, fmt.Errorf("an intervention adds the direction of a relation, and the probe's target is %q: expected %s", s.Probe.Target, probe.Relation)
	case s.Probe.Control != NoControl:
		return nil, errors.New("an intervention with the directions of a control of the probe: the intervention's controls are the directions present and random")
	case s.Block < 0 || s.Block >= on.Model.Config.Blocks:
		return nil, fmt.Errorf("there is no block %d, expected 0 to %d", s.Block, on.Model.Config.Blocks-1)
	}
	if s.Unit != Rows && s.Unit != MeansApart {
		return nil, fmt.Errorf("factors have no unit %q: expected %q or %q", s.Unit, Rows, MeansApart)
	}
	images, err := s.images(on.Set)
	if err != nil {
		return nil, err
	}
	v := probe.Intervention{Block: s.Block, Directions: s.Directions, Alphas: s.Alphas}
	probes, err := l.Probes(ctx, on.Model, on.Set, s.Probe)
	if err != nil {
		return nil, err
	}
	trained, err := l.probed(ctx, on.Model, on.Set, s.Probe, true)
	if err != nil {
		return nil, err
	}
	defer trained.close()
	if v.Add, err = probe.NewDirections(probes[s.Block], trained.places[s.Block], trained.items, s.Probe.Seed); err != nil {
		return nil, err
	}
	if s.Unit == MeansApart {
		g, err := probe.Measure(probes[s.Block:s.Block+1], trained.places[s.Block:s.Block+1], trained.items)
		if err != nil {
			return nil, err
		}
		v.Add = v.Add.Scaled(g.Places[0].Separation)
	}
	return probe.Intervene(ctx, on.Backend, on.Model.Model, on.Set, images, []probe.Intervention{v}, on.Report)
}

// images are those whose pairs are changed: a sample of those that probes are tested on.
func (s SteerSpec) images(set *stimuli.Set) ([]int, error) {
	_, tested, err := s.Probe.imagesFor(set, false)
	if err != nil || set.Config().Source != "" {
		return tested, err
	}
	return attention.Select(set, s.PerClass, s.Probe.Seed)
}

// Steer adds directions after each block in turn, and returns the effects of all: first the
// model's own answers, then those of block 0. Blocks that the store has are read.
func (l *Lab) Steer(ctx context.Context, m *Model, set *stimuli.Set, s SteerSpec) ([]probe.Effect, error) {
	var all []probe.Effect
	for s.Block = range m.Config.Blocks {
		effects, err := Steering.Of(ctx, l, m, set, s)
		if err != nil {
			return nil, err
		}
		if s.Block > 0 {
			effects = effects[1:]
		}
		all = append(all, effects...)
	}
	return all, nil
}

// LinearJobs are what figures of probes and interventions need of a subject: the probes, and
// the interventions after each block.
func LinearJobs(of Subject, blocks int, set *stimuli.Set, s SteerSpec) []Job {
	jobs := []Job{Probing.Job(of, "", set, s.Probe)}
	for s.Block = range blocks {
		jobs = append(jobs, Steering.Job(of, fmt.Sprintf("after block %d", s.Block), set, s))
	}
	return jobs
}

// LinearSet returns the set that the probes of a model are tested on: the IID test split of
// the stimuli that it learned.
func LinearSet(c stimuli.Config) (*stimuli.Set, error) { return headSet(c) }

// Blocks returns how many blocks a subject's model has; it need not be trained yet.
func (l *Lab) Blocks(ctx context.Context, s Subject) (int, error) {
	c, err := l.config(ctx, s)
	return c.Blocks, err
}

func (l *Lab) meter(task, unit string, total int) *progress.Meter {
	return progress.New(task, unit, total, l.options.Progress)
}
