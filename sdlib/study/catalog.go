package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/delta"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/repo"
	"samediff/sdlib/optimize"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A CourseModel is a training whose model comes with the repository, in a folder of that
// name under models/, so that analyses can begin without training. Some have no weights
// there, most of those at chance ([ErrNoWeights]): only their recipe, history and accuracies.
type CourseModel struct {
	Name     string // task, set, size, and "plain" without auxiliary losses: "rmts-256-quick"
	About    string // what it is there to show
	Training Training
	// Pack, where not zero, says how the model is kept as a difference to its base (package delta). The base is the
	// checkpoint that the training began from, and has to be fetched.
	Pack delta.Method
	// Images is the size of the sets that it is evaluated on, besides its training images; 0 is that of [Sets].
	Images int
}

// CourseModels are the models of the course: both tasks, all 256 combinations of shape
// and color or 32 of them, with auxiliary losses and without ("plain": the same data,
// steps and seeds), and RMTS with the losses that the paper has ("paper"); then the real
// models that were fine-tuned here, which are kept as differences to what others pretrained.
func CourseModels() []CourseModel {
	var all []CourseModel
	add := func(name, about string, t Training, losses Losses) {
		all = append(all, CourseModel{Name: name, About: about, Training: losses.Apply(t)},
			CourseModel{Name: name + "-plain", About: "the same without auxiliary losses", Training: Losses{}.Apply(t)})
	}
	both := Losses{Disentangle: true, Relation: true}

	quick := Quick
	quick.Recipe.Epochs, quick.Recipe.Relation.After, quick.Recipe.Fresh = 24, 2, true // on 6,400 images it stops at .984
	add("discrimination-256-quick", "one token per object; learns the task best", quick, both)
	add("rmts-256-quick", "RMTS learned by the relation loss", RMTS, both)
	longer := RMTS
	longer.Recipe.Epochs, longer.Recipe.Fresh = 48, true
	all = append(all, CourseModel{Name: "rmts-256-quick-paper", About: "RMTS learned by the paper's two losses, disentanglement and pipeline",
		Training: Losses{Disentangle: true, WithinObject: true, WithinPair: true, BetweenPairs: true}.Apply(longer)})
	quad := Losses{Disentangle: true, WithinObject: true, WithinPair: true, Relation: true}
	add("discrimination-256-course", "four tokens per object, as in ViT-B/16", Course, quad)
	rmts := Course
	rmts.Stimuli.Task, rmts.Stimuli.Size, rmts.Recipe.Relation.After = stimuli.RMTS, 12800, 3 // two blocks are left to compare the pairs
	add("rmts-256-course", "RMTS with four tokens per object", rmts, quad)

	small := func(task stimuli.Task) Training {
		return Ablation{Scale: CourseScale, Task: task, Seed: AblationSeeds[0]}.Training()
	}
	add("discrimination-32-quick", "32 combinations; the other 224 are new to it (Table 1)", small(stimuli.Discrimination), both)
	add("rmts-32-quick", "32 combinations; the other 224 are new to it (Table 1)", small(stimuli.RMTS), both)
	few := func(t Training) Training {
		t.Stimuli.Objects, t.Stimuli.Size = stimuli.Compositional32, 6400
		return t
	}
	add("discrimination-32-course", "32 combinations with four tokens per object", few(Course), quad)
	rmts.Recipe.Epochs *= 2 // of half as many images; in 24 epochs only the relation probe learns
	add("rmts-32-course", "32 combinations with four tokens per object", few(rmts), quad)
	return append(all, pretrained()...)
}

// packed reports whether the model is kept as a difference to its base.
func (c CourseModel) packed() bool { return c.Pack != delta.Method{} }

// Metrics is what is known of a model of the course, in its folder's metrics.json.
type Metrics struct {
	Name     string           `json:"name"`
	Command  string           `json:"command"` // what makes the folder again
	Training Training         `json:"training"`
	ID       artifact.ID      `json:"id"` // of the training
	Machine  string           `json:"machine"`
	Seconds  float64          `json:"seconds"`           // of training
	Weights  string           `json:"weights,omitempty"` // what was done to those that it began from ([vit.Origin])
	Seal                      // of the folder, so that the accuracies are those of the weights beside them
	Sets     []SetResult      `json:"sets"`
	History  []finetune.Epoch `json:"history"`
}

const metricsFile = "metrics.json"

// courseDType is the type of the course's weights in their files. They are small numbers, which float16 rounds to
// 11 significant bits; bfloat16 would keep 8.
const courseDType = "F16"

// ErrNoWeights is the reason why [Lab.CourseModel] fails for a model of which the
// repository holds all but the weights.
var ErrNoWeights = errors.New("its weights do not come with the repository")

