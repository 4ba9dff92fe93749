package paper

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// Contents is the paper's table of contents: every figure and table, in its order. Those
// without Draw are not there yet. Behind them stand figures and tables with a name for a number,
// which the paper does not have, or has in words.
var Contents []Item

func init() { // the rows refer to functions that refer to the list
	Contents = slices.Concat(contents(), diagramItems(), interventionItems(), stageRows(), photographRows())
}

func contents() []Item {
	paper := study.PaperScale
	models := func(course, atPaper []string) map[study.Scale][]string {
		return map[study.Scale][]string{study.CourseScale: course, paper: atPaper}
	}
	linear := linearFigures(models)
	return []Item{
		shown("1", "The two tasks", "2", Figure1),
		heads("2", "Attention of CLIP, from scratch, CLIP on RMTS, DINO on RMTS", "3", 0, models(
			[]string{"discrimination-256-course", "discrimination-256-course-plain", "rmts-256-course"},
			[]string{"clip-b16", "scratch-b16", "clip-b16-rmts", "dino-b16-rmts"})),
		searches("3", "Distributed alignment search: shape and color by block", "4", models(
			[]string{"discrimination-256-course", "rmts-256-course"}, []string{"clip-b16", "clip-b16-rmts"}), das.NoControl, das.WrongObject),
		novel("4", "Novel representations", "5", clipB16, models([]string{"discrimination-256-course"}, []string{"clip-b16"})),
		linear["5"],
		generalization("6", "Disentanglement and generalization", "6", models(
			study.CompositionalPresets(),
			append(checkpoints(stimuli.Discrimination, stimuli.Compositional32), checkpoints(stimuli.RMTS, stimuli.Compositional32)...))),
		shown("7", "All shapes and colors", "A", func(stimuli.Geometry) (*figure.Figure, error) { return Figure7() }),
		shown("8", "More stimuli", "A", Figure8),
		figure9(),
		figure10(),
		heads("11", "Attention of CLIP ViT-B/32", "appendix", 0, models(
			[]string{"discrimination-256-quick", "rmts-256-quick"},
			[]string{"clip-b32", "clip-b32-rmts"})),
		searches("12", "Alignment search, CLIP ViT-B/32", "appendix", models(
			[]string{"discrimination-256-quick", "rmts-256-quick"}, []string{"clip-b32", "clip-b32-rmts"}), das.NoControl, das.WrongObject),
		novel("13", "Novel representations, CLIP ViT-B/32", "appendix", clipB32, models([]string{"discrimination-256-quick", "rmts-256-quick"}, []string{"clip-b32", "clip-b32-rmts"})),
		linear["14"],
		heads("15", "Attention of DINOv2", "D", 1, models(nil, []string{"dinov2-b14", "dinov2-b14-rmts"})),
		searches("16", "Alignment search, DINOv2", "D", models(nil, []string{"dinov2-b14", "dinov2-b14-rmts"}), das.NoControl, das.WrongObject),
		novel("17", "Novel representations, DINOv2, discrimination", "D", dinoV2, models(nil, []string{"dinov2-b14"})),
		novel("18", "Novel representations, DINOv2, RMTS", "D", dinoV2, models(nil, []string{"dinov2-b14-rmts"})),
		linear["19"],
		heads("20", "Attention of ImageNet, DINO, MAE", "appendix", 0, models(nil,
			[]string{"imagenet-b16", "imagenet-b16-rmts", "dino-b16", "dino-b16-rmts", "mae-b16", "mae-b16-rmts"})),
		steps("21", "Attention maps of four heads", "F", models(
			[]string{"discrimination-256-course", "discrimination-256-course-plain"}, []string{"clip-b16", "scratch-b16"}), Figure21),
		steps("22", "CLIP's steps on one image", "F", models([]string{"rmts-256-course"}, []string{"clip-b16"}), Figure22),
		shown("23", "Counterfactual pairs", "G", func(g stimuli.Geometry) (*figure.Figure, error) { return Figure23(g) }),
		searches("24", "Alignment search with the wrong object", "H", models(
			[]string{"discrimination-256-course", "rmts-256-course"}, []string{"clip-b16", "clip-b16-rmts", "dinov2-b14", "dinov2-b14-rmts"}), das.WrongObject),
		searches("25", "Alignment search, DINO", "appendix", models(nil, []string{"dino-b16", "dino-b16-rmts"}), das.NoControl, das.WrongObject),
		searches("26", "Alignment search, ImageNet", "appendix", models(nil, []string{"imagenet-b16", "imagenet-b16-rmts"}), das.NoControl, das.WrongObject),
		searches("27", "Alignment search, MAE", "appendix", models(nil, []string{"mae-b16", "mae-b16-rmts"}), das.NoControl, das.WrongObject),
		searches("28", "Alignment search, from scratch", "appendix", models(
			[]string{"discrimination-256-course-plain"}, []string{"scratch-b16"}), das.NoControl, das.WrongObject),
		novel("29", "Novel representations, CLIP ViT-B/16, RMTS", "J", clipB16, models([]string{"rmts-256-course"}, []string{"clip-b16-rmts"})),
		novel("30", "Novel representations, DINO, discrimination", "J", dino, models(nil, []string{"dino-b16"})),
		novel("31", "Novel representations, DINO, RMTS", "J", dino, models(nil, []string{"dino-b16-rmts"})),
		novel("32", "Novel representations, ImageNet, discrimination", "J", imageNet, models(nil, []string{"imagenet-b16"})),
		novel("33", "Novel representations, ImageNet, RMTS", "J", imageNet, models(nil, []string{"imagenet-b16-rmts"})),
		novel("34", "Novel representations, MAE, discrimination", "J", mae, models(nil, []string{"mae-b16"})),
		novel("35", "Novel representations, MAE, RMTS", "J", mae, models(nil, []string{"mae-b16-rmts"})),
		novel("36", "Novel representations, from scratch", "J", scratch, models([]string{"discrimination-256-course-plain"}, []string{"scratch-b16"})),
		linear["37"],
		linear["38"],
		linear["39"],

		losses("1", "Auxiliary losses, 32 set, trained from scratch", "7"),
		accuracies("2", "Discrimination, 256 combinations", stimuli.Discrimination, stimuli.All256, checkpoints(stimuli.Discrimination, stimuli.All256)),
		accuracies("3", "Discrimination, 32 combinations", stimuli.Discrimination, stimuli.Compositional32, checkpoints(stimuli.Discrimination, stimuli.Compositional32)),
		accuracies("4", "RMTS, 256 combinations", stimuli.RMTS, stimuli.All256, checkpoints(stimuli.RMTS, stimuli.All256)),
		accuracies("5", "RMTS, 32 combinations", stimuli.RMTS, stimuli.Compositional32, checkpoints(stimuli.RMTS, stimuli.Compositional32)),
		accuracies("6", "CLIP ViT-B/32, both tasks and sets", "", "", []string{"clip-b32", "clip-b32-32", "clip-b32-rmts", "clip-b32-rmts-32"}),
		losses("7", "The losses taken apart, discrimination", "M"),
		losses("8", "The losses taken apart, RMTS", "M"),
	}
}

