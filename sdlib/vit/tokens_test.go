package vit

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// TestPatchTokens finds each patch's token in every family: the only one whose embedding
// changes with the patch's pixels. Patches come in raster order behind none (SigLIP), CLS,
// CLS and DeiT's distillation token, or CLS and three registers.
func TestPatchTokens(t *testing.T) {
	for name, front := range map[string]int{"other": 1, "deit": 2, "clip": 1, "siglip": 0, "dinov2": 1, "registers": 4} {
		t.Run(name, func(t *testing.T) {
			m := golden(t, name)
			c := m.Config
			g := c.Image / c.Patch
			noise, err := tensors.CopyFlatData[uint8](randomImages(c, 1, 1))
			if err != nil {
				t.Fatal(err)
			}
			pixels := slices.Clone(noise) // of 1 + g² images: the noise, and for each patch one in which it is inverted
			for patch := range g * g {
				changed := slices.Clone(noise)
				for y := range c.Patch {
					row := ((patch/g*c.Patch+y)*c.Image + patch%g*c.Patch) * 3
					for i := range c.Patch * 3 {
						changed[row+i] = 255 - changed[row+i]
					}
				}
				pixels = append(pixels, changed...)
			}
			images, err := c.Images(pixels)
			if err != nil {
				t.Fatal(err)
			}
			x := forward(t, open(t, backend.Go), m, images, Want("embed"))["embed"] // [1+g², T, D]
			T, D := len(x)/(1+g*g)/c.Width, c.Width
			if T != front+g*g || c.Tokens() != T || c.Prefix() != front {
				t.Fatalf("%d tokens for %d patches, and the configuration says %d with %d in front: expected %d with %d",
					T, g*g, c.Tokens(), c.Prefix(), front+g*g, front)
			}
			for patch := range g * g {
				var changed []int
				for token := range T {
					if d, _ := distance(x[((1+patch)*T+token)*D:][:D], x[token*D:][:D]); d > 1e-3 {
						changed = append(changed, token)
					}
				}
				if !slices.Equal(changed, []int{front + patch}) {
					t.Errorf("the pixels of patch %d show in tokens %v, expected %d", patch, changed, front+patch)
				}
			}
		})
	}
}
