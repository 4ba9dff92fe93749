package report

import (
	"io/fs"
	"slices"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

var headsChapter = Chapter{
	Name:  "attention",
	Title: "Where do its heads look?",
	About: "A head is local (0, blue) if an object's tokens read the object itself, and global (1, red) if they read elsewhere. On the right the strongest head of each block: for attention within the object, " +
		"within the pair that is compared, and to the background, with stars at the peaks. In a model that works in two stages objects are read first and compared afterwards.",
	Group: paper.OfStages, Command: "sd attention MODEL --html FILE",
	suits: func(s Subject) error {
		if s.Set != nil {
			return paired(s.Set)
		}
		return positions(s)
	},
	write: func(w *work) error {
		if w.Set != nil {
			scores, err := study.HeadScores.Of(w.ctx, w.Lab, w.Model, w.Set, study.HeadSample{})
			if err != nil {
				return err
			}
			if err := w.figure(paper.Figure2(scores, w.label()+" on "+w.SetName)); err != nil {
				return err
			}
		} else if err := w.stages(); err != nil {
			return err
		}
		images := make([]int, 0, w.sizes.Viewed)
		for i := range w.sizes.Viewed {
			if w.Set == nil || i < w.Set.Len() {
				images = append(images, i)
			}
		}
		page, err := w.Lab.Viewer(w.ctx, w.Model, w.Set, images)
		if err != nil {
			return err
		}
		page.Title = "Attention of " + w.label()
		if answers(w.Subject) != nil {
			w.text("What the model answers to the images below means nothing: it has no head for same and different.")
		}
		w.section.Parts = append(w.section.Parts, Part{Viewer: &page})
		return nil
	},
	shipped: func(w *work) error {
		if w.comes.Heads == nil || w.Set != nil {
			return fs.ErrNotExist
		}
		w.from("%s/heads.json")
		return w.scores(w.comes.Heads)
	},
}

// scores draws the scores over the paper's stimuli.
func (w *work) scores(s *attention.Scores) error {
	w.found.Heads = s
	return w.figure(paper.HeadFigure(paper.HeadPanel{Title: w.label(), Scores: s.Measures, Interval: s.Interval, PeakFrom: paper.PeakFrom(w.Model.Config)}))
}

// upright is the table of one model's stages with a line for each: a row is too wide for a page.
func upright(t figure.Table) figure.Table {
	u := figure.Table{Title: t.Title, Columns: []string{"attention", "block"}}
	for i, column := range t.Columns {
		switch cell := t.Rows[0][i]; column {
		case "model", "blocks", "n": // said elsewhere
		case "pair after object", "between after within":
			u.Add(column+", blocks", cell)
		case "highest from", "peaks in":
			u.Add("background "+column, cell)
		default:
			u.Add(column, cell)
		}
	}
	u.Rows = slices.DeleteFunc(u.Rows, func(row []string) bool { return row[1] == "–" }) // of the other task
	return u
}

// stages writes the scores over the paper's stimuli, where they peak, and the heads that do the steps.
func (w *work) stages() error {
	scores, err := w.Lab.Heads(w.ctx, w.Model)
	if err != nil {
		return err
	}
	if err := w.scores(scores); err != nil {
		return err
	}
	from := paper.PeakFrom(w.Model.Config)
	stages, err := scores.Stages(from)
	if err != nil {
		return err
	}
	w.table(upright(paper.StageTable(paper.StagedModel{Name: w.label(), Config: w.Model.Config, Task: scores.Task, Stages: stages})))
	w.text("In brackets, the share of bootstrap resamples of the %d images that agree; below 95 %%, also the blocks between which 95 %% of them lie.", stages.Images)
	set, steps, maps, err := w.Lab.HeadSteps(w.ctx, w.Model, from, 0)
	if err != nil {
		return err
	}
	w.text("What the tokens of the objects of one image read from each other, with the strongest head of each step:")
	return w.figure(paper.Figure21(set, steps, maps))
}
