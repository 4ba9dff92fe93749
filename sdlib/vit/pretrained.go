package vit

import (
	"fmt"
	"strings"
)

// A Checkpoint is a model that the paper starts from (section 2, docs/paper.md): one
// pretrained by others, or a random one.
type Checkpoint struct {
	Name string // "clip-b16"
	Repo string // on the Hugging Face hub; "" for random weights
	// Revision is the commit that Repo had when this was written, so that a result can be made again.
	Revision string
	// Config is its geometry and normalization, with two answers. The folder's own
	// config.json and preprocessor_config.json decide; Pretrained tells where they differ.
	Config Config
}

// Checkpoints are the models of the paper. The revisions are those that public programs
// name in paths of the hub's cache.
var Checkpoints = []Checkpoint{
	{"clip-b16", "openai/clip-vit-base-patch16", "57c216476eefef5ab752ec549e440a49ae4ae5f3", variants["clip-b16"]},
	{"clip-b32", "openai/clip-vit-base-patch32", "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268", variants["clip-b32"]},
	{"dino-b16", "facebook/dino-vitb16", "f205d5d8e640a89a2b8ef0369670dfc37cc07fc2", B16.normalized(imageNetMean, imageNetStd)},
	{"dinov2-b14", "facebook/dinov2-base", "f9e44c814b77203eaa57a6bdbbd535f21ede1415", variants["dinov2-b14"]},
	{"mae-b16", "facebook/vit-mae-base", "25b184bea5538bf5c4c852c79d221195fdd2778d", B16.normalized(imageNetMean, imageNetStd)},
	{"imagenet-b16", "google/vit-base-patch16-224-in21k", "b4569560a39a0f1af58e3ddaf17facf20ab919b0", B16},
	{"scratch-b16", "", "", B16},
	{"scratch-b32", "", "", B32},
}

// normalized says how images are normalized.
func (c Config) normalized(mean, std [3]float64) Config { c.Mean, c.Std = mean, std; return c }

// FindCheckpoint returns the checkpoint of a name.
func FindCheckpoint(name string) (Checkpoint, error) {
	var known []string
	for _, c := range Checkpoints {
		if c.Name == name {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Checkpoint{}, fmt.Errorf("vit: there is no checkpoint %q: expected one of %s", name, strings.Join(known, ", "))
}
