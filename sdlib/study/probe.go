package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"samediff/sdlib/activations"
	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/finetune"
	"samediff/sdlib/optimize"
	"samediff/sdlib/probe"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// ProbeSpec says what probes are asked, how they are trained, and what they are tested on.
// There is one at each block.
type ProbeSpec struct {
	Target probe.Target `json:"target"`
	Pair   string       `json:"pair,omitempty"` // "sample" or "display" of RMTS, of the target relation; "" takes all pairs
	Method ProbeMethod  `json:"method"`
	// Settings are those of [PaperMethod].
	Settings optimize.Settings `json:"settings,omitzero"`
	// Penalty is λ of [Convex] (see probe.Fit).
	Penalty float64 `json:"penalty,omitempty"`
	// PerClass is how many images of each label are taken from the training split, and again
	// from the split for tests.
	PerClass int           `json:"per_class"`
	Control  ProbeControl  `json:"control,omitempty"`
	HeldOut  probe.HeldOut `json:"held_out,omitempty"`
	// Input puts the probe of a block at what the block finds instead of what it leaves: the
	// paper's code, which intervenes a block later (D19).
	Input bool   `json:"input,omitempty"`
	Seed  uint64 `json:"seed,omitempty"` // of images, and of what is shuffled, held out or random
}

// A ProbeMethod is how a probe is trained.
type ProbeMethod string

// The methods.
const (
	PaperMethod ProbeMethod = "paper"  // probe.Train: AdamW, 10 epochs
	Convex      ProbeMethod = "convex" // probe.Fit: logistic regression to convergence
)

// A ProbeControl replaces what a probe learns from.
type ProbeControl string

// The controls. A model with random weights is another one: see [Lab.Untrained].
const (
	NoControl      ProbeControl = ""
	Shuffled       ProbeControl = "shuffled"        // the answers are permuted, in training and test
	RandomFeatures ProbeControl = "random-features" // Gaussian numbers in place of the stream
)

// The paper's probe of a pair's relation (section 5), and the convex one of the same items.
var (
	PaperProbe  = ProbeSpec{Target: probe.Relation, Method: PaperMethod, Settings: probe.Paper, PerClass: 2000}
	ConvexProbe = ProbeSpec{Target: probe.Relation, Method: Convex, Penalty: 1e-3, PerClass: 2000}
)

// places returns the values that the probes of the blocks read.
func (s ProbeSpec) places(c vit.Config) []string {
	var all []string
	for l := range c.Blocks {
		if s.Input {
			all = append(all, probe.InputOf(l))
		} else {
			all = append(all, probe.OutputOf(l))
		}
	}
	return all
}

func (s ProbeSpec) check() error {
	switch {
	case s.Method != PaperMethod && s.Method != Convex:
		return fmt.Errorf("no probe is trained by the method %q: expected %s or %s", s.Method, PaperMethod, Convex)
	case s.Control != NoControl && s.Control != Shuffled && s.Control != RandomFeatures:
		return fmt.Errorf("no control of probes is called %q: expected %s or %s", s.Control, Shuffled, RandomFeatures)
	case s.PerClass < 1:
		return fmt.Errorf("%d images of each label for probes, expected 1 or more (the paper takes up to 2000)", s.PerClass)
	}
	return nil
}

// A probed set is the half of the data that probes are trained or tested on.
type probed struct {
	set    *stimuli.Set
	images []int
	items  probe.Items
	file   *activations.File
	places []probe.Place
}

func (p *probed) close() {
	if p != nil && p.file != nil {
		p.file.Close()
	}
}

