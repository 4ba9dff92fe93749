package vit

import (
	"fmt"
	"math"
	"slices"
)

// Config describes a vision transformer. Sizes are in pixels and vector components.
type Config struct {
	Family Family `json:"family,omitempty"` // the zero value is the plain ViT

	Image   int `json:"image"`   // side of the square image
	Patch   int `json:"patch"`   // side of a square patch; pixels right and below that fill no patch are not seen
	Width   int `json:"width"`   // D, size of a token's vector
	Blocks  int `json:"blocks"`  // L
	Heads   int `json:"heads"`   // H, per block; divides Width
	MLP     int `json:"mlp"`     // hidden size of a block's MLP
	Classes int `json:"classes"` // C, size of the answer

	Registers int `json:"registers,omitempty"` // register tokens, in families that have them
	// PosGrid is the side of the grid that positions were learned on, where it is not
	// the image's own (0): they are then resampled to it inside the graph.
	PosGrid int `json:"pos_grid,omitempty"`

	// Activation is that of the MLP, where it is not the family's own ("").
	Activation Activation `json:"activation,omitempty"`
	// NoQKVBias leaves out the biases of queries, keys and values: qkv_bias false in the
	// families whose config.json has that field.
	NoQKVBias bool `json:"no_qkv_bias,omitempty"`

	NormEps float64 `json:"norm_eps"` // ε of every LayerNorm

	// Mean and Std normalize each color channel after bytes have been scaled to 0..1:
	// x = (byte/255 - Mean) / Std.
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`
}

// Grid returns g, the number of patches along one side of the image.
func (c Config) Grid() int { return c.Image / c.Patch }

// Tokens returns T = Prefix + g²: one token per patch, and what stands in front of them.
func (c Config) Tokens() int { return c.Prefix() + c.Grid()*c.Grid() }

// Prefix returns the number of tokens in front of the patches: 1 where that is CLS
// alone, 2 with DeiT's distillation token, 1 + Registers, or 0 for SigLIP. Patch p,
// in raster order, is token Prefix + p; CLS, where there is one, is token 0.
func (c Config) Prefix() int { return c.special() + c.Registers }

// special counts the tokens in front that have a position of their own.
func (c Config) special() int {
	n, f := 0, c.Family.Traits()
	if f.CLS {
		n++
	}
	if f.Distill {
		n++
	}
	return n
}

// MLPActivation returns the activation of the MLP: Activation, or the family's own.
func (c Config) MLPActivation() Activation {
	if c.Activation != "" {
		return c.Activation
	}
	return c.Family.Traits().Activation
}

// posGrid returns the side of the grid that positions were learned on.
func (c Config) posGrid() int {
	if c.PosGrid > 0 {
		return c.PosGrid
	}
	return c.Grid()
}

// readout returns the size of the vector that the head reads.
func (c Config) readout() int {
	if c.Family.Traits().Readout == ReadCLSMean {
		return 2 * c.Width
	}
	return c.Width
}

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

// Validate reports what is wrong with a configuration, nil when nothing is.
func (c Config) Validate() error {
	if err := c.Family.validate(); err != nil {
		return err
	}
	f := c.Family.Traits()
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
	case c.Patch > c.Image:
		return fmt.Errorf("vit: a patch of %d pixels in an image of %d: expected at most the image's side", c.Patch, c.Image)
	case c.Width%c.Heads != 0:
		return fmt.Errorf("vit: %d heads do not divide the width %d: each head needs width/heads components", c.Heads, c.Width)
	case c.PosGrid < 0 || c.PosGrid > maxSize:
		return fmt.Errorf("vit: pos_grid is %d, expected 0 (the image's own grid) to %d", c.PosGrid, maxSize)
	case c.PosGrid == c.Grid():
		return fmt.Errorf("vit: pos_grid is %d, the image's own grid: leave it 0, so that a model has one configuration", c.PosGrid)
	case !f.Registers && c.Registers != 0:
		return fmt.Errorf("vit: %d registers in a model of family %s, which has none: expected 0", c.Registers, c.Family)
	case f.Registers && (c.Registers < 1 || c.Registers > maxSize):
		return fmt.Errorf("vit: registers is %d, expected 1 to %d", c.Registers, maxSize)
	case f.LayerScale && c.MLP%c.Width != 0:
		return fmt.Errorf("vit: the mlp of %d is no multiple of the width %d: family %s has a whole mlp_ratio", c.MLP, c.Width, c.Family)
	case c.Activation != "" && !slices.Contains(Activations, c.Activation):
		return fmt.Errorf("vit: there is no activation %q: expected one of %q, or none for the family's own", c.Activation, Activations)
	case c.Activation == f.Activation:
		return fmt.Errorf("vit: activation is %q, the family's own: leave it empty, so that a model has one configuration", c.Activation)
	case c.NoQKVBias && !f.layout.qkvBias:
		return fmt.Errorf("vit: no biases of queries, keys and values in a model of family %s, which always has them: expected no_qkv_bias false", c.Family)
	case !(c.NormEps > 0 && c.NormEps <= 1):
		return fmt.Errorf("vit: norm_eps is %g, expected a small positive number such as 1e-12", c.NormEps)
	}
	for i := range 3 {
		if mean, std := c.Mean[i], c.Std[i]; math.IsNaN(mean) || math.IsInf(mean, 0) || !(std > 0) || math.IsInf(std, 0) {
			return fmt.Errorf("vit: normalization of channel %d is mean %g, std %g: expected a number and a positive number", i, mean, std)
		}
	}
	if n := c.Params(); n > maxParams {
		return fmt.Errorf("vit: a model of %d weights, expected at most %d: check image %d, patch %d, pos_grid %d, width %d, mlp %d, blocks %d",
			n, maxParams, c.Image, c.Patch, c.PosGrid, c.Width, c.MLP, c.Blocks)
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
	"attn/out",     // [B, T, D] what attention adds to the residual stream (after LayerScale)
	"resid_mid",    // [B, T, D]
	"mlp/hidden",   // [B, T, MLP] after the activation
	"mlp/out",      // [B, T, D] what the MLP adds (after LayerScale)
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
