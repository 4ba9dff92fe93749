package report

import (
	"io/fs"
	"slices"

	"samediff/sdlib/paper"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

var probeChapter = Chapter{
	Name:  "probe",
	Title: "What can be read from it, and does it use that?",
	About: "A linear probe at every block. In relational match-to-sample it reads whether a pair of objects is the same; then its direction of the opposite relation is added to the pair (intervention), and that of the relation " +
		"that is there (control): an answer that flips uses what the probe found. In discrimination the probes read an object's shape and color, of 16 each: chance is .06.",
	Group: paper.OfProbes, Command: "sd probe MODEL --intervene",
	suits: positions,
	write: func(w *work) error {
		set, err := w.Model.HeadSet()
		if err != nil {
			return err
		}
		if w.task() != stimuli.RMTS {
			return w.properties(set)
		}
		spec := w.sizes.steer(w.Model.Config)
		probed, err := study.Probing.Of(w.ctx, w.Lab, w.Model, set, spec.Probe)
		if err != nil {
			return err
		}
		w.found.Probed = probed
		panel := w.linear()
		if err := answers(w.Subject); err != nil {
			w.text("Its direction was not added to the pairs: %v.", err)
		} else {
			if panel.Effects, err = w.Lab.Steer(w.ctx, w.Model, set, spec); err != nil {
				return err
			}
			w.found.Effects = panel.Effects
		}
		return w.figure(paper.LinearFigure(panel))
	},
	shipped: func(w *work) error {
		if w.comes.Probed.Rows == nil {
			return fs.ErrNotExist
		}
		w.from("probe-%s.csv")
		w.found.Probed, w.found.Effects = w.comes.Probed, w.comes.Effects
		panel := w.linear()
		panel.Effects = w.found.Effects
		return w.figure(paper.LinearFigure(panel))
	},
}

// linear is the figure's panel of the probes that were found.
func (w *work) linear() paper.LinearPanel {
	panel := paper.LinearPanel{Title: w.label(), Probed: w.found.Probed}
	if w.sizes.steer(w.Model.Config).Unit == study.MeansApart {
		panel.Title += "\nα in distances of the class means"
	}
	if i := slices.IndexFunc(paper.PublishedLinears, func(p paper.PublishedLinear) bool { return p.Model == w.published() }); i >= 0 {
		panel.Beside = &paper.PublishedLinears[i]
	}
	return panel
}

// properties writes what probes read of an object's shape and color.
func (w *work) properties(set *stimuli.Set) error {
	w.section.Command = "sd probe MODEL --target shape" + and + "sd probe MODEL --target color"
	for _, target := range []probe.Target{probe.Shape, probe.Color} {
		spec := study.PaperProbe
		spec.Target, spec.PerClass = target, w.sizes.Probes
		probed, err := study.Probing.Of(w.ctx, w.Lab, w.Model, set, spec)
		if err != nil {
			return err
		}
		if err := w.figure(paper.LinearFigure(paper.LinearPanel{Title: w.label() + ": " + string(target), Probed: probed})); err != nil {
			return err
		}
	}
	return nil
}
