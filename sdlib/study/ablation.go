package study

import (
	"context"
	"fmt"
	"slices"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// An Ablation is one training of the paper's Tables 1, 7 and 8: which auxiliary losses
// teach a model from scratch to solve a task, on the 32 set, so that the other 224
// combinations of shape and color show if it has a rule.
type Ablation struct {
	Scale  Scale
	Task   stimuli.Task
	Losses Losses
	Seed   uint64 // of everything random
}

// Scale is how large the models of an experiment are.
type Scale string

const (
	CourseScale Scale = "course" // vit.CourseQuick and its like: minutes on two CPU cores
	PaperScale  Scale = "paper"  // ViT-B/16 from scratch, as in the paper: many hours on a GPU
	// TinyScale is a rehearsal: the same jobs with models of two blocks that see a few images and
	// learn nothing, so that a plan is tried out on several devices or a cluster in a minute.
	TinyScale Scale = "tiny"
)

// Scales lists the scales that there are.
var Scales = []Scale{CourseScale, PaperScale, TinyScale}

// Training returns what is trained, with the same data, steps and seeds whatever the
// losses. At course scale that is, for discrimination, the model and the recipe of [Quick]
// for 12 epochs on 6,400 images, the paper's number; for match-to-sample, which takes longer
// to learn, those of [RMTS] for 96 epochs of 6,400 new images. At the paper's scale it is
// "scratch-b16" of [Presets]; at tiny scale, a few seconds of what the course scale has.
func (a Ablation) Training() Training {
	var t Training
	switch {
	case a.Scale == PaperScale:
		t = Presets["scratch-b16"]
		t.Stimuli.Task = a.Task
	case a.Task == stimuli.RMTS:
		t = RMTS
		t.Stimuli.Size, t.Recipe.Epochs, t.Recipe.Fresh = 6400, 96, true
	default:
		t = Quick
		t.Recipe.Relation.After, t.Recipe.Epochs = 2, 12
	}
	if a.Scale == TinyScale {
		t.Model.Blocks, t.Stimuli.Size, t.Val = 2, 640, 0
		t.Recipe.Epochs, t.Recipe.Warmup, t.Recipe.Disentangle.After, t.Recipe.Relation.After = 8, 10, 0, 1
	}
	t.Stimuli.Objects = stimuli.Compositional32
	t.ModelSeed, t.Stimuli.Seed, t.Recipe.Seed = a.Seed, a.Seed, a.Seed
	return a.Losses.Apply(t)
}

// Subject is the model of the ablation.
func (a Ablation) Subject() Subject {
	return Trained(fmt.Sprintf("%s, losses %v, seed %d", a.Task, a.Losses, a.Seed), a.Training())
}

// images is the number of images of each set that its model is asked about; 0 is the paper's.
func (a Ablation) images() int {
	if a.Scale == TinyScale {
		return 64
	}
	return 0
}

// AblationSeeds are the seeds of the tables' repeats. At tiny scale there is the first alone.
var AblationSeeds = []uint64{1, 2, 3}

// AblationTable returns the rows of Table 1 (both tasks: no auxiliary loss, either of the
// paper's, both; and the relation loss beside them), Table 7 (discrimination) or Table 8
// (RMTS), which take the losses apart.
func AblationTable(number int, scale Scale) ([]Ablation, error) {
	if err := scale.check(); err != nil {
		return nil, err
	}
	seeds := AblationSeeds
	if scale == TinyScale {
		seeds = seeds[:1]
	}
	var all []Ablation
	add := func(task stimuli.Task, losses ...string) {
		for _, text := range losses {
			l, err := ParseLosses(text, task)
			if err != nil {
				panic(err) // a misspelled name below
			}
			for _, seed := range seeds {
				all = append(all, Ablation{scale, task, l, seed})
			}
		}
	}
	switch number {
	case 1:
		for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
			add(task, "none", "disentangle", "pipeline", "disentangle+pipeline", "disentangle+relation")
		}
	case 7:
		add(stimuli.Discrimination, "none", "wo", "wp", "wo+wp", "disentangle", "disentangle+wo", "disentangle+wp", "disentangle+wo+wp")
	case 8:
		add(stimuli.RMTS, "none", "wo+wp+bp", "disentangle", "disentangle+wo+wp", "disentangle+wo+bp", "disentangle+wp+bp", "disentangle+wo+wp+bp")
	default:
		return nil, fmt.Errorf("no table %d compares losses, expected 1, 7 or 8", number)
	}
	return all, nil
}

func (s Scale) check() error {
	if !slices.Contains(Scales, s) {
		return fmt.Errorf("no scale %q, expected one of %q", s, Scales)
	}
	return nil
}

// AblationResult is what a model of an ablation got right on one set.
type AblationResult struct {
	Ablation
	Set   string // "train", "test (IID)", "compositional", "OOD shape-color"
	Score finetune.Score
	Model artifact.ID
}

// ablationSets are the sets of the tables.
var ablationSets = []string{"train", "test (IID)", "compositional", "OOD shape-color"}

// Ablate trains and evaluates the models of an ablation that the store does not have, and
// returns one result for each of their sets. Rows of which known has every set, such as
// [ReadAblation] returns them, are taken from there. With trained, only what is known or
// in the store is returned: a training takes minutes, a table's an hour.
func (l *Lab) Ablate(ctx context.Context, rows []Ablation, trained bool, known ...AblationResult) ([]AblationResult, error) {
	var all []AblationResult
	for _, a := range rows {
		if there := a.among(known); len(there) == len(ablationSets) {
			all = append(all, there...)
			continue
		}
		if trained {
			if _, there, err := l.id(ctx, a.Subject()); err != nil {
				return all, err
			} else if !there {
				continue
			}
		}
		m, err := l.Model(ctx, a.Subject())
		if err != nil {
			return all, fmt.Errorf("%s: %w", a.Subject().Name, err)
		}
		for _, named := range Sets(m.Training.Stimuli, a.images()) {
			if !slices.Contains(ablationSets, named.Name) {
				continue
			}
			set, err := stimuli.Open(named.Stimuli)
			if err != nil {
				return all, err
			}
			r, err := l.EvaluateOn(ctx, m, named.Name, set)
			if err != nil {
				return all, err
			}
			all = append(all, AblationResult{a, named.Name, r.All, m.ID})
		}
	}
	return all, nil
}

// among returns the results of the ablation among others.
func (a Ablation) among(all []AblationResult) []AblationResult {
	var its []AblationResult
	for _, r := range all {
		if r.Ablation == a {
			its = append(its, r)
		}
	}
	return its
}

// AblationJobs are what [Lab.Ablate] computes for these rows, those aside that known has whole.
func (l *Lab) AblationJobs(_ context.Context, rows []Ablation, known ...AblationResult) ([]Job, error) {
	var all []Job
	for _, a := range rows {
		if len(a.among(known)) == len(ablationSets) {
			continue
		}
		subject := a.Subject()
		jobs, err := accuracyJobs(subject, subject.Training.Stimuli, a.images(), ablationSets...)
		if err != nil {
			return nil, err
		}
		all = append(all, jobs...)
	}
	return WithTrainings(all), nil
}
