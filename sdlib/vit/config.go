package vit

import (
	"fmt"
	"math"
)

// Config describes a vision transformer. Sizes are in pixels and vector components.
type Config struct {
	Image   int `json:"image"`   // side of the square image
	Patch   int `json:"patch"`   // side of a square patch; divides Image
	Width   int `json:"width"`   // D, size of a token's vector
	Blocks  int `json:"blocks"`  // L
	Heads   int `json:"heads"`   // H, per block; divides Width
	MLP     int `json:"mlp"`     // hidden size of a block's MLP
	Classes int `json:"classes"` // C, size of the answer

	NormEps float64 `json:"norm_eps"` // ε of every LayerNorm

	// Mean and Std normalize each color channel after bytes have been scaled to 0..1:
	// x = (byte/255 - Mean) / Std.
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`
}

// half is the normalization of Google's ImageNet-21k models, which those trained from scratch share (docs/paper.md D6).
var half = [3]float64{.5, .5, .5}

// base returns the configuration of a model trained from scratch on two classes.
func base(image, patch, width, blocks, heads int) Config {
	return Config{Image: image, Patch: patch, Width: width, Blocks: blocks, Heads: heads,
		MLP: 4 * width, Classes: 2, NormEps: 1e-12, Mean: half, Std: half}
}

// The variants that are trained from scratch. B16 and B32 are ViT-Base, as in the
// paper; the course models are small enough for two CPU cores.
var (
	B16         = base(224, 16, 768, 12, 12)
	B32         = base(224, 32, 768, 12, 12)
	Course      = base(64, 8, 96, 6, 3)
	CourseQuick = base(64, 16, 96, 4, 3)
)

// Grid returns g, the number of patches along one side of the image.
func (c Config) Grid() int { return c.Image / c.Patch }

// Tokens returns T = g² + 1: one token per patch, and CLS in front.
func (c Config) Tokens() int { return c.Grid()*c.Grid() + 1 }

// HeadDim returns the size of a head's query, key and value vectors.
func (c Config) HeadDim() int { return c.Width / c.Heads }

// Params returns the number of trained numbers.
func (c Config) Params() int {
	n := 0
	for _, f := range new(Weights[struct{}]).fields(c) {
		n += size(f.shape)
	}
	return n
}

// Validate tells what is wrong with a configuration, nil when nothing is.
func (c Config) Validate() error {
	for _, f := range []struct {
		name       string
		value, max int
	}{{"image", c.Image, maxSize}, {"patch", c.Patch, maxSize}, {"width", c.Width, maxSize}, {"blocks", c.Blocks, maxBlocks},
		{"heads", c.Heads, maxSize}, {"mlp", c.MLP, maxSize}, {"classes", c.Classes, maxSize}} {
		if f.value < 1 || f.value > f.max {
			return fmt.Errorf("vit: %s is %d, expected 1 to %d", f.name, f.value, f.max)
		}
	}
	switch {
	case c.Image%c.Patch != 0:
		return fmt.Errorf("vit: patches of %d pixels do not divide an image of %d: choose a patch size that does", c.Patch, c.Image)
	case c.Width%c.Heads != 0:
		return fmt.Errorf("vit: %d heads do not divide the width %d: each head needs width/heads components", c.Heads, c.Width)
	case !(c.NormEps > 0 && c.NormEps <= 1):
		return fmt.Errorf("vit: norm_eps is %g, expected a small positive number such as 1e-12", c.NormEps)
	}
	for i := range 3 {
		if mean, std := c.Mean[i], c.Std[i]; math.IsNaN(mean) || math.IsInf(mean, 0) || !(std > 0) || math.IsInf(std, 0) {
			return fmt.Errorf("vit: normalization of channel %d is mean %g, std %g: expected a number and a positive number", i, mean, std)
		}
	}
	if n := c.Params(); n > maxParams {
		return fmt.Errorf("vit: a model of %d weights, expected at most %d: check image %d, patch %d, width %d, mlp %d, blocks %d",
			n, maxParams, c.Image, c.Patch, c.Width, c.MLP, c.Blocks)
	}
	return nil
}

// Bounds that no sensible model comes near, so that a hostile file can neither make
// products overflow nor ask for more memory than there is before its weights are looked at.
const (
	maxSize   = 1 << 16
	maxBlocks = 1 << 10
	maxParams = math.MaxInt32 // 8 GiB in float32
)

// Nodes returns the names of all values that [Want] and [Edit] know, in the order of the computation.
func (c Config) Nodes() []string {
	names := []string{"embed"}
	for l := range c.Blocks {
		for _, n := range blockNodes {
			names = append(names, BlockNode(l, n))
		}
	}
	return append(names, "final", "logits")
}

// blockNodes are the named values of one block, with their shapes.
var blockNodes = []string{
	"resid_pre",    // [B, T, D] the residual stream as the block finds it
	"attn/q",       // [B, T, H, D/H]
	"attn/k",       // [B, T, H, D/H]
	"attn/v",       // [B, T, H, D/H]
	"attn/scores",  // [B, H, T, T] q·k/√(D/H), query by key
	"attn/weights", // [B, H, T, T] their softmax over keys: each row sums to 1
	"attn/heads",   // [B, T, H, D/H] weighted values, before the output layer
	"attn/out",     // [B, T, D] what attention adds to the residual stream
	"resid_mid",    // [B, T, D]
	"mlp/hidden",   // [B, T, MLP] after GELU
	"mlp/out",      // [B, T, D] what the MLP adds
	"resid_post",   // [B, T, D] the residual stream as the block leaves it
}

// BlockNode returns the name of a value of block l, such as BlockNode(3, "attn/weights") = "block03/attn/weights".
func BlockNode(l int, name string) string { return fmt.Sprintf("block%02d/%s", l, name) }

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
