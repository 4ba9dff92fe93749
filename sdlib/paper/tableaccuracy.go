package paper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gonum.org/v1/gonum/stat"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// accuracies is one of Tables 2 to 6: models beside each other, and below them what the authors logged. The models at course scale are
// those whose accuracies come with the repository, so that nothing has to be computed; the paper's are named by their presets.
func accuracies(number, title string, task stimuli.Task, objects stimuli.Objects, paper []string) Item {
	here := accuracyModels(task, objects)
	i := Item{Kind: ATable, Number: number, Title: title, Where: "appendix", Task: task, Objects: objects,
		Models: map[study.Scale][]string{study.CourseScale: here, study.PaperScale: paper}}
	sets := []string{"train", "test (IID)"}
	switch objects {
	case stimuli.Compositional32:
		sets = append(sets, "compositional")
	case "":
		sets = append(sets, "compositional", "OOD shape-color")
	}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		if i.committed(r) {
			return nil, nil
		}
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			c, err := i.learned(ctx, l, s)
			if err != nil {
				return nil, err
			}
			more, err := study.AccuracyJobs(s, c, sets...)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, more...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		var rows []accuracyRow
		var err error
		if i.committed(r) {
			var results *Results
			if results, err = OpenResults(); err == nil {
				rows, err = results.accuracyRows(here)
			}
		} else {
			rows, err = i.measured(ctx, l, r, sets)
		}
		if err != nil {
			return Drawing{}, err
		}
		t := accuracyTable(fmt.Sprintf("Table %s: %s", i.Number, i.Title), append(rows, i.logged()...))
		return Drawing{Table: &t}, nil
	}
	return i
}

// committed reports whether a request is for the accuracies that come with the repository.
func (i Item) committed(r Request) bool { return len(r.Models) == 0 && r.scale() == study.CourseScale }

// accuracyModels names the models at course scale: real ones, analogues with their control, and those from scratch with and without
// auxiliary losses. Table 6 has those with one token per object, as ViT-B/32 sees them.
func accuracyModels(task stimuli.Task, objects stimuli.Objects) (all []string) {
	if task == "" {
		return []string{"discrimination-256-quick", "discrimination-32-quick", "rmts-256-quick", "rmts-32-quick"}
	}
	var small []string
	for _, m := range study.CourseModels() {
		of := m.Training.Stimuli
		if of.Objects == "" {
			of.Objects = stimuli.All256
		}
		switch {
		case of.Task != task && !(of.Task == "" && task == stimuli.Discrimination) || of.Objects != objects:
		case m.Training.Base() != "":
			all = append(all, m.Name)
		case of.Geometry == stimuli.Course:
			small = append(small, m.Name)
		}
	}
	for _, o := range append(pretrain.Objectives[:len(pretrain.Objectives):len(pretrain.Objectives)], "") {
		all = append(all, study.AnaloguePreset(o, task, objects))
	}
	return append(all, small...)
}

// An accuracyRow is a model in one of Tables 2 to 6.
type accuracyRow struct {
	name     string
	pictures float64 // of its pretraining, in millions; 0 for none
	scores   map[string][]finetune.Score
	logged   map[string]float64 // of the authors, who give no counts
}

// cell is the accuracy on a set with Wilson's 95 % interval; of several seeds their mean and standard deviation.
func (r accuracyRow) cell(set string) string {
	if a, ok := r.logged[set]; ok {
		return short(a)
	}
	scores := r.scores[set]
	if len(scores) < 2 {
		for _, s := range scores {
			return interval(s)
		}
		return ""
	}
	var values []float64
	for _, s := range scores {
		values = append(values, s.Accuracy())
	}
	mean, sd := stat.MeanStdDev(values, nil)
	return fmt.Sprintf("%s ± %s (%d seeds)", short(mean), short(sd), len(values))
}

// accuracyTable has a row for each model and a column for each set that some row has.
func accuracyTable(title string, rows []accuracyRow) figure.Table {
	t := figure.Table{Title: title, Columns: []string{"model", "pictures before, millions"}}
	var sets []string
	for _, set := range study.SetNames {
		for _, r := range rows {
			if r.cell(set) != "" {
				sets = once(sets, set)
			}
		}
	}
	t.Columns = append(t.Columns, sets...)
	for _, r := range rows {
		cells := []any{r.name, ""}
		if r.pictures > 0 {
			cells[1] = fmt.Sprintf("%.3g", r.pictures)
		}
		for _, set := range sets {
			cells = append(cells, r.cell(set))
		}
		t.Add(cells...)
	}
	return t
}

// analogueScores is the file with the accuracies of analogues: `sd seeds --csv` writes it.
const analogueScores = "models/seeds-analogues.csv"

