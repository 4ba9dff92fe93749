package vit

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
)

// tolerance is how far a value may be from transformers', relative to the largest
// absolute value of its tensor. PyTorch in float32 is itself up to 1.4e-6 from
// float64 on these models (metadata of golden.safetensors).
const tolerance = 1e-5

// TestGolden compares every value of the forward pass, element by element, with what
// transformers computed from the same files (testdata/make_golden.py).
func TestGolden(t *testing.T) {
	for _, name := range []string{"square", "other"} {
		m := golden(t, name)
		f, err := safetensors.Open(filepath.Join("testdata", name, "golden.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		raw, _ := f.Tensor("images")
		images, err := m.Config.Images(raw.Data)
		if err != nil {
			t.Fatal(err)
		}
		onBackends(t, func(t *testing.T, be *backend.Backend) {
			got := forward(t, be, m, images, Want(m.Config.Nodes()...))
			var budget strings.Builder // per kind of value, the worst over the blocks
			worst := map[string]float64{}
			var kinds []string
			compared := 0
			for _, node := range m.Config.Nodes() {
				tensor, ok := f.Tensor(node)
				if !ok {
					continue
				}
				compared++
				want, err := tensor.Float32s()
				if err != nil {
					t.Fatal(err)
				}
				d, err := distance(got[node], want)
				if err != nil {
					t.Fatalf("%s: %v", node, err)
				}
				if !(d <= tolerance) {
					t.Errorf("%s is %.1e of its scale away from transformers', expected at most %.0e", node, d, tolerance)
				}
				kind := node
				if strings.HasPrefix(node, "block") {
					_, kind, _ = strings.Cut(node, "/")
				}
				if _, seen := worst[kind]; !seen {
					kinds = append(kinds, kind)
				}
				worst[kind] = max(worst[kind], d)
			}
			// embed, final and logits, and per block all but resid_pre (the resid_post below) and attn/scores (inside PyTorch's attention).
			if expected := 3 + m.Config.Blocks*(len(blockNodes)-2); compared != expected || len(f.Names()) != expected+1 {
				t.Errorf("compared %d values, the file has %d: expected %d and the images", compared, len(f.Names()), expected)
			}
			for _, kind := range kinds {
				fmt.Fprintf(&budget, "\n%-14s %.1e", kind, worst[kind])
			}
			t.Logf("%s: largest difference from transformers, relative to the tensor's scale (made with %s)%s",
				name, f.Metadata()["made_with"], budget.String())
		})
	}
}
