package vit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/safetensors"
)

func save(t *testing.T, m *Model) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a", "model") // Save makes the folders
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What transformers wrote, loaded and saved, is what transformers wrote: the same
// tensors under the same names with the same bytes.
func TestSaveLayout(t *testing.T) {
	for _, name := range []string{"square", "other", "deit", "clip", "siglip", "dinov2", "registers"} {
		open := func(dir string) *safetensors.File {
			f, err := safetensors.Open(filepath.Join(dir, weightsFile))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		}
		theirs, ours := open(filepath.Join("testdata", name)), open(save(t, golden(t, name)))
		if a, b := slices.Sorted(slices.Values(theirs.Names())), slices.Sorted(slices.Values(ours.Names())); !slices.Equal(a, b) {
			t.Fatalf("%s: saved tensors %q, transformers' are %q", name, b, a)
		}
		for _, tensor := range theirs.Names() {
			a, _ := theirs.Tensor(tensor)
			b, _ := ours.Tensor(tensor)
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %s was saved as %s %v, or with other bytes; transformers' is %s %v", name, tensor, b.DType, b.Shape, a.DType, a.Shape)
			}
		}
		if got := ours.Metadata()["format"]; got != "pt" { // transformers refuses a file without it
			t.Errorf("%s: metadata format is %q, expected \"pt\"", name, got)
		}
	}
}

// The fields of the JSON files, as transformers reads them (bench/parity checks that it does).
func TestSaveConfig(t *testing.T) {
	m, err := New(CourseQuick, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := save(t, m)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if want := []string{configFile, weightsFile, processorFile}; !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, expected %q", names, want)
	}
	for name, want := range map[string]string{
		configFile: `{
			"architectures": ["ViTForImageClassification"], "model_type": "vit", "dtype": "float32",
			"image_size": 64, "patch_size": 16, "num_channels": 3, "hidden_size": 96, "num_hidden_layers": 4,
			"num_attention_heads": 3, "intermediate_size": 384, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "qkv_bias": true,
			"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0,
			"id2label": {"0": "different", "1": "same"}, "label2id": {"different": 0, "same": 1}}`,
		processorFile: `{
			"image_processor_type": "ViTImageProcessor", "do_resize": true, "size": {"height": 64, "width": 64},
			"do_rescale": true, "rescale_factor": 0.00392156862745098,
			"do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var got, expected any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("%s is\n%s\nexpected the content of\n%s", name, text, want)
		}
	}
}

// A saved model comes back as it was, for any number of classes; so does its name by content.
func TestSaveAndLoad(t *testing.T) {
	hashes := map[string]string{}
	for _, classes := range []int{1, 2, 3, 1000} {
		for _, seed := range []uint64{1, 2} {
			c := Config{Image: 12, Patch: 4, Width: 6, Blocks: 2, Heads: 2, MLP: 5, Classes: classes, NormEps: 1e-5,
				Mean: [3]float64{.485, .456, .406}, Std: [3]float64{.229, .224, .225}}
			m, err := New(c, seed)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Load(save(t, m))
			if err != nil {
				t.Fatal(err)
			}
			if again.Config != m.Config {
				t.Errorf("saved %+v, loaded %+v", m.Config, again.Config)
			}
			for i, w := range m.Weights.Flatten(c) {
				if v := again.Weights.Flatten(c)[i]; !w.Equal(v) {
					t.Errorf("%s changed on its way through a file", c.Names()[i])
				}
			}
			h, err := m.Hash()
			if err != nil {
				t.Fatal(err)
			}
			if h2, err := again.Hash(); err != nil || h != h2 || len(h) != 64 {
				t.Errorf("hash %q, after loading %q, %v", h, h2, err)
			}
			of := fmt.Sprintf("%d classes, seed %d", classes, seed)
			if other, ok := hashes[h]; ok {
				t.Errorf("%s and %s have the same hash", of, other)
			}
			hashes[h] = of
		}
	}
}

// So does a model of every family, with positions learned at another size, in the layout of its own class.
func TestSaveFamilies(t *testing.T) {
	for _, f := range Families {
		c := of(f, 24, 4, 6, 2, 2).learnedAt(5)
		c.Classes = 3
		if f.Traits().Registers {
			c.Registers = 2
		}
		m, err := New(c, 1)
		if err != nil {
			t.Fatal(err)
		}
		dir := save(t, m)
		again, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if again.Config != c {
			t.Errorf("saved %+v, loaded %+v", c, again.Config)
		}
		before, err := m.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if after, err := again.Hash(); err != nil || after != before {
			t.Errorf("%s: hash %s, after loading %s, %v", f, before, after, err)
		}
		var config struct {
			Architectures []string
			ModelType     string `json:"model_type"`
		}
		if err := readJSON(filepath.Join(dir, configFile), &config); err != nil {
			t.Fatal(err)
		}
		if want := f.Traits(); !slices.Equal(config.Architectures, []string{want.Class}) || config.ModelType != want.ModelType {
			t.Errorf("%s is saved as %+v, expected a %s of type %s", f, config, want.Class, want.ModelType)
		}
		// Its positions may be resampled once more, to a third size or back to where they were learned.
		for _, image := range []int{20, 32} {
			m, err := LoadBackbone(dir, 2, 1, image)
			if err != nil {
				t.Fatal(err)
			}
			want := 5
			if image == 20 {
				want = 0
			}
			if m.Config.Image != image || m.Config.PosGrid != want || !m.Weights.Pos.Equal(again.Weights.Pos) {
				t.Errorf("%s for images of %d: %+v, expected positions of a grid of %d", f, image, m.Config, want)
			}
		}
	}
}

// A model whose parts do not fit is an error of everything that uses it, not a panic.
func TestUnfitModel(t *testing.T) {
	be := open(t, "go")
	for name, test := range map[string]struct {
		change func(m *Model)
		want   string
	}{
		"no weights":   {func(m *Model) { m.Weights = nil }, "a model without weights"},
		"bad config":   {func(m *Model) { m.Config.Heads = 7 }, "7 heads do not divide the width 24"},
		"fewer blocks": {func(m *Model) { m.Weights.Blocks = m.Weights.Blocks[:2] }, "weights for 2 blocks, its configuration says 3"},
		"a hole":       {func(m *Model) { m.Weights.Blocks[1].Up.W = nil }, "vit.encoder.layer.1.intermediate.dense.weight is nil, expected a tensor of shape [36 24]"},
		"wrong shape":  {func(m *Model) { m.Config.Classes = 3 }, "classifier.weight is (Float32)[2, 24], expected Float32 [3 24]"},
		"wrong type":   {func(m *Model) { m.Weights.Head.B = tensors.FromValue([]float64{1, 2}) }, "classifier.bias is (Float64)[2], expected Float32 [2]"},
	} {
		t.Run(name, func(t *testing.T) {
			m := golden(t, "square")
			test.change(m)
			_, run := tryRun(be, m, func(w *Weights[*Node], _ []*Node) []*Node { return []*Node{w.Norm.Scale} })
			_, hash := m.Hash()
			for what, err := range map[string]error{"Run": run, "Hash": hash, "Save": m.Save(t.TempDir())} {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: error %v, expected %q", what, err, test.want)
				}
			}
		})
	}
	m := golden(t, "square")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("saving to a file instead of a folder: error %v, expected one that names it", err)
	}
}
