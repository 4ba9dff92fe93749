package paper

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/repo"
	"samediff/sdlib/probe"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// Results are those that come with the repository: the folders of the models of the course, and the
// files beside them that commands wrote with --csv. Nothing is computed. A result that is not there is
// fs.ErrNotExist, so that one which is added later is found without a change here.
type Results struct {
	root string
	read map[string]any // by path
	only *Found         // the model that they are of alone, and nothing else is read; nil for all of the repository
}

// OpenResults opens the results of the repository that the program belongs to.
func OpenResults() (*Results, error) {
	root, ok := repo.Root()
	if !ok {
		return nil, errors.New("the results lie in the repository: run this inside it, or set SD_ROOT to its folder")
	}
	return &Results{root: root, read: map[string]any{}}, nil
}

// kept returns what read makes of a file of the repository, which is read once.
func kept[T any](r *Results, path string, read func(path string) (T, error)) (T, error) {
	if x, ok := r.read[path].(T); ok {
		return x, nil
	}
	if r.only != nil {
		return *new(T), fs.ErrNotExist
	}
	full := filepath.Join(r.root, filepath.FromSlash(path))
	if _, err := os.Stat(full); err != nil {
		return *new(T), err
	}
	x, err := read(full)
	if err == nil {
		r.read[path] = x
	}
	return x, err
}

// metrics returns what the folder of a model says of it.
func (r *Results) metrics(model string) (*study.Metrics, error) {
	return kept(r, "models/"+model+"/metrics.json", func(string) (*study.Metrics, error) { return study.CourseMetrics(model) })
}

// atChance reports whether a model of the course is known to have learned nothing: the interval of its accuracy on fresh images
// has one half in it.
func (r *Results) atChance(model string) bool {
	m, err := r.metrics(model)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(m.Sets, func(s study.SetResult) bool {
		low, high := s.All.Interval()
		return s.Name == study.SetNames[1] && low <= .5 && .5 <= high
	})
}

// unlearned reports whether a pretrained model did not learn its task here, so that no analysis can say anything of how it does that.
func (r *Results) unlearned(model string) bool { return !small(model) && r.atChance(model) }

// notLearned is what is missing where a pretrained model did not learn its task.
func notLearned(model string) string {
	return "a model that learned the task (" + model + " is at chance)"
}

// heads returns a model's head scores: those in its folder, or of `sd attention MODEL --csv`.
func (r *Results) heads(model string) (*attention.Scores, error) {
	s, err := kept(r, "models/"+model+"/heads.json", func(string) (*attention.Scores, error) { return study.CourseHeads(model) })
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	return kept(r, "models/heads-"+model+".csv", func(path string) (*attention.Scores, error) {
		text, err := disk.ReadText(path)
		if err != nil {
			return nil, err
		}
		return attention.ReadCSV(bytes.NewReader(text))
	})
}

// searches returns the scores of alignment searches in a model; its controls may have a file of their own.
func (r *Results) searches(model string) ([]study.DASScore, error) {
	scores, err := kept(r, "models/das-"+model+".csv", study.ReadDAS)
	if err != nil {
		return nil, err
	}
	controls, err := kept(r, "models/das-"+model+"-wrong-object.csv", study.ReadDAS)
	return slices.Concat(scores, controls), notThere(err)
}

// novel returns the scores of novel representations in a model.
func (r *Results) novel(model string) ([]study.NovelScore, error) {
	return kept(r, "models/novel-"+model+".csv", study.ReadNovel)
}

// linearResults is what probes and interventions found in a model.
type linearResults struct {
	probed  study.Probed
	effects []probe.Effect
}

func (r *Results) linear(model string) (linearResults, error) {
	return kept(r, "models/probe-"+model+".csv", func(path string) (l linearResults, err error) {
		l.probed, l.effects, err = study.ReadLinear(path)
		return l, err
	})
}

// losses returns the runs of Table 1, 7 or 8.
func (r *Results) losses(number string) ([]study.AblationResult, error) {
	return kept(r, "models/table"+number+".csv", study.ReadAblation)
}

// records returns the lines of a table in notebooks/results, by the names of its columns.
func (r *Results) records(name string) ([]map[string]string, error) {
	return kept(r, "notebooks/results/"+name, func(path string) ([]map[string]string, error) {
		text, err := disk.ReadText(path)
		if err != nil {
			return nil, err
		}
		lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err == nil && len(lines) == 0 {
			err = errors.New("it is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: expected a table with the names of its columns: %w", path, err)
		}
		var all []map[string]string
		for _, line := range lines[1:] {
			record := map[string]string{}
			for i, column := range lines[0] {
				record[column] = line[i]
			}
			all = append(all, record)
		}
		return all, nil
	})
}

// blocks is how many blocks a model has, 0 where that is not known.
func (r *Results) blocks(model string) int {
	if r.only != nil {
		return r.only.Config.Blocks
	}
	m, err := r.metrics(model)
	if err != nil {
		return 0
	}
	return m.Training.Model.Blocks
}

// label is a model's name with what was done to its weights.
func (r *Results) label(model string) string {
	m, err := r.metrics(model)
	if err != nil {
		return model
	}
	return (&vit.Origin{Weights: m.Weights}).Label(model)
}

// small reports whether a model stands for one of the paper's and is a small one, trained from scratch.
func (r *Results) small(model string) bool {
	if r.only != nil {
		return r.only.Config.Params() < smallest
	}
	return small(model)
}

// smallest is a number of parameters between those of the course's models and a ViT-S.
const smallest = 15_000_000

// small reports whether a model of the course was trained from scratch, or is an analogue, so that it only
// stands for a model that the paper pretrained.
func small(model string) bool {
	if strings.HasPrefix(model, "course-") {
		return true
	}
	all := study.CourseModels()
	i := slices.IndexFunc(all, func(c study.CourseModel) bool { return c.Name == model })
	return i >= 0 && all[i].Training.Base() == ""
}

// notThere returns nil for the error of a result that is not there, which is no failure.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
