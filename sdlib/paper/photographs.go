package paper

import (
	"context"
	"fmt"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/photographs"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// shownPhotographs are the pictures of Figure 9, in the order of the set that comes with the library: four that are same, from
// the four cameras, and four that are different.
var shownPhotographs = []int{28, 36, 66, 120, 19, 57, 73, 109}

// Figure9 shows photographs (paper, Figure 9): above some with the same object twice, below some with two different ones.
// set is that of [photographs.Open].
func Figure9(set *stimuli.Set) (*figure.Figure, error) {
	grid := figure.ImageGrid{Columns: 4}
	for _, i := range shownPhotographs {
		if i >= set.Len() {
			return nil, fmt.Errorf("paper: Figure 9 shows image %d and the set has %d: expected that of photographs.Open", i, set.Len())
		}
		grid.Images, grid.Captions = append(grid.Images, set.Image(i)), append(grid.Captions, answer(set.Stimulus(i).Label))
	}
	return checked(grid.Figure())
}

// figure9 is the row of Figure 9.
func figure9() Item {
	return shown("9", "Photorealistic stimuli", "A.3", func(g stimuli.Geometry) (*figure.Figure, error) {
		set, err := photographs.Open(g)
		if err != nil {
			return nil, err
		}
		return Figure9(set)
	})
}

// The models of discrimination that come with the repository. The pretrained ones have to be named (--model), as everywhere: they need
// weights that are fetched.
var (
	smallPairs   = []string{"discrimination-256-course", "discrimination-256-course-plain"}
	shippedPairs = append([]string{"discrimination-256-clip-b16", "discrimination-256-clip-b16-112", "discrimination-256-dinov2-s-saliency", "discrimination-32-clip-b16-112"},
		smallPairs...)
)

// figure10 is the row of Figure 10: where heads look in photographs.
func figure10() Item {
	i := onPhotographs(AFigure, "10", "Attention on photorealistic stimuli: CLIP, DINOv2", photographHeads)
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		panels, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (HeadPanel, error) {
			scores, err := photographScores(ctx, l, m)
			if err != nil {
				return HeadPanel{}, err
			}
			return headPanel(m.Label(s.Name), scores.All(), PeakFrom(m.Config)), nil
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := HeadFigure(panels...)
		return Drawing{Figure: f}, err
	}
	return i
}

// photographRows are tables about photographs: accuracies, which the paper has as a column of its Table 2, and stages.
func photographRows() []Item {
	accuracies := onPhotographs(ATable, "photographs", "Accuracy on photographs", photographAnswers)
	accuracies.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		t := figure.Table{Title: accuracies.Title, Columns: []string{"model", "images", "accuracy", "low", "high", "same", "different"}}
		_, err := each(ctx, accuracies, l, r, func(s study.Subject, m *study.Model) (any, error) {
			set, err := study.ImportSet(photographs.Name, m.Config)
			if err != nil {
				return nil, err
			}
			e, err := l.EvaluateOn(ctx, m, photographs.Name, set)
			if err != nil {
				return nil, err
			}
			low, high := e.All.Interval()
			t.Add(m.Label(s.Name), e.All.N, e.All.Accuracy(), low, high, onKind(e.Evaluation, stimuli.Same), onKind(e.Evaluation, stimuli.Both))
			return nil, nil
		})
		return Drawing{Table: &t}, err
	}
	stages := onPhotographs(ATable, "photograph-stages", "Where each stage peaks in photographs", photographHeads)
	stages.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		all, err := each(ctx, stages, l, r, func(s study.Subject, m *study.Model) (StagedModel, error) {
			scores, err := photographScores(ctx, l, m)
			if err != nil {
				return StagedModel{}, err
			}
			staged := StagedModel{Name: m.Label(s.Name), Config: m.Config, Task: stimuli.Discrimination}
			staged.Stages, err = scores.Stages(PeakFrom(m.Config))
			return staged, err
		})
		if err != nil {
			return Drawing{}, err
		}
		t := StageTable(all...)
		t.Title = stages.Title
		return Drawing{Table: &t}, nil
	}
	return []Item{accuracies, stages}
}

// onPhotographs is an item about models on photographs, without Draw. job is what it needs of each.
func onPhotographs(kind Kind, number, title string, job func(study.Subject, *stimuli.Set) study.Job) Item {
	i := Item{Kind: kind, Number: number, Title: title, Where: "A.3",
		Models: map[study.Scale][]string{study.CourseScale: smallPairs, study.PaperScale: checkpoints(stimuli.Discrimination, stimuli.All256)}}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		if err != nil {
			return nil, err
		}
		var jobs []study.Job
		for _, s := range subjects {
			c, _, err := l.Learned(ctx, s)
			if err != nil {
				return nil, err
			}
			set, err := photographs.Open(c.Geometry)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, job(s, set))
		}
		return study.WithTrainings(jobs), nil
	}
	return i
}

// photographHeads is the job of an item about where heads look in photographs.
func photographHeads(s study.Subject, set *stimuli.Set) study.Job {
	return study.HeadScores.Job(s, "on "+photographs.Name, set, study.HeadSample{})
}

// photographAnswers is the job of an item about accuracies on photographs.
func photographAnswers(s study.Subject, set *stimuli.Set) study.Job {
	return study.Accuracy.Job(s, "on "+photographs.Name, set, finetune.Condition{})
}

// photographScores are the scores of a model's heads on all photographs.
func photographScores(ctx context.Context, l *study.Lab, m *study.Model) (*attention.Scores, error) {
	set, err := study.ImportSet(photographs.Name, m.Config)
	if err != nil {
		return nil, err
	}
	return study.HeadScores.Of(ctx, l, m, set, study.HeadSample{})
}

// onKind is the accuracy on the images of a kind, "" where there are none.
func onKind(e finetune.Evaluation, k stimuli.Kind) string {
	for _, s := range e.Kinds {
		if s.Kind == k {
			return fmt.Sprintf("%.3f", s.Score.Accuracy())
		}
	}
	return ""
}
