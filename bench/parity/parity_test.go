package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"samediff/bench/internal/golden"
	"samediff/sdlib/vit"
)

// Every drawing is a model that there can be, and a seed always draws the same.
func TestDraw(t *testing.T) {
	for seed := range uint64(50) {
		all, err := draw(seed, "all")
		if err != nil {
			t.Fatal(err)
		}
		again, _ := draw(seed, "all")
		if !slices.Equal(all, again) || len(all) != 3*len(kinds()) {
			t.Fatalf("seed %d draws %v, then %v", seed, all, again)
		}
		for i, d := range all {
			f, _ := vit.ParseFamily(d.Kind)
			c := vit.Config{Family: f, Image: d.Learned, Patch: d.Patch, Width: d.Width, Blocks: d.Blocks, Heads: d.Heads, MLP: d.MLP,
				Classes: d.Classes, Registers: d.Registers, NormEps: 1e-6, Std: [3]float64{1, 1, 1}}
			if err := golden.At(c, d.Image).Validate(); err != nil {
				t.Errorf("seed %d: %s, %s: %v", seed, d.Kind, d, err)
			}
			if resampled := d.Learned != d.Image; !d.isBase() && resampled != (i%2 == 1 && d.Kind != "mae") {
				t.Errorf("seed %d: drawing %d, %s, %s", seed, i, d.Kind, d)
			}
		}
	}
	if _, err := draw(1, "resnet"); err == nil || !strings.Contains(err.Error(), "expected none, one, all") {
		t.Errorf("error %v", err)
	}
	if drawTiny("vit", false, rand.New(rand.NewPCG(1, 0))) == drawTiny("vit", false, rand.New(rand.NewPCG(2, 0))) {
		t.Error("two seeds draw the same model")
	}
}
