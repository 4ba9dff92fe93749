package study

import (
	"context"
	"fmt"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// A Generalization is a model's place in Figure 6 (paper, section 6): how far it keeps shape and color apart, and how far it carries.
// It is about models that learned from 32 of the 256 combinations of shape and color.
type Generalization struct {
	Name        string         `json:"name"`        // of the preset, or of the model of the course
	Weights     artifact.ID    `json:"weights"`     // of the model
	Pretraining string         `json:"pretraining"` // what it knew before the task, see [Training.Pretrained]
	Task        stimuli.Task   `json:"task"`        // that it learned
	Seed        uint64         `json:"seed"`        // of everything random, see [Training.WithSeed]
	Recipe      string         `json:"recipe"`      // of the searches, see [RecipeName]
	Shape       Peak           `json:"shape"`       // what the best search reached
	Color       Peak           `json:"color"`
	Fresh       finetune.Score `json:"iid"`           // on new images of the combinations that it learned: "test (IID)"
	Combined    finetune.Score `json:"compositional"` // on the other 224 combinations: "compositional"
	Novel       finetune.Score `json:"ood"`           // on shapes and colors that no training showed: "OOD shape-color"
}

// A Peak is the block after which swapping a property worked best, and how often it did.
type Peak struct {
	Block int `json:"block"`
	finetune.Score
}

// GeneralizationSets are the test sets of Figure 6, from near to far.
var GeneralizationSets = []string{"test (IID)", "compositional", "OOD shape-color"}

// On returns the accuracy on one of [GeneralizationSets]; the zero Score for another.
func (g Generalization) On(set string) finetune.Score {
	switch set {
	case GeneralizationSets[0]:
		return g.Fresh
	case GeneralizationSets[1]:
		return g.Combined
	case GeneralizationSets[2]:
		return g.Novel
	}
	return finetune.Score{}
}

// Disentangled is the mean over shape and color of the best block's share of interventions that bring about their target, 0..1. A
// model that answers the same to all images has about .5 here: half of the targets are its answer.
func (g Generalization) Disentangled() float64 {
	return (g.Shape.Accuracy() + g.Color.Accuracy()) / 2
}

// AtChance reports whether the model did not learn the task: the 95 % interval of its accuracy on fresh images does not lie above
// .5. Then what the searches reach in it says nothing of how it keeps shape and color.
func (g Generalization) AtChance() bool {
	low, _ := g.Fresh.Interval()
	return low <= .5
}

// FromScratch reports whether the model knew nothing before the task.
func (g Generalization) FromScratch() bool { return strings.HasPrefix(g.Pretraining, scratch) }

const (
	scratch    = "scratch"
	withLosses = ", auxiliary losses"
)

// Pretrained names what a model knew before it learned its task: the objective of an analogue, "contrastive", with the number of
// its pictures where they repeat, and "emoji" where they show such; a checkpoint, "clip-b16"; or "scratch". Behind a comma stand
// auxiliary losses, which the paper's pretrained models are fine-tuned without.
func (t Training) Pretrained() string {
	name := scratch
	first := t
	for first.After != nil {
		first = *first.After
	}
	switch p := first.Pretraining; {
	case p != nil:
		name = p.Name()
	case first.Start != "":
		name = first.Start
	case first.Source != "":
		name = first.Source
	}
	if r := t.Recipe; r.Disentangle.Weight != 0 || r.Pipeline.Weight != 0 || r.Relation.Weight != 0 {
		name += withLosses
	}
	return name
}

// GeneralizationSpec says how [Generalization] is measured.
type GeneralizationSpec struct {
	Searches DASSweep // over which blocks, by which recipe, on how many pairs; its zero values are the defaults
	Images   int      // of each test set; 0 is the paper's 6,400
}

// GeneralizationJobs are what [Lab.Generalization] needs of a subject.
func (l *Lab) GeneralizationJobs(ctx context.Context, s Subject, w GeneralizationSpec) ([]Job, error) {
	c, err := l.compositional(ctx, s)
	if err != nil {
		return nil, err
	}
	queries, err := l.DASQueries(ctx, s, w.Searches)
	if err != nil {
		return nil, err
	}
	more, err := accuracyJobs(s, c, w.Images, GeneralizationSets...)
	return append(DASJobs(s, queries), more...), err
}

// compositional returns the stimuli that a subject learned from, which must be the 32 set.
func (l *Lab) compositional(ctx context.Context, s Subject) (stimuli.Config, error) {
	c, err := l.Stimuli(ctx, s)
	if err == nil && c.Objects != stimuli.Compositional32 {
		err = fmt.Errorf("generalization is measured of models trained on the 32 set (Figure 6), but %s learned from %s combinations of shape and color", s.Name, c.Objects)
	}
	return c, err
}

// Generalization searches a subject's model for shape and color and asks it about [GeneralizationSets], where the store does not
// have that.
func (l *Lab) Generalization(ctx context.Context, s Subject, w GeneralizationSpec) (g Generalization, err error) {
	c, err := l.compositional(ctx, s)
	if err != nil {
		return g, err
	}
	m, err := l.Model(ctx, s)
	if err != nil {
		return g, err
	}
	queries, err := l.DASQueries(ctx, s, w.Searches)
	if err != nil {
		return g, err
	}
	rows, err := l.DASRows(ctx, m, queries)
	if err != nil {
		return g, err
	}
	results, err := l.EvaluateSize(ctx, m, w.Images, GeneralizationSets...)
	if err != nil {
		return g, err
	}
	name, _, _ := strings.Cut(s.Name, ", seed ") // what SeededSubject added
	g = Generalization{Name: name, Weights: m.ID, Pretraining: m.Training.Pretrained(), Task: c.Task, Seed: m.Training.ModelSeed,
		Recipe: RecipeName(queries[0].Recipe), Shape: peak(rows, stimuli.ShapeProperty), Color: peak(rows, stimuli.ColorProperty)}
	for _, r := range results {
		switch r.Name {
		case GeneralizationSets[0]:
			g.Fresh = r.All
		case GeneralizationSets[1]:
			g.Combined = r.All
		case GeneralizationSets[2]:
			g.Novel = r.All
		}
	}
	return g, nil
}

// peak returns the best of the searches for a property, the lowest block of equals.
func peak(rows []DASRow, p stimuli.Property) (best Peak) {
	best.Block = -1
	for _, r := range rows {
		if s := r.Score(); r.Property == p && r.Control == das.NoControl && (best.Block < 0 || s.Accuracy() > best.Accuracy()) {
			best = Peak{r.Block, s}
		}
	}
	return best
}

// Missing counts the jobs whose results the store does not have.
func (l *Lab) Missing(ctx context.Context, jobs []Job) (n int, err error) {
	for _, j := range jobs {
		s, err := l.status(ctx, j)
		if err != nil {
			return 0, fmt.Errorf("%v: %w", j, err)
		}
		if s.State != JobDone {
			n++
		}
	}
	return n, nil
}
