package golden

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

const testdata = "../../../sdlib/vit/testdata"

// What transformers computed is found again; with a weight moved it is not.
func TestCompare(t *testing.T) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(filepath.Join(testdata, "registers"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"golden.safetensors", "golden-56.safetensors"} {
		path := filepath.Join(testdata, "registers", file)
		found, answer, err := Compare(be, m, path, vit.F32, vit.BF16)
		if err != nil {
			t.Fatal(err)
		}
		if exact, rounded := found[0].Worst(), found[1].Worst(); !(exact <= Tolerance) || rounded < 1e-3 || len(answer) != m.Config.Classes {
			t.Errorf("%s: %g in f32, %g in bf16, logits %v", file, exact, rounded, answer)
		}
		for _, kind := range []string{Hidden, Attention, Logits} {
			if _, ok := found[0][kind]; !ok {
				t.Errorf("%s: no %s were compared", file, kind)
			}
		}
	}
	moved, err := Load(filepath.Join(testdata, "registers"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tensors.MutableFlatData(moved.Weights.Blocks[1].Down.B, func(flat []float32) { flat[0] += 1e-2 }); err != nil {
		t.Fatal(err)
	}
	found, _, err := Compare(be, moved, filepath.Join(testdata, "registers", "golden.safetensors"), vit.F32)
	if err != nil {
		t.Fatal(err)
	}
	if !(found[0][Hidden] > Tolerance && found[0][Logits] > Tolerance) || found[0][Attention] > Tolerance {
		t.Errorf("with a bias of the last MLP moved: %v", found[0])
	}
}

func TestDistance(t *testing.T) {
	if d, err := distance([]float32{1, -4.5}, []float32{1, -5}); err != nil || math.Abs(d-.1) > 1e-9 {
		t.Errorf("distance is %g, %v, want .1", d, err)
	}
	if d, err := distance([]float32{float32(math.NaN()), 1}, []float32{1, 1}); err != nil || !math.IsNaN((Distances{Logits: d, Hidden: 0}).Worst()) {
		t.Errorf("a NaN is lost: %g, %v", d, err)
	}
	for _, want := range [][]float32{{1}, {0, 0}} {
		if _, err := distance([]float32{1, 1}, want); err == nil {
			t.Errorf("%v can't be compared with", want)
		}
	}
}
