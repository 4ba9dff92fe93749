package vit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/hub"
)

// A Checkpoint is a model that the paper starts from (section 2, docs/paper.md): one
// pretrained by others, or a random one.
type Checkpoint struct {
	Name     string // "clip-b16"
	Training string // what it was pretrained on
	Repo     string // on the Hugging Face hub; "" for random weights
	// Revision is a commit of Repo, so that a result can be made again.
	Revision string
	// Config is its geometry and normalization, with two answers.
	Config Config
	// Package has weights for machines that cannot reach the hub; nil where there is none.
	Package *Package
}

// At returns the checkpoint's configuration for images of another side, in pixels; 0 is its
// own. Positions that it learned on its own grid are resampled inside the graph.
func (p Checkpoint) At(image int) (Config, error) {
	if p.random() && image != 0 {
		c := p.Config
		c.Image = image
		return c, c.Validate()
	}
	return p.Config.at(image)
}

// random reports whether a checkpoint is random weights.
func (p Checkpoint) random() bool { return p.Repo == "" && p.Package == nil }

// Checkpoints are the models of the paper, and the commits those that public programs
// name in paths of the hub's cache. What ImageNet-21k, DINO and MAE trained are plain
// ViTs: the normalization of images sets them apart (docs/paper.md D6), and the weights.
var Checkpoints = []Checkpoint{
	{"clip-b16", "pairs of image and text", "openai/clip-vit-base-patch16", "57c216476eefef5ab752ec549e440a49ae4ae5f3", variants["clip-b16"], clipPackage},
	{"clip-b32", "pairs of image and text", "openai/clip-vit-base-patch32", "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268", variants["clip-b32"], nil},
	{"dino-b16", "self-distillation", "facebook/dino-vitb16", "f205d5d8e640a89a2b8ef0369670dfc37cc07fc2", B16.normalized(imageNetMean, imageNetStd), nil},
	{"dinov2-b14", "self-distillation and masked patches", "facebook/dinov2-base", "f9e44c814b77203eaa57a6bdbbd535f21ede1415", variants["dinov2-b14"], nil},
	{"mae-b16", "masked patches", "facebook/vit-mae-base", "25b184bea5538bf5c4c852c79d221195fdd2778d", B16.normalized(imageNetMean, imageNetStd), nil},
	{"imagenet-b16", "labels of ImageNet-21k", "google/vit-base-patch16-224-in21k", "b4569560a39a0f1af58e3ddaf17facf20ab919b0", B16, nil},
	{"scratch-b16", "nothing", "", "", B16, nil},
	{"scratch-b32", "nothing", "", "", B32, nil},
}

// Others are checkpoints besides the paper's.
var Others = []Checkpoint{
	{"dinov2-s-saliency", "self-distillation and masked patches, then fine-tuned to find salient regions", "", "",
		of(DINOv2, 224, 14, 384, 12, 6).learnedAt(37), saliencyPackage},
}

// Pretrained returns a checkpoint by name with a new head for a number of
// classes, random and of the given seed; for "scratch-b16" and "scratch-b32" all weights
// are. What is neither in the hub's cache nor was fetched from a package ([Checkpoint.Fetch])
// is downloaded from the hub. Model.Origin says where weights come from that are not the
// hub's own.
//
// Size of images and normalization are those of the table, which the paper used, whatever
// the folder's preprocessor_config.json says; a model of another geometry is an error.
func Pretrained(ctx context.Context, name string, classes int, seed uint64, o hub.Options) (*Model, error) {
	return PretrainedAt(ctx, name, 0, classes, seed, o)
}

// PretrainedAt is [Pretrained] for images of another side, in pixels; 0 is the checkpoint's own.
func PretrainedAt(ctx context.Context, name string, image, classes int, seed uint64, o hub.Options) (*Model, error) {
	p, err := FindCheckpoint(name)
	if err != nil {
		return nil, err
	}
	want, err := p.At(image)
	if err != nil {
		return nil, err
	}
	want.Classes = classes
	if p.random() {
		return New(want, seed)
	}
	if err := want.Validate(); err != nil {
		return nil, err
	}
	dir, here := p.Folder(o)
	switch {
	case here:
	case p.Repo == "":
		return nil, fmt.Errorf("vit: the weights of %s are not on this machine: %w", name, p.howToFetch())
	default:
		if dir, err = hub.FetchModel(ctx, p.repo(), o); err != nil {
			if p.Package != nil {
				err = fmt.Errorf("%w; %w", err, p.howToFetch())
			}
			return nil, err
		}
	}
	m, err := LoadBackbone(dir, classes, seed, want.Image)
	if err != nil {
		return nil, err
	}
	m.Config.Mean, m.Config.Std = want.Mean, want.Std
	if m.Config != want {
		return nil, fmt.Errorf("vit: %s is not the model that %s stands for: expected %+v, found %+v: is the cache another's?", dir, name, want, m.Config)
	}
	return m, nil
}

// normalized says how images are normalized.
func (c Config) normalized(mean, std [3]float64) Config { c.Mean, c.Std = mean, std; return c }

// FindCheckpoint returns the checkpoint of a name.
func FindCheckpoint(name string) (Checkpoint, error) {
	var known []string
	for _, c := range slices.Concat(Checkpoints, Others) {
		if c.Name == name {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Checkpoint{}, fmt.Errorf("vit: there is no checkpoint %q: expected one of %s", name, strings.Join(known, ", "))
}
