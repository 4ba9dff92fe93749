package study

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"samediff/sdlib/artifact"
	"samediff/sdlib/emoji"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// A Pretraining says everything that an analogue of a pretrained model depends on (package pretrain).
type Pretraining struct {
	Model     vit.Config      `json:"model"` // its sizes; family and head are the objective's
	ModelSeed uint64          `json:"model_seed"`
	Scenes    scenes.Config   `json:"scenes"`
	Recipe    pretrain.Recipe `json:"recipe"`
}

// An Analogue is the model of a pretraining.
type Analogue struct {
	*Model
	Pretraining Pretraining
	History     []pretrain.Epoch
}

// pretrainVersion is raised when the same Pretraining would be another experiment.
const pretrainVersion = 1

// Pretrain returns the model of a pretraining, and trains it if the store does not have it. Interrupted, even by kill -9, it goes on
// where it stopped when asked again. Its folder, Analogue.Dir, is one that a [Training] can name as its Start.
func (l *Lab) Pretrain(ctx context.Context, p Pretraining) (*Analogue, error) {
	p, set, err := p.resolve()
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	a, err := l.Store.Get(ctx, p.key(), func(ctx context.Context, dir string) error {
		l.begin(ctx)
		be, err := l.Backend()
		if err != nil {
			return err
		}
		start, err := vit.New(p.Model, p.ModelSeed)
		if err != nil {
			return err
		}
		result, err := pretrain.Train(ctx, be, start, set, p.Recipe, pretrain.Options{
			Dir: filepath.Join(dir, "work"), Log: filepath.Join(dir, LogFile),
			Progress: l.options.Progress, Warn: l.options.Notify, OnEpoch: l.options.OnPretrainEpoch})
		if err != nil {
			return err
		}
		return writeModel(dir, result.Model, result.History)
	})
	if err != nil {
		return nil, err
	}
	m, err := l.Load(a.Dir)
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	analogue := &Analogue{Model: m, Pretraining: p}
	text, err := os.ReadFile(a.Path(historyFile))
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	return analogue, json.Unmarshal(text, &analogue.History)
}

// key names the analogue in the store.
func (p Pretraining) key() artifact.Key {
	return artifact.Key{Step: "pretrain", Version: pretrainVersion, Params: p}
}

// resolve checks a pretraining and writes out what its key consists of, before anything is computed.
func (p Pretraining) resolve() (Pretraining, *scenes.Set, error) {
	set, err := p.open()
	if err != nil {
		return p, nil, err
	}
	p.Scenes = set.Config()
	p.Model = p.Recipe.Config(p.Model, set)
	return p, set, p.Recipe.Validate(p.Model, set)
}

// open returns the scenes. Those of emoji need the pack on this machine.
func (p Pretraining) open() (*scenes.Set, error) {
	if p.Scenes.Emoji == "" {
		return scenes.Open(p.Scenes)
	}
	dir, err := emoji.DefaultDir()
	if err != nil {
		return nil, err
	}
	pack, err := emoji.Open(dir)
	if err != nil {
		return nil, err
	}
	return scenes.OpenEmoji(p.Scenes, pack)
}

// WithSeed returns the pretraining with one seed for everything random: the starting weights, the scenes, their order and parts.
func (p Pretraining) WithSeed(seed uint64) Pretraining {
	p.ModelSeed, p.Scenes.Seed, p.Recipe.Seed = seed, seed, seed
	return p
}

// start returns the model that a fine-tuning after this pretraining begins with, for images of a side.
func (p Pretraining) start(classes, image int) (vit.Config, error) {
	c := p.Model
	if image != 0 && image != c.Image {
		return c, fmt.Errorf("the training's images have %d pixels, those of the pretraining before it %d: expected the same", image, c.Image)
	}
	c.Classes = classes
	return c, nil
}

// flops are the floating-point operations of a pretraining, roughly: backward passes cost twice a forward pass.
func (p Pretraining) flops() float64 {
	c := p.Model
	images := float64(p.Recipe.Epochs * p.Recipe.Images)
	forward := forwardFlops(c)
	switch p.Recipe.Objective {
	case pretrain.Masked: // the encoder sees a quarter of the tokens; the decoder is about as much work
		return images * 3 * forward * .55
	case pretrain.Distilled: // two global views, seen by both models, and local ones of a quarter of the tokens each
		return images * forward * (3*(2+1) + 2)
	}
	return images * 3 * forward
}

// Guess returns the loss that guessing costs, as [pretrain.Recipe.Guess] does.
func (p Pretraining) Guess(last pretrain.Epoch) (loss float64, what string) {
	return p.Recipe.Guess(p.Model.Classes, last)
}
