package vit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// base returns the configuration of a plain ViT with two answers.
func base(image, patch, width, blocks, heads int) Config {
	return of(ViT, image, patch, width, blocks, heads)
}

// of returns the configuration of a family's model with two answers.
func of(f Family, image, patch, width, blocks, heads int) Config {
	t := f.Traits()
	return Config{Family: f, Image: image, Patch: patch, Width: width, Blocks: blocks, Heads: heads,
		MLP: 4 * width, Classes: 2, NormEps: t.NormEps, Mean: t.Mean, Std: t.Std}
}

// learnedAt says on which grid the positions were learned.
func (c Config) learnedAt(side int) Config { c.PosGrid = side; return c }

// registers says how many register tokens there are.
func (c Config) registers(n int) Config { c.Registers = n; return c }

// The variants that are trained from scratch. B16 and B32 are ViT-Base, as in the
// paper; the course models are small enough for two CPU cores.
var (
	B16         = base(224, 16, 768, 12, 12)
	B32         = base(224, 32, 768, 12, 12)
	Course      = base(64, 8, 96, 6, 3)
	CourseQuick = base(64, 16, 96, 4, 3)
)

// variants are the geometries by name: those above, the usual sizes S, B and L, and
// those of pretrained models, with two answers each.
var variants = map[string]Config{
	"b16": B16, "b32": B32, "course": Course, "course-quick": CourseQuick,
	"s16": base(224, 16, 384, 12, 6), "s32": base(224, 32, 384, 12, 6),
	"l16": base(224, 16, 1024, 24, 16), "l32": base(224, 32, 1024, 24, 16),
	"b8": base(224, 8, 768, 12, 12), "s8": base(224, 8, 384, 12, 6), // DINO's

	"deit-ti16": of(DeiT, 224, 16, 192, 12, 3),
	"deit-s16":  of(DeiT, 224, 16, 384, 12, 6),
	"deit-b16":  of(DeiT, 224, 16, 768, 12, 12),

	"clip-b32": of(CLIP, 224, 32, 768, 12, 12),
	"clip-b16": of(CLIP, 224, 16, 768, 12, 12),
	"clip-l14": of(CLIP, 224, 14, 1024, 24, 16),

	"siglip-b16": of(SigLIP, 224, 16, 768, 12, 12),
	"siglip-l16": of(SigLIP, 256, 16, 1024, 24, 16),

	// Their positions were learned at 518 pixels.
	"dinov2-s14":     of(DINOv2, 224, 14, 384, 12, 6).learnedAt(37),
	"dinov2-b14":     of(DINOv2, 224, 14, 768, 12, 12).learnedAt(37),
	"dinov2-l14":     of(DINOv2, 224, 14, 1024, 24, 16).learnedAt(37),
	"dinov2-reg-s14": of(DINOv2Registers, 224, 14, 384, 12, 6).learnedAt(37).registers(4),
	"dinov2-reg-b14": of(DINOv2Registers, 224, 14, 768, 12, 12).learnedAt(37).registers(4),
	"dinov2-reg-l14": of(DINOv2Registers, 224, 14, 1024, 24, 16).learnedAt(37).registers(4),
}

// Variants returns the names of the known geometries, sorted.
func Variants() []string { return slices.Sorted(maps.Keys(variants)) }

// Variant returns a geometry by name, such as "b16" or "dinov2-b14", with two answers.
func Variant(name string) (Config, error) {
	c, ok := variants[name]
	if !ok {
		return Config{}, fmt.Errorf("vit: there is no variant %q: expected one of %s", name, strings.Join(Variants(), ", "))
	}
	return c, nil
}
