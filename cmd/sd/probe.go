package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// randomWeights is the control that is another model and not another spec.
const randomWeights study.ProbeControl = "random-weights"

// probing are the flags of sd probe.
type probing struct {
	spec       study.ProbeSpec
	steer      bool
	alphas     []float64
	unit       study.AlphaUnit
	directions []string
	sample     int
	folder     string
	csv, to    string
	asJSON     bool
}

func (a *app) probeCommand() *cobra.Command {
	p := probing{spec: study.PaperProbe}
	cmd := &cobra.Command{
		Use:   "probe MODEL",
		Short: "What linear probes read from a model, and whether it uses that",
		Long: `probe trains a linear classifier at every block of a model: does the residual stream at a
pair of objects say that they are the same? That is the intermediate judgment of relational
match-to-sample (section 5 of the paper). --target asks of objects their shape or color
instead, or of two tokens whether they belong to one object.

The probe is the paper's (AdamW, 10 epochs), or with --method convex logistic regression to
convergence, of which there is one for each --penalty. --control shows what a probe gets
that has nothing to find: shuffled answers, random features of the same size, or a model
with random weights. --held-out trains on half of the shapes (colors) and tests on the
others: is *same* abstract?

--intervene adds the probe's direction of the opposite relation to the tokens of one pair,
runs the blocks above, and counts the answers that flip: a model whose answer flips uses
what the probe found. Beside it stand the paper's control, the direction of the relation
that is there ("present"), a random one of the same length, and the difference of the class
means, each times every factor of --alphas. The floor is the share of answers that are
wrong anyhow. Blocks that are done stay in the store, so an interrupted run goes on.`,
		Example: `  sd probe rmts-256-quick
  sd probe rmts-256-course --method convex --held-out shape
  sd probe rmts-256-course --intervene --alphas 0.5,1,2 --csv linear.csv -o linear.png
  sd probe course --target color --control random-weights`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd, args[0], p) },
	}
	f := cmd.Flags()
	f.Var(choice[probe.Target]{&p.spec.Target, probe.Targets}, "target", "what is asked: "+join(probe.Targets))
	f.StringVar(&p.spec.Pair, "pair", "", "of which pair of RMTS: sample or display (default both)")
	f.Var(choice[study.ProbeMethod]{&p.spec.Method, []study.ProbeMethod{study.PaperMethod, study.Convex}}, "method", "how the probe is trained: paper or convex")
	f.Float64Var(&p.spec.Penalty, "penalty", study.ConvexProbe.Penalty, "of the convex probe: L2, as a factor of ‖W‖²/2")
	f.Var(choice[study.ProbeControl]{&p.spec.Control, []study.ProbeControl{study.NoControl, study.Shuffled, study.RandomFeatures, randomWeights}}, "control",
		"shuffled, random-features or random-weights")
	f.Var(choice[probe.HeldOut]{&p.spec.HeldOut, probe.HeldOuts}, "held-out", "what is new in the test: shape, color or shape-color, half of them")
	f.IntVar(&p.spec.PerClass, "images", study.PaperProbe.PerClass, "images of each label, for training and again for the test")
	f.BoolVar(&p.spec.Input, "input", false, "probe what a block finds, while interventions change what it leaves: the paper's code (D19)")
	f.Uint64Var(&p.spec.Seed, "seed", 0, "of the images and of everything random")
	f.BoolVar(&p.steer, "intervene", false, "add directions to the stream as well, and count the answers that flip")
	f.Float64SliceVar(&p.alphas, "alphas", []float64{1}, "with --intervene: factors of the directions")
	f.Var(choice[study.AlphaUnit]{&p.unit, []study.AlphaUnit{study.Rows, study.MeansApart}}, "unit",
		"with --intervene: what a factor of 1 adds: the probe's weights as they are, or with means-apart what leads from mean to mean")
	f.StringSliceVar(&p.directions, "directions", []string{string(probe.Opposite), string(probe.Present)}, "with --intervene: some of "+join(probe.AllDirections))
	f.IntVar(&p.sample, "intervene-images", 0, "with --intervene: images of each label whose pairs are changed (default as --images)")
	a.addTask(cmd)
	addSet(cmd, &p.folder)
	addJSON(cmd, &p.asJSON)
	f.StringVar(&p.csv, "csv", "", "file for all numbers, by pair and kind, with n, 95 % intervals, the hash of the weights and the unit of the factors")
	f.StringVarP(&p.to, "output", "o", "", "file for a figure")
	return cmd
}

