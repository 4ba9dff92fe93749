package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/artifact"
)

// Find returns the model that a name stands for:
//
//   - one of Presets, which is trained if the store does not have it, unless it is a
//     checkpoint of the paper, which takes too long to do unasked;
//   - one of CourseModels, if its weights come with the repository (see [ErrNoWeights]);
//   - the ID of a model that the store has, or of its training, or the first digits of one
//     if no other model has the same;
//   - "pretrained:" and one of [vit.Checkpoints], for its weights before any fine-tuning and a head
//     that knows nothing: "pretrained:clip-b16", or for images of another side in pixels
//     "pretrained:clip-b16@112";
//   - a folder with config.json and model.safetensors, as for [Lab.Load]. Such a model does
//     not say what it learned from: it is asked about stimuli of the geometry that its images
//     and patches have, all objects, the seed of the presets.
func (l *Lab) Find(ctx context.Context, name string) (*Model, error) {
	if t, err := Preset(name); err == nil {
		info, err := l.look(ctx, t)
		if err != nil {
			return nil, err
		}
		if hours := t.flops() / assumedCPU / 3600; hours > 10 && info.State != artifact.Finished {
			return nil, fmt.Errorf("%s was not fine-tuned yet, which takes hours on a GPU, or about %.0f hours on two CPU cores: `sd train %s` does it", name, hours, name)
		}
		return l.Train(ctx, t)
	}
	if slices.ContainsFunc(CourseModels(), func(c CourseModel) bool { return c.Name == name }) {
		m, _, err := l.CourseModel(name)
		return m, err
	}
	if checkpoint, ok := strings.CutPrefix(name, pretrainedPrefix); ok {
		return l.untuned(ctx, checkpoint)
	}
	found, err := l.trained(ctx, name)
	if err != nil {
		return nil, err
	}
	switch {
	case len(found) == 1:
		return l.read(ctx, found[0])
	case len(found) > 1:
		return nil, fmt.Errorf("several trained models begin with %s: %s: give more digits", name, strings.Join(shorts(found), ", "))
	}
	if _, err := os.Stat(filepath.Join(name, "config.json")); err == nil {
		return l.Load(name)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return nil, fmt.Errorf("no model %q: expected a preset (%s), a model of the course (`sd model ls`), the first digits of a trained model's ID in the store %s"+
		" (`sd store ls` lists them), pretrained:CHECKPOINT or pretrained:CHECKPOINT@PIXELS for weights before fine-tuning, or a folder with config.json", name,
		presetNames(), l.Store.Dir())
}

// pretrainedPrefix stands before the name of a checkpoint that is not fine-tuned.
const pretrainedPrefix = "pretrained:"

// untuned returns a checkpoint before any fine-tuning, by its name and, behind an @, the side of its images.
func (l *Lab) untuned(ctx context.Context, name string) (*Model, error) {
	checkpoint, side, other := strings.Cut(name, "@")
	pixels := 0 // its own
	if other {
		var err error
		if pixels, err = strconv.Atoi(side); err != nil || pixels < 1 {
			return nil, fmt.Errorf("%s%s: expected the side of the images in pixels behind the @, such as %sclip-b16@112", pretrainedPrefix, name, pretrainedPrefix)
		}
	}
	return l.pretrainedAt(ctx, checkpoint, pixels, 2) // different and same
}

// trainings lists the store's trainings. Those found damaged are among them: they are trained again when asked for.
func (l *Lab) trainings(ctx context.Context) ([]artifact.Info, error) {
	all, err := l.Store.List(ctx)
	return slices.DeleteFunc(all, func(i artifact.Info) bool {
		there := i.State == artifact.Finished || i.Problem != nil
		return !there || i.Meta.Step != "train"
	}), err
}

// trained lists the trainings whose ID, or whose model's ID, begins with a prefix.
func (l *Lab) trained(ctx context.Context, prefix string) ([]artifact.Info, error) {
	if prefix == "" {
		return nil, nil
	}
	all, err := l.trainings(ctx)
	return slices.DeleteFunc(all, func(i artifact.Info) bool {
		if strings.HasPrefix(string(i.ID), prefix) {
			return false
		}
		model, err := identity(i.Dir)
		return err != nil || !strings.HasPrefix(string(model), prefix)
	}), err
}

// trainingOf returns what an artifact was trained by.
func trainingOf(i artifact.Info) (t Training, err error) {
	if i.Meta.Version != trainVersion {
		return t, fmt.Errorf("model %s was trained by version %d of the training code, this program has version %d: train it again, or give its folder, %s",
			i.ID.Short(), i.Meta.Version, trainVersion, i.Dir)
	}
	if err := json.Unmarshal(i.Meta.Params, &t); err != nil {
		return t, fmt.Errorf("model %s: its parameters in %s: %w", i.ID.Short(), i.Dir, err)
	}
	return t, nil
}

// read returns a model that the store has.
func (l *Lab) read(ctx context.Context, i artifact.Info) (*Model, error) {
	t, err := trainingOf(i)
	if err != nil {
		return nil, err
	}
	return l.Train(ctx, t)
}

func shorts(infos []artifact.Info) []string {
	var all []string
	for _, i := range infos {
		all = append(all, i.ID.Short())
	}
	return all
}