// BuildCourseModel trains a model of the course if the store does not have it, and writes
// its folder: the model in Hugging Face layout, its weights rounded to float16, or packed as
// a difference to its base; metrics.json and log.jsonl. The accuracies are those of the
// weights as they are written. The folder is written aside and renamed.
func (l *Lab) BuildCourseModel(ctx context.Context, name, dir string) (*Metrics, error) {
	i := slices.IndexFunc(CourseModels(), func(c CourseModel) bool { return c.Name == name })
	if i < 0 {
		return nil, unknownCourseModel(name)
	}
	return l.build(ctx, CourseModels()[i], dir)
}

func (l *Lab) build(ctx context.Context, c CourseModel, dir string) (*Metrics, error) {
	m, err := l.Train(ctx, c.Training)
	if err != nil {
		return nil, err
	}
	made, err := l.Store.Find(string(m.Trained))
	if err != nil {
		return nil, err
	}
	save := func(dir string) error { return m.SaveAs(dir, vit.Saving{DType: courseDType}) }
	if c.packed() {
		packed, err := l.packCourseModel(ctx, c, m)
		if err != nil {
			return nil, fmt.Errorf("build model %s: %w", c.Name, err)
		}
		save = packed.Save
	}
	var metrics *Metrics
	err = disk.ReplaceFolder(dir, slices.Concat(vit.Files(), delta.Files(), []string{metricsFile, LogFile, headsFile}), func(aside string) error {
		if err := save(aside); err != nil {
			return err
		}
		written, err := l.Load(aside)
		if err != nil {
			return err
		}
		written.Training = m.Training // metrics.json is not there yet
		sets, err := l.EvaluateSize(ctx, written, c.Images)
		if err != nil {
			return err
		}
		metrics = &Metrics{Name: c.Name, Command: "sd model build " + c.Name, Training: m.Training, ID: m.Trained,
			Machine: made.Meta.Machine, Seconds: made.Meta.Seconds, Weights: written.Origin.String(), Sets: sets, History: m.History}
		if made.Meta.Resumed { // its own seconds are those of the last process
			if metrics.Seconds, err = loggedSeconds(filepath.Join(m.Dir, LogFile)); err != nil {
				return err
			}
		}
		if c.packed() { // for those who do not have the base
			if err := l.writeHeads(ctx, written, aside); err != nil {
				return err
			}
		}
		log, err := os.ReadFile(filepath.Join(m.Dir, LogFile))
		if err == nil {
			err = os.WriteFile(filepath.Join(aside, LogFile), log, 0o644)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return metrics.write(aside)
	})
	if err != nil {
		return nil, fmt.Errorf("build model %s: %w", c.Name, err)
	}
	return metrics, nil
}

// CourseModelDir returns the folder of a model of the course.
func CourseModelDir(name string) (string, error) {
	root, ok := repo.Root()
	if !ok {
		return "", errors.New("the models of the course lie in the repository: run this inside it, or set SD_ROOT to its folder")
	}
	return filepath.Join(root, "models", name), nil
}

// CourseMetrics returns what is known of a model of the course: its recipe, accuracies
// and the history of its training. Its weights need not be in the repository.
func CourseMetrics(name string) (*Metrics, error) {
	dir, err := CourseModelDir(name)
	if err != nil {
		return nil, err
	}
	metrics, err := readMetrics(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !slices.ContainsFunc(CourseModels(), func(c CourseModel) bool { return c.Name == name }) {
			return nil, unknownCourseModel(name)
		}
		return nil, fmt.Errorf("the model %s is not in %s: `sd model build %s` trains it", name, filepath.Dir(dir), name)
	case err != nil:
		return nil, err
	}
	return metrics, nil
}

// loggedSeconds returns the seconds of all epochs in the log of a training.
func loggedSeconds(path string) (seconds float64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		var epoch struct{ Seconds optimize.Times }
		if err := json.Unmarshal(line, &epoch); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		t := epoch.Seconds
		seconds += t.Data + t.Compile + t.Step + t.Evaluation
	}
	return math.Round(seconds*1000) / 1000, nil
}

// CourseModel returns a model that comes with the repository. Its results are kept under
// the hash of its weights. The error wraps [ErrNoWeights] where the weights have to be
// trained first, and [ErrNoBase] where its base has to be fetched; [CourseMetrics] needs
// neither.
func (l *Lab) CourseModel(name string) (*Model, *Metrics, error) {
	metrics, err := CourseMetrics(name)
	if err != nil {
		return nil, nil, err
	}
	dir, err := CourseModelDir(name)
	if err != nil {
		return nil, nil, err
	}
	m, err := l.Load(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("the model %s: %w, only its recipe, log and accuracies: `sd model build %s` trains it, in about %.0f minutes on two CPU cores",
			name, ErrNoWeights, name, max(1, metrics.Seconds/60))
	case err != nil:
		return nil, nil, fmt.Errorf("the model %s: %w", name, err)
	}
	return m, metrics, nil
}

func unknownCourseModel(name string) error {
	var names []string
	for _, c := range CourseModels() {
		names = append(names, c.Name)
	}
	return fmt.Errorf("the course has no model %q, expected one of %s", name, strings.Join(names, ", "))
}
