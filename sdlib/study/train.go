package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"samediff/sdlib/artifact"
	"samediff/sdlib/delta"
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
	// Start names the weights that training starts from: one of vit.Checkpoints such as
	// "clip-b16", or a folder with a model, which is given a new head; "" is random ones.
	// From a folder Model may be left zero: it is then what the folder holds.
	Start string `json:"start,omitempty"`
	// Source says what the starting weights are, for the key: a checkpoint's repository and
	// commit, or the hash of a folder's weights, whose path is then not part of the key.
	// Train fills it in.
	Source string `json:"source,omitempty"`
	// After is a training whose model this one starts from, with a new head; nil for none.
	After *Training `json:"after,omitempty"`
	// Pretraining makes an analogue that this training starts from, with a new head; nil for none.
	Pretraining *Pretraining `json:"pretraining,omitempty"`
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
// 12,800 images, and with the relation loss, without which it does not learn in its 12 epochs.
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

// trainVersion is raised when the same Training would be another experiment. Another order
// of sums is none: it changes the last bits, as another machine does.
const trainVersion = 1

// Train returns the model of a training, and trains it if the store does not have it.
// Interrupted, even by kill -9, it goes on where it stopped when asked again.
func (l *Lab) Train(ctx context.Context, t Training) (*Model, error) {
	r, err := t.resolve()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	a, err := l.Store.Get(ctx, r.key(), func(ctx context.Context, dir string) error {
		l.begin(ctx)
		be, err := l.Backend()
		if err != nil {
			return err
		}
		start, err := l.start(ctx, r)
		if err != nil {
			return err
		}
		result, err := finetune.Train(ctx, be, start, r.train, r.val, r.Recipe, finetune.Options{
			Dir: filepath.Join(dir, "work"), Log: filepath.Join(dir, LogFile), Devices: l.options.Devices,
			Progress: l.options.Progress, Warn: l.options.Notify, OnEpoch: l.options.OnEpoch})
		if err != nil {
			return err
		}
		return writeModel(dir, result.Model, result.History)
	})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	m, err := l.readTrained(a, r.Training)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return m, nil
}

// look describes what the store has of a training; the zero Info is nothing.
func (l *Lab) look(ctx context.Context, t Training) (artifact.Info, error) {
	r, err := t.resolve()
	if err != nil {
		return artifact.Info{}, err
	}
	id, err := r.key().ID()
	if err != nil {
		return artifact.Info{}, err
	}
	info, err := l.Store.Look(ctx, id)
	if errors.Is(err, artifact.ErrNotFound) {
		return artifact.Info{}, nil
	}
	return info, err
}

// A resolved training has all its fields written out, as they stand in the key.
type resolved struct {
	Training
	train, val *stimuli.Set
	folder     *vit.Model // that Start named
}

// key names the trained model in the store.
func (r resolved) key() artifact.Key {
	return artifact.Key{Step: "train", Version: trainVersion, Params: r.Training}
}

// start returns the model before the first step.
func (l *Lab) start(ctx context.Context, r resolved) (*vit.Model, error) {
	switch {
	case r.folder != nil:
		return r.folder, nil
	case r.Start != "":
		return vit.PretrainedAt(ctx, r.Start, r.Model.Image, r.Model.Classes, r.ModelSeed, l.options.Hub)
	case r.After != nil:
		before, err := l.Train(ctx, *r.After)
		if err != nil {
			return nil, err
		}
		return before.WithHead(r.Model.Classes, r.ModelSeed, r.Model.Image)
	case r.Pretraining != nil:
		analogue, err := l.Pretrain(ctx, *r.Pretraining)
		if err != nil {
			return nil, err
		}
		return analogue.WithHead(r.Model.Classes, r.ModelSeed, 0)
	case r.Source != "":
		return nil, fmt.Errorf("the training starts from %s, which the store does not have: give the folder that holds them as its Start", r.Source)
	}
	return vit.New(r.Model, r.ModelSeed)
}

// resolve checks a training and writes out what its key consists of, before anything is computed.
func (t Training) resolve() (r resolved, err error) {
	if t.Stimuli, err = t.Stimuli.Resolved(); err != nil {
		return r, err
	}
	t.Stimuli.Split = stimuli.Train
	if t.After != nil {
		if t.Start != "" {
			return r, fmt.Errorf("a training starts from %s or after another training, not from both", t.Start)
		}
		before, err := t.After.resolve()
		if err != nil {
			return r, fmt.Errorf("the training before: %w", err)
		}
		t.After = &before.Training
	}
	if t.Pretraining != nil {
		if t.Start != "" || t.After != nil {
			return r, errors.New("a training starts after a pretraining, after another training, or from weights: give one of Pretraining, After and Start")
		}
		before, _, err := t.Pretraining.resolve()
		if err != nil {
			return r, fmt.Errorf("the pretraining before: %w", err)
		}
		want, err := before.start(max(t.Model.Classes, 2), t.Stimuli.Geometry.Image)
		if err != nil {
			return r, err
		}
		if t.Model != want && t.Model != (vit.Config{}) {
			return r, fmt.Errorf("a training after a pretraining has another model than that: expected %+v, got %+v", want, t.Model)
		}
		t.Pretraining, t.Model = &before, want
	}
	if t.Start != "" {
		if c, err := vit.FindCheckpoint(t.Start); err == nil {
			t.Source = c.Repo + "@" + c.Revision
			if s := c.Source(hub.Options{}); s != "" { // which weights are on this machine: the hub's or 8-bit ones
				t.Source = s
			}
			want, err := c.At(t.Model.Image)
			if err != nil {
				return r, err
			}
			if t.Model != want {
				return r, fmt.Errorf("a training that starts from %s has another model than that: expected %+v, got %+v", t.Start, want, t.Model)
			}
		} else if r.folder, err = t.open(err); err != nil {
			return r, err
		} else {
			hash, err := r.folder.Hash()
			if err != nil {
				return r, err
			}
			t.Model, t.Start, t.Source = r.folder.Config, "", "weights "+hash
		}
	}
	r.Training = t
	if r.train, err = stimuli.Open(t.Stimuli); err != nil {
		return r, err
	}
	if t.Val > 0 {
		c := t.Stimuli
		c.Split, c.Size = stimuli.Val, t.Val
		if r.val, err = stimuli.Open(c); err != nil {
			return r, err
		}
	}
	return r, t.Recipe.Validate(t.Model, t.Stimuli.Size)
}

// open reads the model in the folder that Start names, and gives it a new head.
// unknown is why Start is no checkpoint.
func (t Training) open(unknown error) (*vit.Model, error) {
	if _, err := os.Stat(filepath.Join(t.Start, "config.json")); err != nil {
		return nil, fmt.Errorf("a training cannot start from %q: it is no folder with config.json and weights, and %w", t.Start, unknown)
	}
	classes := t.Model.Classes
	if classes == 0 {
		classes = 2
	}
	m, err := delta.LoadBackbone(t.Start, classes, t.ModelSeed, t.Stimuli.Geometry.Image, Bases(hub.Options{}))
	if err != nil {
		return nil, err
	}
	if t.Model != (vit.Config{}) && t.Model != m.Config {
		return nil, fmt.Errorf("a training that starts from %s has another model than that: expected %+v, got %+v", t.Start, m.Config, t.Model)
	}
	return m, nil
}