// steerSpec is what --intervene asks for.
func (p probing) steerSpec(cmd *cobra.Command) (study.SteerSpec, error) {
	s := study.SteerSpec{Probe: p.spec, Alphas: p.alphas, Unit: p.unit, PerClass: p.sample}
	if s.PerClass == 0 {
		s.PerClass = p.spec.PerClass
	}
	for _, name := range p.directions {
		d := probe.Direction(name)
		if err := (choice[probe.Direction]{new(probe.Direction), probe.AllDirections}).Set(name); err != nil {
			return s, misuse(cmd, "--directions: %q: %w", name, err)
		}
		s.Directions = append(s.Directions, d)
	}
	switch {
	case p.spec.Target != probe.Relation:
		return s, misuse(cmd, "--intervene adds the direction of a relation: leave --target %s away", p.spec.Target)
	case p.spec.Control != study.NoControl && p.spec.Control != randomWeights:
		return s, misuse(cmd, "--intervene has controls of its own, the directions present and random: leave --control %s away", p.spec.Control)
	case len(p.alphas) == 0:
		return s, misuse(cmd, "--alphas is empty, expected factors such as 0.5,1,2")
	}
	return s, nil
}

func (a *app) probe(cmd *cobra.Command, name string, p probing) error {
	if p.spec.Method == study.Convex {
		p.spec.Settings = study.ConvexProbe.Settings
	} else {
		p.spec.Settings.Seed, p.spec.Penalty = p.spec.Seed, 0
	}
	if p.spec.PerClass < 1 || p.sample < 0 {
		return misuse(cmd, "--images and --intervene-images are numbers of images, expected 1 or more")
	}
	untrained := p.spec.Control == randomWeights
	var steer study.SteerSpec
	var err error
	if p.steer {
		if steer, err = p.steerSpec(cmd); err != nil {
			return err
		}
	}
	if untrained {
		p.spec.Control, steer.Probe.Control = study.NoControl, study.NoControl
	}
	lab, err := a.lab()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	m, err := lab.Model(ctx, study.Subject{Name: name})
	if err != nil {
		return err
	}
	set, err := p.set(ctx, lab, m, name)
	if err != nil {
		return err
	}
	if untrained {
		if m, err = lab.Untrained(m, p.spec.Seed); err != nil {
			return err
		}
		name += ", random weights"
	}
	found, err := study.Probing.Of(ctx, lab, m, set, p.spec)
	if err != nil {
		return err
	}
	var effects []probe.Effect
	if p.steer {
		if effects, err = lab.Steer(ctx, m, set, steer); err != nil {
			return err
		}
	}
	if p.csv != "" {
		if err := study.SaveLinear(p.csv, name, m.ID, study.LinearRows(p.spec, found, p.unit, effects)); err != nil {
			return err
		}
	}
	if p.asJSON {
		err = a.printJSON(map[string]any{"model": m.ID, "probes": found, "effects": effects})
	} else {
		err = a.printTables(paper.ProbeTable(found, p.spec), paper.SteerTable(effects), paper.FlipTable(effects), paper.GeometryTable(found.Geometry))
	}
	if err != nil || p.to == "" {
		return err
	}
	f, err := paper.LinearFigure(paper.LinearPanel{Title: m.Label(name), Probed: found, Effects: effects})
	if err != nil {
		return err
	}
	if p.asJSON {
		return f.Save(p.to)
	}
	return a.saveFigure(f, p.to)
}

// set returns what the probes are tested on.
func (p probing) set(ctx context.Context, lab *study.Lab, m *study.Model, name string) (*stimuli.Set, error) {
	if p.folder != "" {
		return study.ImportSet(p.folder, m.Config)
	}
	c, err := lab.Stimuli(ctx, study.Subject{Name: name})
	if err != nil {
		return nil, err
	}
	return study.LinearSet(c)
}

// printTables prints those tables that have rows, with an empty line between them.
func (a *app) printTables(tables ...figure.Table) error {
	first := true
	for _, t := range tables {
		if len(t.Rows) == 0 {
			continue
		}
		if !first {
			fmt.Fprintln(a.out)
		}
		first = false
		if err := a.printTable(t); err != nil {
			return err
		}
	}
	return nil
}
