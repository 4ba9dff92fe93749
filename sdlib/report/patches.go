package report

import (
	"fmt"

	"samediff/sdlib/paper"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

var knockoutChapter = Chapter{
	Name:    "patch-heads",
	Title:   "Which heads does it need?",
	About:   "Accuracy without single heads, and without the strongest ones by each measure of attention together, beside random heads of the same blocks. The paper shows where heads look; this, which the paper lacks, whether the answer needs them.",
	Command: "sd patch heads MODEL", suits: asked,
	write: func(w *work) error {
		set, err := w.Model.HeadSet()
		if err != nil {
			return err
		}
		plan := study.HeadPlan{Sample: w.sizes.Cut, By: patch.Zero, Top: min(5, w.Model.Config.Heads*w.Model.Config.Blocks/2), Draws: w.sizes.Draws}
		panel := paper.KnockOutPanel{Title: w.label()}
		if panel.Sweep, err = w.Lab.HeadSweep(w.ctx, w.Model, set, plan); err != nil {
			return err
		}
		if panel.Groups, err = w.Lab.HeadGroups(w.ctx, w.Model, set, plan); err != nil {
			return err
		}
		return w.figure(paper.KnockOutFigure(panel))
	},
}

var edgeChapter = Chapter{
	Name:    "patch-edges",
	Title:   "Which way does the answer take?",
	About:   "Accuracy that is lost when tokens of one group no longer read those of another, in ranges of blocks: between the two objects, the background and CLS. A cut a → b keeps b from reading a. (The paper lacks this.)",
	Command: "sd patch edges MODEL", suits: asked,
	write: func(w *work) error {
		set, err := w.Model.HeadSet()
		if err != nil {
			return err
		}
		cuts, err := w.Lab.EdgeCuts(w.ctx, w.Model, set, study.EdgePlan{Sample: w.sizes.Cut})
		if err != nil {
			return err
		}
		return w.figure(paper.EdgeFigure(paper.EdgePanel{Title: w.label(), Cuts: cuts}))
	},
}

var interchangeChapter = Chapter{
	Name:    "patch-interchange",
	Title:   "Where is the answer, block by block?",
	About:   "The residual stream of a group of tokens is taken from an image that has the other answer and differs in little: how much of that answer comes along? (Activation patching; the paper lacks this.)",
	Command: "sd patch interchange MODEL", suits: asked,
	write: func(w *work) error {
		set, err := w.Model.HeadSet()
		if err != nil {
			return err
		}
		if err := w.told(set); err != nil {
			return err
		}
		r, err := w.Lab.Interchange(w.ctx, w.Model, set, patch.Stream, w.sizes.Pairs)
		if err != nil {
			return err
		}
		return w.figure(paper.RecoveryFigure(w.Model.Config, paper.RecoveryPanel{Title: w.label(), Recovering: r}))
	},
}

// told reports why no answer can be carried over: the model answers both images of every pair alike, as one at chance does.
func (w *work) told(set *stimuli.Set) error {
	first := study.Exchange{Pairs: w.sizes.Pairs, Site: patch.Stream, Group: study.ExchangeGroups(w.task(), patch.Stream)[0]}
	x, err := study.Interchange.Of(w.ctx, w.Lab, w.Model, set, first) // the first of those that are asked for next
	if err != nil {
		return err
	}
	for i := range x.Base {
		if x.Base.Class(i) != x.Source.Class(i) {
			return nil
		}
	}
	return unsuited{fmt.Errorf("the model gives both images of each of %d pairs the same answer, so there is none to carry over", len(x.Base))}
}
