package study

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Find returns the model that a name stands for:
//
//   - one of Presets, which is trained if the store does not have it, unless it is a
//     checkpoint of the paper, which takes too long to do unasked;
//   - one of CourseModels, which come with the repository;
//   - the ID of a trained model in the store, or its first digits if no other trained
//     model has the same;
//   - a folder with config.json and model.safetensors, as for [Lab.Load]. Such a model
//     does not say what it learned from: it is given stimuli of the geometry that its
//     images and patches have, all objects, the seed of the presets.
func (l *Lab) Find(ctx context.Context, name string) (*Model, error) {
	if t, ok := Presets[name]; ok {
		if _, paper := vit.FindCheckpoint(name); paper == nil {
			if has, err := l.has(t); err != nil || !has {
				return nil, cmp.Or(err, fmt.Errorf("%s was not fine-tuned yet, which takes many hours on a GPU: `sd train %s` does it", name, name))
			}
		}
		return l.Train(ctx, t)
	}
	if slices.ContainsFunc(CourseModels(), func(c CourseModel) bool { return c.Name == name }) {
		m, _, err := l.CourseModel(name)
		return m, err
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
		return l.folder(name)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return nil, fmt.Errorf("no model %q: expected a preset (%s), a model of the course (`sd model ls`), the first digits of a trained model's ID in the store %s"+
		" (`sd store ls` lists them), or a folder with config.json", name,
		strings.Join(slices.Sorted(maps.Keys(Presets)), ", "), l.Store.Dir())
}

// trained lists the store's models whose ID begins with a prefix. Those found damaged are among them: they are trained
// again when asked for.
func (l *Lab) trained(ctx context.Context, prefix string) ([]artifact.Info, error) {
	if prefix == "" {
		return nil, nil
	}
	all, err := l.Store.List(ctx)
	return slices.DeleteFunc(all, func(i artifact.Info) bool {
		there := i.State == artifact.Finished || i.Problem != nil
		return !there || i.Meta.Step != "train" || !strings.HasPrefix(string(i.ID), prefix)
	}), err
}

// read returns a model that the store has.
func (l *Lab) read(ctx context.Context, i artifact.Info) (*Model, error) {
	if i.Meta.Version != trainVersion {
		return nil, fmt.Errorf("model %s was trained by version %d of the training code, this program has version %d: train it again, or give its folder, %s",
			i.ID.Short(), i.Meta.Version, trainVersion, i.Dir)
	}
	var t Training
	if err := json.Unmarshal(i.Meta.Params, &t); err != nil {
		return nil, fmt.Errorf("model %s: its parameters in %s: %w", i.ID.Short(), i.Dir, err)
	}
	return l.Train(ctx, t)
}

// folder returns the model in a folder, with stimuli that fit it.
func (l *Lab) folder(dir string) (*Model, error) {
	m, err := l.Load(dir)
	if err != nil {
		return nil, err
	}
	if g := geometryOf(m.Config); g.Name != "" {
		m.Training.Stimuli = stimuli.Config{Geometry: g, Seed: Quick.Stimuli.Seed}
		return m, nil
	}
	var sizes []string
	for _, g := range stimuli.Geometries() {
		sizes = append(sizes, fmt.Sprintf("%s (%d and %d)", g.Name, g.Image, g.Patch))
	}
	return nil, fmt.Errorf("model %s: images of %d pixels and patches of %d fit no geometry: expected %s",
		dir, m.Config.Image, m.Config.Patch, strings.Join(sizes, ", "))
}

func shorts(infos []artifact.Info) []string {
	var all []string
	for _, i := range infos {
		all = append(all, i.ID.Short())
	}
	return all
}
