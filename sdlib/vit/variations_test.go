package vit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
)

// variations are the tiny models of testdata/variations and what they do in another way than their family's own.
var variations = []struct {
	name       string
	family     Family
	activation Activation
	noBias     bool
	odd        bool // pixels are left over
}{
	{"vit-relu-no-bias-odd", ViT, ReLU, true, true},
	{"deit-gelu-new", DeiT, TanhGELU, false, false},
	{"clip-gelu", CLIP, GELU, false, false},
	{"siglip-quick-gelu-odd", SigLIP, QuickGELU, false, true},
	{"dinov2-tanh-no-bias-odd", DINOv2, TanhGELU, true, true},
	{"registers-relu", DINOv2Registers, ReLU, false, false},
}

// variation unpacks a file of testdata/variations as save_pretrained wrote it, and returns the folder and what transformers computed.
func variation(t *testing.T, name string) (dir string, golden *safetensors.File) {
	t.Helper()
	golden = openGolden(t, "variations", name+".safetensors")
	dir = t.TempDir()
	var weights []safetensors.Tensor
	for _, n := range golden.Names() {
		if x, _ := golden.Tensor(n); n != "images" && !strings.HasPrefix(n, "golden/") {
			weights = append(weights, x)
		}
	}
	if err := safetensors.WriteFile(filepath.Join(dir, weightsFile), weights, torchMetadata); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{configFile, processorFile} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(golden.Metadata()[file]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, golden
}

// What transformers computes with another activation, without biases of queries, keys and values, and of images with pixels left over
// (testdata/make_variations.py); and such a model is the same after it was written and read again.
func TestVariations(t *testing.T) {
	for _, v := range variations {
		t.Run(v.name, func(t *testing.T) {
			dir, golden := variation(t, v.name)
			m, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			c := m.Config
			if c.Family != v.family || c.Activation != v.activation || c.NoQKVBias != v.noBias || (c.Image%c.Patch != 0) != v.odd {
				t.Errorf("read %+v, expected %+v", c, v)
			}
			again := t.TempDir()
			if err := m.Save(again); err != nil {
				t.Fatal(err)
			}
			back, err := Load(again)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := m.Hash()
			if b, err := back.Hash(); back.Config != c || a != b || err != nil {
				t.Errorf("written and read again: %+v, expected %+v; hashes %s and %s, %v", back.Config, c, b, a, err)
			}
			onBackends(t, func(t *testing.T, be *backend.Backend) { compareVariation(t, be, m, golden) })
		})
	}
}

// compareVariation compares a model's values with those in a file.
func compareVariation(t *testing.T, be *backend.Backend, m *Model, golden *safetensors.File) {
	raw, _ := golden.Tensor("images")
	images, err := m.Config.Images(slices.Clone(raw.Data))
	if err != nil {
		t.Fatal(err)
	}
	var want, names []string
	for _, n := range golden.Names() {
		if n, ok := strings.CutPrefix(n, "golden/"); ok {
			want = append(want, n)
		}
	}
	if len(want) != 6 { // embed, weights, hidden, resid_post, final, logits
		t.Fatalf("the file has %d values, expected 6", len(want))
	}
	got := run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
		_, trace := Forward(m.Config, w, in[0], Want(want...))
		names = trace.Names()
		return trace.All()
	}, images)
	for i, values := range got {
		tensor, _ := golden.Tensor("golden/" + names[i])
		theirs, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if d, err := distance(values, theirs); err != nil || !(d <= tolerance) {
			t.Errorf("%s is %.1e of its scale away from transformers', expected at most %.0e (%v)", names[i], d, tolerance, err)
		}
	}
}

// The same is found in an exported graph: the model is the folder's, weight for weight.
func TestVariationsONNX(t *testing.T) {
	const name = "vit-relu-no-bias-odd"
	dir, _ := variation(t, name)
	want, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := LoadONNX(filepath.Join("testdata/variations", name+".onnx"), ONNX{Mean: half, Std: half})
	if err != nil {
		t.Fatal(err)
	}
	if got.Config != want.Config {
		t.Errorf("%+v, expected %+v", got.Config, want.Config)
	}
	theirs := want.Weights.Flatten(want.Config)
	for i, w := range got.Weights.Flatten(got.Config) {
		if !w.Equal(theirs[i]) {
			t.Errorf("%s is not the model's", got.Config.Names()[i])
		}
	}
}
