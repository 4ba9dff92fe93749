package main

import (
	"fmt"
	"math/rand/v2"

	"samediff/sdlib/vit"
)

// A drawing describes a model for PyTorch to make: the fields of vit.Config that its files hold, and more.
type drawing struct {
	Kind    string `json:"kind"` // a family, or "mae": a ViT inside the model that is trained to fill in patches
	Image   int    `json:"image"`
	Learned int    `json:"learned"` // side of the images that positions were learned on
	Patch   int    `json:"patch"`
	Width   int    `json:"width"`
	Blocks  int    `json:"blocks"`
	Heads   int    `json:"heads"`
	MLP     int    `json:"mlp"`

	Registers int `json:"registers"`
	Classes   int `json:"classes"`

	Seed  uint64 `json:"seed"`  // of weights and images
	Batch int    `json:"batch"` // images
}

// kinds are the families, and MAE, in the order of the table.
func kinds() []string {
	all := []string{vit.ViT.String(), "mae"}
	for _, f := range vit.Families[1:] {
		all = append(all, f.String())
	}
	return all
}

// traits returns those of a kind's family.
func traits(kind string) vit.Traits {
	f, _ := vit.ParseFamily(kind) // MAE is the zero value, a ViT
	return f.Traits()
}

// drawTiny draws a small model of a kind: every size, and the number of classes and
// images; if asked to, with positions learned on another grid than the images'.
func drawTiny(kind string, resample bool, rng *rand.Rand) drawing {
	between := func(low, high int) int { return low + rng.IntN(high-low+1) }
	patch, grid, heads := between(4, 12), between(2, 5), between(1, 4)
	learned := grid
	if resample && kind != "mae" { // make_golden.py shows MAE the images it was made for
		for learned == grid {
			learned = between(2, 7)
		}
	}
	width := heads * 2 * between(2, 8)
	d := drawing{Kind: kind, Image: grid * patch, Learned: learned * patch, Patch: patch, Width: width, Blocks: between(1, 4), Heads: heads,
		MLP: between(width, 4*width), Classes: between(2, 10), Seed: rng.Uint64N(1 << 32), Batch: between(1, 2)}
	if t := traits(kind); t.LayerScale {
		d.MLP = width * between(1, 4)
		if t.Registers {
			d.Registers = between(1, 5)
		}
	}
	return d
}

// drawBase draws the weights of a ViT-B as the family's published model has it.
func drawBase(kind string, rng *rand.Rand) drawing {
	d := drawing{Kind: kind, Image: 224, Learned: 224, Patch: 16, Width: 768, Blocks: 12, Heads: 12, MLP: 3072, Classes: 2, Seed: rng.Uint64N(1 << 32), Batch: 1}
	if t := traits(kind); t.LayerScale {
		d.Patch, d.Learned = 14, 518
		if t.Registers {
			d.Registers = 4
		}
	}
	return d
}

// String describes the sizes in a line of the table.
func (d drawing) String() string {
	s := fmt.Sprintf("%d px / %d, %d x %d, %d heads", d.Image, d.Patch, d.Blocks, d.Width, d.Heads)
	if d.Learned != d.Image {
		s += fmt.Sprintf(", learned at %d px", d.Learned)
	}
	return s
}

func (d drawing) isBase() bool { return d.Width == 768 }