// accuracyRows reads rows of what comes with the repository, of those of the models that are there.
func (r *Results) accuracyRows(names []string) (rows []accuracyRow, err error) {
	seeds, err := kept(r, analogueScores, study.ReadSeeds)
	if notThere(err) != nil {
		return nil, err
	}
	for _, name := range names {
		row := accuracyRow{name: name, scores: map[string][]finetune.Score{}}
		if training, err := study.Preset(name); err == nil {
			row.pictures = picturesBefore(training)
			for _, s := range seeds {
				if s.Preset == name {
					row.scores[s.Set] = append(row.scores[s.Set], s.Score)
				}
			}
		} else {
			m, err := r.metrics(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			row.name, row.pictures = r.label(name), picturesBefore(m.Training)
			for _, s := range m.Sets {
				row.scores[s.Name] = []finetune.Score{s.All}
			}
		}
		if len(row.scores) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// picturesBefore is how many millions of pictures a model had seen before its task: those that the pretraining of a checkpoint
// began from, or all that an analogue was shown.
func picturesBefore(t study.Training) float64 {
	for t.After != nil {
		t = *t.After
	}
	if p := t.Pretraining; p != nil {
		shown := p.Recipe.Epochs * p.Recipe.Images
		if p.Scenes.Distinct > 0 {
			shown = min(shown, p.Scenes.Distinct)
		}
		return float64(shown) / 1e6
	}
	return pretrainingPictures[t.Start]
}

// pretrainingPictures are the pictures that checkpoints were pretrained on, in millions, as their papers say: CLIP's pairs of pictures
// and texts, LVD-142M, ImageNet-21k, and ImageNet-1k.
var pretrainingPictures = map[string]float64{"clip-b16": 400, "clip-b32": 400, "dinov2-b14": 142, "dinov2-s-saliency": 142, "imagenet-b16": 14.2, "dino-b16": 1.28, "mae-b16": 1.28}

// logged are the authors' rows.
func (i Item) logged() (rows []accuracyRow) {
	for _, l := range Logs {
		wide := l.Checkpoint == "clip-b32"
		if l.Task == i.Task && l.Objects == i.Objects && !wide || i.Task == "" && wide {
			name := fmt.Sprintf("the authors' %s, run %s", checkpointTitle(l.Checkpoint), l.Run)
			if i.Task == "" {
				name = fmt.Sprintf("the authors' %s, %s, %s combinations, run %s", checkpointTitle(l.Checkpoint), l.Task, l.Objects, l.Run)
			}
			rows = append(rows, accuracyRow{name: name, pictures: pretrainingPictures[l.Checkpoint], logged: l.Accuracy})
		}
	}
	return rows
}

// checkpointTitle writes "clip-b16" as "CLIP ViT-B/16".
func checkpointTitle(checkpoint string) string {
	names := map[string]string{"clip": "CLIP", "dinov2": "DINOv2", "imagenet": imageNet, "dino": dino, "mae": mae, "scratch": "scratch"}
	name, patch, ok := strings.Cut(checkpoint, "-b")
	if title := names[name]; ok && title != "" {
		return title + " ViT-B/" + patch
	}
	return checkpoint
}

// measured asks the models of a request, in the store or by computing.
func (i Item) measured(ctx context.Context, l *study.Lab, r Request, sets []string) (rows []accuracyRow, err error) {
	subjects, err := i.subjects(ctx, l, r)
	if err != nil {
		return nil, err
	}
	for _, s := range subjects {
		m, err := l.Model(ctx, s)
		if err != nil {
			return nil, err
		}
		c, err := i.learned(ctx, l, s)
		if err != nil {
			return nil, err
		}
		row := accuracyRow{name: m.Label(s.Name), pictures: picturesBefore(m.Training), scores: map[string][]finetune.Score{}}
		for _, n := range study.Sets(c, 0) {
			for _, name := range sets {
				if n.Name != name {
					continue
				}
				set, err := stimuli.Open(n.Stimuli)
				if err != nil {
					return nil, err
				}
				result, err := l.EvaluateOn(ctx, m, n.Name, set)
				if err != nil {
					return nil, err
				}
				row.scores[name] = []finetune.Score{result.All}
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// AccuracyTables are Tables 2 to 6 of what comes with the repository, beside what the authors logged: nothing is computed.
func AccuracyTables() (all []figure.Table, err error) {
	for _, i := range Contents {
		if i.Kind == ATable && len(i.Number) == 1 && i.Number >= "2" && i.Number <= "6" {
			d, err := i.Draw(context.Background(), nil, Request{})
			if err != nil {
				return nil, err
			}
			all = append(all, *d.Table)
		}
	}
	return all, nil
}