// imagesFor returns the images that probes are trained on, or those they are tested on: of the
// training split and of the set itself, or of an imported set every other one of each label.
func (s ProbeSpec) imagesFor(set *stimuli.Set, train bool) (*stimuli.Set, []int, error) {
	c := set.Config()
	if c.Source != "" {
		var images []int
		seen := map[int]int{} // images of each label
		for i := range set.Len() {
			label := set.Stimulus(i).Label
			if (seen[label]%2 == 0) == train {
				images = append(images, i)
			}
			seen[label]++
		}
		return set, images, nil
	}
	if train {
		if c.Split == stimuli.Train {
			return nil, nil, errors.New("probes are tested on the images that they are trained on: give a set of another split, such as test-iid")
		}
		c.Split = stimuli.Train
		var err error
		if set, err = stimuli.Open(c); err != nil {
			return nil, nil, err
		}
	}
	images, err := attention.Select(set, s.PerClass, s.Seed)
	return set, images, err
}

// probed prepares a half: its items, and at each block their features. Close it after use.
func (l *Lab) probed(ctx context.Context, m *Model, set *stimuli.Set, s ProbeSpec, train bool) (p *probed, err error) {
	p = new(probed)
	if p.set, p.images, err = s.imagesFor(set, train); err != nil {
		return nil, err
	}
	seed := 2*s.Seed + 1 // of this half
	if train {
		seed--
	}
	if p.items, err = probe.NewItems(p.set, p.images, s.Target, s.Pair, seed); err != nil {
		return nil, err
	}
	if p.items, err = p.items.Part(s.HeldOut, !train, s.Seed); err != nil {
		return nil, err
	}
	if s.Control == Shuffled {
		p.items = p.items.Shuffled(seed)
	}
	if s.Control == RandomFeatures {
		for l, name := range s.places(m.Config) {
			noise := probe.Noise{N: len(p.items.All), F: p.items.Slots * m.Config.Width, Seed: seed<<16 + uint64(l)}
			p.places = append(p.places, probe.Place{Name: name, Features: noise})
		}
		return p, nil
	}
	p.file, err = l.Activations(ctx, m, p.set, Kept{Nodes: []string{"embed", "block*/resid_post"}, AtObjects: true, Images: p.images})
	if err != nil {
		return nil, err
	}
	for _, name := range s.places(m.Config) {
		v, err := p.file.Node(name)
		if err == nil {
			var x probe.Features
			if x, err = probe.FromActivations(v, p.items); err == nil {
				p.places = append(p.places, probe.Place{Name: name, Features: x})
			}
		}
		if err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

const (
	probesVersion = 1
	probesFile    = "probes.safetensors"
)

// Probes returns the probes of all blocks, trained on the images that belong to a set for
// tests ([ProbeSpec]), in the order of the blocks. They are trained if the store does not have
// them, in probes.safetensors; a training that is interrupted goes on.
func (l *Lab) Probes(ctx context.Context, m *Model, set *stimuli.Set, s ProbeSpec) ([]probe.Probe, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := runner.Fits(m.Config, set); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	params := struct {
		Stimuli stimuli.Config `json:"stimuli"`
		ProbeSpec
	}{set.Config(), s}
	key := artifact.Key{Step: "probes", Version: probesVersion, Params: params, Inputs: []artifact.ID{m.ID}}
	a, err := l.Store.Get(ctx, key, func(ctx context.Context, dir string) error {
		p, err := l.probed(ctx, m, set, s, true)
		if err != nil {
			return err
		}
		defer p.close()
		var probes []probe.Probe
		work := filepath.Join(dir, "work") // gone when all is done
		if s.Method == Convex {
			probes, err = l.fit(ctx, p, s.Penalty, work)
		} else {
			probes, err = l.train(ctx, p, s.Settings, params, work)
		}
		if err != nil {
			return err
		}
		return probe.Save(filepath.Join(dir, probesFile), probes, map[string]string{"model": string(m.ID)})
	})
	if err != nil {
		return nil, err
	}
	found, err := probe.Load(a.Path(probesFile))
	if err != nil {
		return nil, err
	}
	var all []probe.Probe
	for _, name := range s.places(m.Config) { // "embed" is no longer first in the order of names
		for _, p := range found {
			if p.Place == name {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

func (l *Lab) train(ctx context.Context, p *probed, how optimize.Settings, key any, dir string) ([]probe.Probe, error) {
	be, err := l.Backend()
	if err != nil {
		return nil, err
	}
	return probe.Train(ctx, be, p.places, p.items, how, key, optimize.Options{Dir: dir, Progress: l.options.Progress, Warn: l.options.Notify})
}

// fit fits the probes one block after the other. Those that are there are kept when it is interrupted.
func (l *Lab) fit(ctx context.Context, p *probed, λ float64, dir string) ([]probe.Probe, error) {
	meter := l.meter("fit probes", "blocks", len(p.places))
	defer meter.Finish("")
	var all []probe.Probe
	for i, place := range p.places {
		path := filepath.Join(dir, fmt.Sprintf("%02d.safetensors", i))
		found, err := probe.Load(path)
		if errors.Is(err, fs.ErrNotExist) {
			var one probe.Probe
			if one, err = probe.Fit(ctx, place, p.items, λ); err != nil {
				return nil, err
			}
			found = []probe.Probe{one}
			if err = os.MkdirAll(dir, 0o777); err == nil {
				err = probe.Save(path, found, nil)
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		meter.Set(i+1, "")
	}
	return all, nil
}

// Probed is what probes of all blocks found.
type Probed struct {
	Items int         `json:"items"` // that each was trained on
	Rows  []ProbedRow `json:"rows"`  // by block
	// Geometry describes the directions of probes with two answers.
	Geometry *probe.Geometry `json:"geometry,omitempty"`
}

// A ProbedRow is the probe of one block.
type ProbedRow struct {
	Block int            `json:"block"`
	Place string         `json:"place"` // where it reads
	Train finetune.Score `json:"train"`
	Test  probe.Scores   `json:"test"`
}

// Probing asks what linear probes read from a model's stream, tested on a set.
var Probing = Analysis[ProbeSpec, Probed]{
	Name: "probing", Version: 1,
	Compute: func(ctx context.Context, on On, s ProbeSpec) (Probed, error) {
		probes, err := on.Lab.Probes(ctx, on.Model, on.Set, s)
		if err != nil {
			return Probed{}, err
		}
		return on.Lab.test(ctx, on, s, probes)
	},
	Images: func(set *stimuli.Set, s ProbeSpec) int { return 4 * s.PerClass },
}

// test scores probes on the items that they were trained on, and on those of the set.
func (l *Lab) test(ctx context.Context, on On, s ProbeSpec, probes []probe.Probe) (r Probed, err error) {
	trained, err := l.probed(ctx, on.Model, on.Set, s, true)
	if err != nil {
		return r, err
	}
	defer trained.close()
	tested, err := l.probed(ctx, on.Model, on.Set, s, false)
	if err != nil {
		return r, err
	}
	defer tested.close()
	r.Items = len(trained.items.All)
	for block, p := range probes {
		row := ProbedRow{Block: block, Place: p.Place}
		before, err := p.Score(trained.places[block], trained.items)
		if err != nil {
			return r, err
		}
		row.Train = before.All
		if row.Test, err = p.Score(tested.places[block], tested.items); err != nil {
			return r, err
		}
		r.Rows = append(r.Rows, row)
	}
	if s.Target == probe.Relation && s.Control != RandomFeatures {
		g, err := probe.Measure(probes, trained.places, trained.items)
		if err != nil {
			return r, err
		}
		r.Geometry = &g
	}
	return r, nil
}

// Untrained returns a model of the same configuration with random weights: the control of what
// the architecture alone hands through.
func (l *Lab) Untrained(m *Model, seed uint64) (*Model, error) {
	random, err := vit.New(m.Config, seed)
	if err != nil {
		return nil, err
	}
	u, err := l.identified(random, "")
	if err != nil {
		return nil, err
	}
	u.Training.Stimuli = m.Training.Stimuli
	return u, nil
}
