package study

import (
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// ClipMinutes fine-tunes CLIP ViT-B/16 in minutes on two CPU cores instead of hours on a GPU:
// discrimination at 112 pixels, where an object has four tokens as at 224 and positions are
// resampled, on 6,400 images once. `sd model fetch clip-b16` gets the weights.
var ClipMinutes = Training{
	Model: at112("clip-b16"), ModelSeed: 1, Start: "clip-b16",
	Stimuli: stimuli.Config{Geometry: stimuli.B16At112, Seed: 1},
	Recipe:  finetune.Minutes,
}

// ClipMinutesRMTS goes on from there with relational match-to-sample, without an auxiliary
// loss: a CLIP that compares two objects learns to compare two comparisons.
var ClipMinutesRMTS = Training{
	Model: at112("clip-b16"), ModelSeed: 1, After: &ClipMinutes,
	Stimuli: stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.B16At112, Seed: 1},
	Recipe:  finetune.Minutes,
}

// ClipMinutesDirect is the control of ClipMinutesRMTS: the same images, steps and seeds from CLIP
// itself, which has not learned to compare two objects first.
var ClipMinutesDirect = Training{
	Model: at112("clip-b16"), ModelSeed: 1, Start: "clip-b16",
	Stimuli: ClipMinutesRMTS.Stimuli,
	Recipe:  finetune.Minutes,
}

// ClipMinutes32 is ClipMinutes on 32 of the 256 combinations of shape and color.
var ClipMinutes32 = Training{
	Model: at112("clip-b16"), ModelSeed: 1, Start: "clip-b16",
	Stimuli: stimuli.Config{Geometry: stimuli.B16At112, Objects: stimuli.Compositional32, Seed: 1},
	Recipe:  finetune.Minutes,
}

// ClipMinutes32RMTS is ClipMinutesRMTS on 32 of the 256 combinations, after discrimination on them.
var ClipMinutes32RMTS = Training{
	Model: at112("clip-b16"), ModelSeed: 1, After: &ClipMinutes32,
	Stimuli: stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.B16At112, Objects: stimuli.Compositional32, Seed: 1},
	Recipe:  finetune.Minutes,
}

// ClipMinutes224 is ClipMinutes at the paper's 224 pixels, on 3,200 images once: 197 tokens
// take about five times as long as 50.
var ClipMinutes224 = Training{
	Model: at("clip-b16", 0), ModelSeed: 1, Start: "clip-b16",
	Stimuli: stimuli.Config{Geometry: stimuli.B16, Size: 3200, Seed: 1},
	Recipe:  at224(finetune.Minutes),
}

// SaliencyMinutes fine-tunes the saliency-tuned DINOv2-S at 112 pixels, where its patches of 14
// pixels are a grid of 8 x 8. A step of this smaller model takes a quarter of CLIP's, and it sees
// twice as many images. `sd model fetch dinov2-s-saliency` gets the weights.
var SaliencyMinutes = Training{
	Model: at112("dinov2-s-saliency"), ModelSeed: 1, Start: "dinov2-s-saliency",
	Stimuli: stimuli.Config{Geometry: stimuli.B14At112, Size: 12800, Seed: 1},
	Recipe:  faster(finetune.Minutes),
}

// SaliencyMinutesRMTS goes on from there with relational match-to-sample.
var SaliencyMinutesRMTS = Training{
	Model: at112("dinov2-s-saliency"), ModelSeed: 1, After: &SaliencyMinutes,
	Stimuli: stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.B14At112, Size: 12800, Seed: 1},
	Recipe:  faster(finetune.Minutes),
}

// minutes are the fine-tunings of pretrained models that two CPU cores do in minutes, by their
// presets' names.
var minutes = []struct {
	name     string
	training Training
}{
	{"clip-b16-112", ClipMinutes},
	{"clip-b16-112-32", ClipMinutes32},
	{"clip-b16-112-rmts", ClipMinutesRMTS},
	{"clip-b16-112-rmts-32", ClipMinutes32RMTS},
	{"clip-b16-112-rmts-direct", ClipMinutesDirect},
	{"clip-b16-minutes", ClipMinutes224},
	{"dinov2-s-saliency-112", SaliencyMinutes},
	{"dinov2-s-saliency-112-rmts", SaliencyMinutesRMTS},
}

// at112 returns a checkpoint's configuration for images of 112 pixels.
func at112(name string) vit.Config { return at(name, stimuli.B16At112.Image) }

// at returns a checkpoint's configuration for images of another side, 0 for its own.
func at(name string, image int) vit.Config {
	c, err := vit.FindCheckpoint(name)
	if err != nil {
		panic(err)
	}
	at, err := c.At(image)
	if err != nil {
		panic(err)
	}
	return at
}

// at224 is a recipe of half as many steps, in as much memory with four times as many tokens.
func at224(r finetune.Recipe) finetune.Recipe {
	r.Warmup, r.Accumulate = r.Warmup/2, 4*r.Accumulate
	return r
}

// faster has the higher learning rate that a smaller model takes.
func faster(r finetune.Recipe) finetune.Recipe {
	r.LR *= 2.5
	return r
}

// WithSeed returns the training with one seed for everything random: the starting weights, the images, their order, and
// the same of the trainings before it.
func (t Training) WithSeed(seed uint64) Training {
	t.ModelSeed, t.Stimuli.Seed, t.Recipe.Seed = seed, seed, seed
	if t.Recipe.Pipeline.Weight != 0 {
		t.Recipe.Pipeline.Seed = seed // of the choice of heads
	}
	if t.After != nil {
		before := t.After.WithSeed(seed)
		t.After = &before
	}
	if t.Pretraining != nil {
		before := t.Pretraining.WithSeed(seed)
		t.Pretraining = &before
	}
	return t
}
