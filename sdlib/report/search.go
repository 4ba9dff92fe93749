package report

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

var searchChapter = Chapter{
	Name:  "das",
	Title: "Where does it keep shape and color?",
	About: "Distributed alignment search: after each block, a subspace is learned whose contents are swapped between the objects of two images. The accuracy is the share of answers that become what the swap should make them. " +
		"1 − base accuracy is the level of a swap that changes nothing. Controls, dashed, ought to fail.",
	Group: paper.OfSearches, Command: "sd das MODEL --control none,wrong-object",
	suits: asked,
	write: func(w *work) error {
		queries, err := w.Lab.DASQueries(w.ctx, w.named(), w.sizes.Search)
		if err != nil {
			return err
		}
		rows, err := w.Lab.DASRows(w.ctx, w.Model, queries)
		if err != nil {
			return err
		}
		return w.searches(study.DASScores(rows))
	},
	shipped: func(w *work) error {
		if w.comes.Searches == nil {
			return fs.ErrNotExist
		}
		w.from("das-%s.csv")
		return w.searches(w.comes.Searches)
	},
}

func (w *work) searches(scores []study.DASScore) error {
	w.found.Searches = scores
	w.table(dimensions(scores))
	return w.figure(paper.SearchFigure(paper.SearchPanel{Title: w.label(), Scores: scores}))
}

// named is the model for functions that find it by its name.
func (w *work) named() study.Subject { return study.Subject{Name: w.Name} }

// dimensions sets out the best block of each property, and how many dimensions are swapped there.
func dimensions(scores []study.DASScore) figure.Table {
	t := figure.Table{Title: "Best block of each search", Columns: []string{"property", "control", "after block", "accuracy", "95 % interval", "n", "dimensions"}}
	var order []string
	best := map[string]study.DASScore{}
	for _, s := range scores {
		line := string(s.Property) + "\x00" + s.Control.String()
		if b, there := best[line]; !there {
			order = append(order, line)
			best[line] = s
		} else if s.Accuracy() > b.Accuracy() {
			best[line] = s
		}
	}
	for _, line := range order {
		s := best[line]
		low, high := s.Interval()
		t.Add(string(s.Property), s.Control.String(), s.Block, s.Accuracy(), fmt.Sprintf("%.3f–%.3f", low, high), s.N, s.Dims)
	}
	return t
}

var novelChapter = Chapter{
	Name:  "novel",
	Title: "Does it compare what no object ever was?",
	About: "Vectors that belong to no object are written into the subspaces of shape and color of both objects: the same vector should make them the same to the model, two vectors different. " +
		"Added vectors are sums of two objects' representations, interpolated ones their means; sampled ones are drawn from a normal distribution with their mean and deviation, random ones from the standard one. " +
		"A model that compares whatever is there does so for all of them.",
	Group: paper.OfNovelties, Command: "sd novel MODEL",
	suits: asked,
	write: func(w *work) error {
		sweep := study.NovelSweep{DASSweep: w.sizes.Search, Made: w.sizes.Made}
		sweep.Controls = []das.Control{das.NoControl}
		queries, err := w.Lab.NovelQueries(w.ctx, w.named(), sweep)
		if err != nil {
			return err
		}
		rows, err := w.Lab.NovelRows(w.ctx, w.Model, queries)
		if err != nil {
			return err
		}
		return w.novel(study.NovelScores(rows))
	},
	shipped: func(w *work) error {
		if w.comes.Novel == nil {
			return fs.ErrNotExist
		}
		w.from("novel-%s.csv")
		return w.novel(w.comes.Novel)
	},
}

func (w *work) novel(scores []study.NovelScore) error {
	w.found.Novel = scores
	panel := paper.NovelPanel{Title: w.label(), Scores: scores}
	if w.found.Objects == stimuli.All256 {
		panel.Beside = slices.DeleteFunc(slices.Clone(paper.PublishedNovels), func(p paper.PublishedNovel) bool { return p.Model != w.published() || p.Task != w.found.Task })
	}
	return w.figure(paper.NovelFigure(panel))
}

// published is the name that the paper's curves have for the model that this one is held against.
func (w *work) published() string {
	name, _, _ := strings.Cut(w.found.Reference(), " on ")
	return strings.TrimSuffix(name, " ViT-B/14") // of DINOv2
}
