package report

import (
	"io/fs"

	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

var behaviorChapter = Chapter{
	Name:  "eval",
	Title: "Is it right?",
	About: "Accuracy on the images that it was trained on, on fresh ones, and on objects that it has never seen, with Wilson's 95 % interval, and apart by how the two objects differ (in relational match-to-sample, those of the sample pair). " +
		"A model that learned the relation, and not its examples, stays accurate on new objects. Chance is .5.",
	Group: paper.OfBehavior, Command: "sd eval MODEL",
	suits: func(s Subject) error {
		if err := answers(s); err != nil || s.Set != nil {
			return err
		}
		return positions(s)
	},
	write: func(w *work) error {
		if w.Set != nil {
			r, err := w.Lab.EvaluateOn(w.ctx, w.Model, w.SetName, w.Set)
			if err != nil {
				return err
			}
			t := paper.BehaviorTable(append(w.found.Sets, r))
			t.Title = "Accuracy on images of one's own"
			w.table(t)
		}
		if positions(w.Subject) == nil {
			sets, err := w.Lab.EvaluateSize(w.ctx, w.Model, w.sizes.Images)
			if err != nil {
				return err
			}
			w.behavior(sets)
			if w.Model.Training.Stimuli.Geometry == (stimuli.Geometry{}) || w.Task != "" {
				w.text("The model does not say what it learned from: the images of train are the paper's training split, which it may or may not have seen.")
			}
		}
		if len(w.Model.History) > 1 {
			return w.figure(paper.TrainingCurve(w.Model.History))
		}
		return nil
	},
	shipped: func(w *work) error {
		if w.comes.Sets == nil {
			return fs.ErrNotExist
		}
		w.from("%s/metrics.json")
		w.behavior(w.comes.Sets)
		if len(w.Model.History) > 1 {
			return w.figure(paper.TrainingCurve(w.Model.History))
		}
		return nil
	},
}

func (w *work) behavior(sets []study.SetResult) {
	w.found.Sets = sets
	w.table(paper.BehaviorTable(sets))
}
