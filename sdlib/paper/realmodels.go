package paper

import (
	"errors"
	"fmt"
	"slices"

	"samediff/sdlib/delta"
	"samediff/sdlib/figure"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// A RealModel is a fine-tuned pretrained model of the course, as its folder describes it: its weights are not needed.
type RealModel struct {
	Metrics *study.Metrics
	Packed  *delta.Delta
}

// RealModels reads what the folders of the course's fine-tuned pretrained models say, of those that are there.
func RealModels() ([]RealModel, error) {
	var all []RealModel
	for _, c := range study.CourseModels() {
		dir, err := study.CourseModelDir(c.Name)
		if err != nil {
			return nil, err
		}
		if !delta.Packed(dir) {
			continue
		}
		m := RealModel{}
		if m.Metrics, err = study.CourseMetrics(c.Name); err != nil {
			return nil, err
		}
		if m.Packed, err = delta.Read(dir); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, errors.New("no fine-tuned pretrained model is in models/: sd model ls lists them, sd model build NAME makes one")
	}
	return all, nil
}

// Label is the model's name as tables and captions have it.
func (m RealModel) Label() string {
	origin := vit.Origin{Weights: m.Metrics.Weights}
	return origin.Label(m.Metrics.Name)
}

// RealModelTable sets fine-tuned pretrained models beside what the authors' logs say of the same task, set and checkpoint: how many images
// each saw in training, its accuracy on every set with Wilson's 95 % interval, and on how many images of a test set that is.
func RealModelTable(models ...RealModel) figure.Table {
	sets := study.SetNames[1:]
	t := figure.Table{Title: "Fine-tuned pretrained models, beside the authors' logs", Columns: append([]string{"model", "pixels", "images in training", "n"}, sets...)}
	for i, m := range models {
		last := m.Metrics.Training
		row := []any{m.Label(), last.Model.Image, seen(last), ""}
		for _, name := range sets {
			cell := ""
			for _, s := range m.Metrics.Sets {
				if s.Name == name {
					low, high := s.All.Interval()
					cell = fmt.Sprintf("%.3f (%.3f–%.3f)", s.All.Accuracy(), low, high)
					row[3] = s.All.N
				}
			}
			row = append(row, cell)
		}
		t.Add(row...)
		log, ok := m.log()
		again := slices.ContainsFunc(models[i+1:], func(later RealModel) bool { other, _ := later.log(); return other.Run == log.Run })
		if ok && !again { // behind the last of those that it stands beside
			t.Add(log.row(sets)...)
		}
	}
	return t
}

// log returns what the authors logged of the same task, set and checkpoint.
func (m RealModel) log() (Logged, bool) {
	learned := m.Metrics.Training
	return logOf(learned.Base(), learned.Stimuli.Task, learned.Stimuli.Objects)
}

// row is a line of RealModelTable.
func (l Logged) row(sets []string) []any {
	row := []any{fmt.Sprintf("the authors' %s, run %s", l.Checkpoint, l.Run), 224, LoggedImages, ""}
	for _, name := range sets {
		cell := ""
		if a, ok := l.Accuracy[name]; ok {
			cell = fmt.Sprintf("%.3f", a)
		}
		row = append(row, cell)
	}
	return row
}

// seen returns how many images a training showed, after those of the trainings before it.
func seen(t study.Training) string {
	text := fmt.Sprint(t.Recipe.Epochs * t.Stimuli.Size)
	if t.After != nil {
		text = seen(*t.After) + " + " + text
	}
	return text
}

// PackingTable shows what survives when fine-tuned models are kept as differences of low rank: the size of the file, how much of the
// difference is cut off (‖packed - tuned‖ / ‖tuned - base‖), and the accuracy and the scores of the heads before and after.
func PackingTable(models ...RealModel) figure.Table {
	t := figure.Table{Title: "Before and after packing", Columns: []string{
		"model", "kept", "MB", "cut off, %", "n", "accuracy before", "after", "a head's score by at most"}}
	for _, m := range models {
		size, err := m.Packed.Bytes()
		if err != nil {
			panic(err) // it was read from a file of that size
		}
		row := []any{m.Metrics.Name, m.Packed.Method, fmt.Sprintf("%.1f", float64(size)/1e6), fmt.Sprintf("%.0f", 100*m.Packed.Lost), "", "", "", ""}
		for _, c := range m.Packed.Checks {
			row = append(row[:4], c.Images, fmt.Sprintf("%.3f", c.Before), fmt.Sprintf("%.3f", c.After), fmt.Sprintf("%.3f", c.Heads))
		}
		t.Add(row...)
	}
	return t
}