// checkpoints names the paper's models with 16-pixel patches, and DINOv2, for a task and a set.
func checkpoints(task stimuli.Task, objects stimuli.Objects) []string {
	var all []string
	for _, c := range []string{"clip-b16", "imagenet-b16", "dino-b16", "dinov2-b14", "mae-b16", "scratch-b16"} {
		all = append(all, study.PresetName(c, task, objects))
	}
	return all
}

// shown is a figure of stimuli.
func shown(number, title, where string, draw func(stimuli.Geometry) (*figure.Figure, error)) Item {
	return Item{Kind: AFigure, Number: number, Title: title, Where: where,
		Draw: func(_ context.Context, _ *study.Lab, r Request) (Drawing, error) {
			f, err := draw(r.geometry())
			return Drawing{Figure: f}, err
		}}
}

// heads is a figure of where heads look, one row for each model; stars leave out the blocks before peakFrom.
func heads(number, title, where string, peakFrom int, models map[study.Scale][]string) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			j, err := l.HeadsJob(ctx, s)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, j)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		panels, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (HeadPanel, error) {
			scores, err := l.Heads(ctx, m)
			if err != nil {
				return HeadPanel{}, err
			}
			return headPanel(m.Label(s.Name), scores.All(), peakFrom), nil
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := HeadFigure(panels...)
		return Drawing{Figure: f}, err
	}
	return i
}

// losses is one of the tables of auxiliary losses.
func losses(number, title, where string) Item {
	i := Item{Kind: ATable, Number: number, Title: title, Where: where}
	rows := func(r Request) ([]study.Ablation, error) {
		if len(r.Models) > 0 {
			return nil, fmt.Errorf("table %s trains models of its own: name none", number)
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		return study.AblationTable(n, r.scale())
	}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		all, err := rows(r)
		if err != nil {
			return nil, err
		}
		return l.AblationJobs(ctx, all, r.Known...)
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		all, err := rows(r)
		if err != nil {
			return Drawing{}, err
		}
		results, err := l.Ablate(ctx, all, r.Trained, r.Known...)
		if err != nil {
			return Drawing{}, err
		}
		t := LossTable(fmt.Sprintf("Table %s: %s", number, title), results)
		return Drawing{Table: &t, Losses: results}, nil
	}
	return i
}
