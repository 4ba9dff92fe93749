package study

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/hub"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Training says everything that a trained model depends on.
type Training struct {
	Model     vit.Config      `json:"model"`
	ModelSeed uint64          `json:"model_seed"` // of the starting weights, or of the new head
	Stimuli   stimuli.Config  `json:"stimuli"`    // the training set; the other splits have the same configuration
	Val       int             `json:"val"`        // images of the validation set, evaluated after each epoch
	Recipe    finetune.Recipe `json:"recipe"`
	// Start names the pretrained weights that training starts from, one of
	// vit.Checkpoints such as "clip-b16"; "" is random ones. The checkpoint's repository
	// and commit are in Source, which Train fills in: they belong to the key.
	Start  string `json:"start,omitempty"`
	Source string `json:"source,omitempty"`
}

// Quick is the model that `make demo` trains: discrimination on 6,400 images of 64
// pixels with one token per object, 4 blocks, 0.5 million parameters, with the
// disentanglement loss. `sd train quick` takes two to three minutes on two CPU cores;
// docs/benchmarks.md has the accuracies it reached.
var Quick = Training{
	Model: vit.CourseQuick, ModelSeed: 1,
	Stimuli: stimuli.Config{Geometry: stimuli.CourseQuick, Seed: 1},
	Val:     1600,
	Recipe:  finetune.Quick,
}

// Course is the larger course model: four tokens per object, 6 blocks, 0.7 million
// parameters. `sd train course` takes about ten minutes on two CPU cores.
var Course = Training{
	Model: vit.Course, ModelSeed: 1,
	Stimuli: stimuli.Config{Geometry: stimuli.Course, Seed: 1},
	Val:     1600,
	Recipe:  finetune.Course,
}

// RMTS is the model that learns relational match-to-sample: as Quick, with 6 blocks and
// 12,800 images, and with the relation loss, without which it does not learn.
// `sd train rmts` takes about five minutes on two CPU cores.
var RMTS = Training{
	Model: deeper(vit.CourseQuick, 6), ModelSeed: 1,
	Stimuli: stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.CourseQuick, Size: 12800, Seed: 1},
	Val:     1600,
	Recipe:  finetune.RMTS,
}

// deeper returns a configuration with another number of blocks.
func deeper(c vit.Config, blocks int) vit.Config {
	c.Blocks = blocks
	return c
}

// A Model is a vision transformer with the key that names it in the store.
type Model struct {
	*vit.Model
	ID       artifact.ID      // of the training, or the hash of a model read from files
	Training Training         // what it was trained by; the zero value for a model read from files
	History  []finetune.Epoch // one line per epoch
	Dir      string           // folder with config.json and model.safetensors
}

// trainVersion is raised when the same Training would be another experiment. Another order
// of sums is none: it changes the last bits, as another machine does.
const trainVersion = 1

// Files of a training's artifact, beside the model's own.
const (
	historyFile = "history.json"
	LogFile     = "log.jsonl" // a line for each epoch, with the seconds it took
)

// Train returns the model of a training, and trains it if the store does not have it.
// Interrupted, even by kill -9, it goes on where it stopped when asked again.
func (l *Lab) Train(ctx context.Context, t Training) (*Model, error) {
	train, val, err := t.open()
	if err != nil {
		return nil, err
	}
	a, err := l.Store.Get(ctx, t.key(), func(ctx context.Context, dir string) error {
		be, err := l.Backend()
		if err != nil {
			return err
		}
		start, err := t.start(ctx, l.options.Hub)
		if err != nil {
			return err
		}
		result, err := finetune.Train(ctx, be, start, train, val, t.Recipe, finetune.Options{
			Dir: filepath.Join(dir, "work"), Log: filepath.Join(dir, LogFile),
			Progress: l.options.Progress, Warn: l.options.Notify, OnEpoch: l.options.OnEpoch})
		if err != nil {
			return err
		}
		if err := result.Model.Save(dir); err != nil {
			return err
		}
		text, err := json.MarshalIndent(result.History, "", " ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, historyFile), text, 0o644)
	})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	m := &Model{ID: a.ID, Training: t, Dir: a.Dir}
	if m.Model, err = vit.Load(a.Dir); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(a.Path(historyFile))
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return m, json.Unmarshal(text, &m.History)
}

// key names the trained model in the store.
func (t *Training) key() artifact.Key {
	return artifact.Key{Step: "train", Version: trainVersion, Params: *t}
}

// start returns the model before the first step.
func (t *Training) start(ctx context.Context, o hub.Options) (*vit.Model, error) {
	if t.Start == "" {
		return vit.New(t.Model, t.ModelSeed)
	}
	return vit.Pretrained(ctx, t.Start, t.Model.Classes, t.ModelSeed, o)
}

// open checks the training and plans its sets, before anything is computed.
func (t *Training) open() (train, val *stimuli.Set, err error) {
	if t.Stimuli, err = t.Stimuli.Resolved(); err != nil {
		return nil, nil, err
	}
	if t.Start != "" {
		c, err := vit.FindCheckpoint(t.Start)
		if err != nil {
			return nil, nil, err
		}
		if t.Model != c.Config {
			return nil, nil, fmt.Errorf("a training that starts from %s has another model than that: expected %+v, got %+v", t.Start, c.Config, t.Model)
		}
		t.Source = c.Repo + "@" + c.Revision
	}
	t.Stimuli.Split = stimuli.Train
	if train, err = stimuli.Open(t.Stimuli); err != nil {
		return nil, nil, err
	}
	if t.Val > 0 {
		c := t.Stimuli
		c.Split, c.Size = stimuli.Val, t.Val
		if val, err = stimuli.Open(c); err != nil {
			return nil, nil, err
		}
	}
	return train, val, t.Recipe.Validate(t.Model, train.Len())
}

// Load returns the model in a folder, as [vit.Load] reads it. Its results are kept
// under the hash of its weights, wherever the folder lies.
func (l *Lab) Load(dir string) (*Model, error) {
	m, err := vit.Load(dir)
	if err != nil {
		return nil, err
	}
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	return &Model{Model: m, ID: artifact.ID(hash), Dir: dir}, nil
}
