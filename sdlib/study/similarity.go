package study

import (
	"context"
	"fmt"
	"path/filepath"

	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/runner"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/similarity"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Representations returns what a model's stream holds of a sample of a set's images, block
// by block, at a reading. It is computed if the store does not have it.
func (l *Lab) Representations(ctx context.Context, m *Model, set *stimuli.Set, sample HeadSample, at similarity.Reading) ([]similarity.Representation, error) {
	const name = "representations.safetensors"
	if err := runner.Fits(m.Config, set); err != nil {
		return nil, fmt.Errorf("similarity: %w", err)
	}
	var images []int // all
	if sample.PerClass != 0 {
		var err error
		if images, err = attention.Select(set, sample.PerClass, sample.Seed); err != nil {
			return nil, err
		}
	}
	params := struct {
		Stimuli stimuli.Config     `json:"stimuli"`
		Sample  HeadSample         `json:"sample"`
		At      similarity.Reading `json:"at"`
	}{set.Config(), sample, at}
	key := artifact.Key{Step: "representations", Version: 1, Params: params, Inputs: []artifact.ID{m.ID}}
	a, err := l.Store.Get(ctx, key, func(ctx context.Context, dir string) error {
		be, err := l.Backend()
		if err != nil {
			return err
		}
		all, err := similarity.Represent(ctx, be, m.Model, set, images, at, l.options.Progress)
		if err != nil {
			return err
		}
		var tensors []safetensors.Tensor
		for _, r := range all {
			tensors = append(tensors, safetensors.Float32s(r.Name, []int{r.N, r.F}, r.X))
		}
		return safetensors.WriteFile(filepath.Join(dir, name), tensors, map[string]string{"model": string(m.ID)})
	})
	if err != nil {
		return nil, err
	}
	f, err := safetensors.Open(a.Path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []similarity.Representation
	for _, place := range at.Places(m.Config) {
		t, ok := f.Tensor(place)
		if !ok || len(t.Shape) != 2 {
			return nil, fmt.Errorf("%s has no representations of %s", a.Path(name), place)
		}
		x, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		all = append(all, similarity.Representation{Name: place, N: t.Shape[0], F: t.Shape[1], X: x})
	}
	return all, nil
}

// Pretrained returns the weights of a checkpoint ([vit.Checkpoints]) as they are before any
// fine-tuning, for images of the size that a model sees.
func (l *Lab) Pretrained(ctx context.Context, checkpoint string, like *Model) (*Model, error) {
	return l.pretrainedAt(ctx, checkpoint, like.Config.Image, like.Config.Classes)
}

// pretrainedAt returns a checkpoint for images of a side, 0 for its own, with a new head.
func (l *Lab) pretrainedAt(ctx context.Context, checkpoint string, image, classes int) (*Model, error) {
	m, err := vit.PretrainedAt(ctx, checkpoint, image, classes, 1, l.options.Hub)
	if err != nil {
		return nil, err
	}
	return l.identified(m, "")
}
