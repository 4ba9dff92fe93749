package main

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

const testdata = "../../sdlib/vit/testdata"

// What transformers computed is found again; with a weight moved it is not.
func TestCompare(t *testing.T) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		t.Fatal(err)
	}
	m, err := load(filepath.Join(testdata, "registers"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"golden.safetensors", "golden-56.safetensors"} {
		path := filepath.Join(testdata, "registers", file)
		found, answer, err := compare(be, m, path, vit.F32, vit.BF16)
		if err != nil {
			t.Fatal(err)
		}
		if exact, rounded := found[0].worst(), found[1].worst(); !(exact <= tolerance) || rounded < 1e-3 || len(answer) != m.Config.Classes {
			t.Errorf("%s: %g in f32, %g in bf16, logits %v", file, exact, rounded, answer)
		}
		for _, kind := range []string{hidden, attention, logits} {
			if _, ok := found[0][kind]; !ok {
				t.Errorf("%s: no %s were compared", file, kind)
			}
		}
	}
	moved, err := load(filepath.Join(testdata, "registers"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tensors.MutableFlatData(moved.Weights.Blocks[1].Down.B, func(flat []float32) { flat[0] += 1e-2 }); err != nil {
		t.Fatal(err)
	}
	found, _, err := compare(be, moved, filepath.Join(testdata, "registers", "golden.safetensors"), vit.F32)
	if err != nil {
		t.Fatal(err)
	}
	if !(found[0][hidden] > tolerance && found[0][logits] > tolerance) || found[0][attention] > tolerance {
		t.Errorf("with a bias of the last MLP moved: %v", found[0])
	}
}

func TestDistance(t *testing.T) {
	if d, err := distance([]float32{1, -4.5}, []float32{1, -5}); err != nil || math.Abs(d-.1) > 1e-9 {
		t.Errorf("distance is %g, %v, want .1", d, err)
	}
	if d, err := distance([]float32{float32(math.NaN()), 1}, []float32{1, 1}); err != nil || !math.IsNaN((distances{logits: d, hidden: 0}).worst()) {
		t.Errorf("a NaN is lost: %g, %v", d, err)
	}
	for _, want := range [][]float32{{1}, {0, 0}} {
		if _, err := distance([]float32{1, 1}, want); err == nil {
			t.Errorf("%v can't be compared with", want)
		}
	}
}

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
			if err := at(c, d.Image).Validate(); err != nil {
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
