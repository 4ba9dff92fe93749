package vit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/safetensors"
)

// copyModel returns a copy of the folder testdata/square that a test may damage.
func copyModel(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "square"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rewrite writes a model's weights anew as change leaves them.
func rewrite(t *testing.T, dir string, change func(all []safetensors.Tensor) []safetensors.Tensor) {
	t.Helper()
	path := filepath.Join(dir, weightsFile)
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []safetensors.Tensor
	for _, name := range f.Names() {
		x, _ := f.Tensor(name)
		x.Data = bytes.Clone(x.Data)
		all = append(all, x)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := safetensors.WriteFile(path, change(all), nil); err != nil {
		t.Fatal(err)
	}
}

// loadError returns the error of loading a folder, which must name each of the parts.
func loadError(t *testing.T, dir string, parts ...string) error {
	t.Helper()
	m, err := Load(dir)
	if err == nil {
		t.Fatalf("loaded %+v, expected an error with %q", m.Config, parts)
	}
	for _, part := range append(parts, dir) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
	return err
}

// All that is wrong with the weights stands in one error.
func TestLoadListsAllProblems(t *testing.T) {
	dir := copyModel(t)
	const missing, renamed, shaped, typed, nan, inf = "vit.embeddings.cls_token", "vit.layernorm.bias",
		"vit.encoder.layer.1.output.dense.weight", "classifier.bias", "classifier.weight", "vit.layernorm.weight"
	rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
		kept := all[:0]
		for _, x := range all {
			values, err := x.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			switch x.Name {
			case missing:
				continue
			case renamed:
				x.Name = "vit.layernorm.beta"
			case shaped:
				x.Shape = []int{x.Shape[1], x.Shape[0]}
			case typed:
				x = safetensors.Tensor{Name: x.Name, DType: "I32", Shape: x.Shape, Data: make([]byte, 4*len(values))}
			case nan:
				values[7] = float32(math.NaN())
				x = safetensors.Float32s(x.Name, x.Shape, values)
			case inf:
				values[0] = float32(math.Inf(-1))
				x = safetensors.Float32s(x.Name, x.Shape, values)
			}
			kept = append(kept, x)
		}
		return append(kept, safetensors.Float32s("vit.pooler.dense.bias", []int{2}, []float32{1, 2}))
	})
	err := loadError(t, dir, "model.safetensors", "(8 problems; 1 of them belong to pretraining alone",
		missing+" is missing, expected F32 [1 1 24]",
		renamed+" is missing, expected F32 [24]", "vit.layernorm.beta is not a weight of this model",
		shaped+" has shape [36 24], expected [24 36]",
		typed+"\" is I32; only F32, F16, BF16 and F64",
		nan+" holds NaN at position 7", inf+" holds -Inf at position 0",
		"vit.pooler.dense.bias is not a weight of this model")
	if n := strings.Count(err.Error(), "\n"); n != 8 {
		t.Errorf("%d lines of problems, expected 8:\n%v", n, err)
	}
}

// A configuration of another model, even a hostile one, fails before memory is asked for,
// with a list that has an end.
func TestLoadOtherModelsConfig(t *testing.T) {
	dir := copyModel(t)
	configure := func(key string, value any) {
		text, err := os.ReadFile(filepath.Join(dir, configFile))
		if err != nil {
			t.Fatal(err)
		}
		var config map[string]any
		if err := json.Unmarshal(text, &config); err != nil {
			t.Fatal(err)
		}
		config[key] = value
		writeTestJSON(t, filepath.Join(dir, configFile), config)
	}
	configure("num_hidden_layers", 4)
	loadError(t, dir, "(16 problems)", "vit.encoder.layer.3.layernorm_before.weight is missing")
	configure("num_hidden_layers", 2)
	loadError(t, dir, "(16 problems)", "vit.encoder.layer.2.output.dense.bias is not a weight of this model")
	configure("num_hidden_layers", 1024)
	err := loadError(t, dir, "and 16306 more") // 16 in each of 1024 - 3 blocks, less 1000
	if n := strings.Count(err.Error(), "\n"); n != maxListed+1 {
		t.Errorf("%d lines, expected %d", n, maxListed+1)
	}
	configure("num_hidden_layers", 3)
	configure("hidden_size", 60000)
	configure("intermediate_size", 65536)
	loadError(t, dir, "weights, expected at most")
	configure("hidden_size", 30000)
	configure("intermediate_size", 36)
	configure("num_hidden_layers", 1)
	loadError(t, dir, "weights, expected at most")
}

func TestLoadDamaged(t *testing.T) {
	weights, err := os.ReadFile(filepath.Join("testdata", "square", weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file string
		content    []byte // nil: no such file
		want       string
	}{
		{"no configuration", configFile, nil, "config.json"},
		{"empty configuration", configFile, []byte{}, "config.json is no valid configuration"},
		{"malformed configuration", configFile, []byte(`{"model_type": "vit",`), "config.json is no valid configuration"},
		{"two configurations", configFile, []byte(`{} {}`), "config.json is no valid configuration"},
		{"configuration of another shape", configFile, []byte(`["vit"]`), "config.json is no valid configuration"},
		{"malformed processor", processorFile, []byte(`{"image_mean": "half"}`), "preprocessor_config.json is no valid configuration"},
		{"no weights", weightsFile, nil, "model.safetensors"},
		{"empty weights", weightsFile, []byte{}, "model.safetensors"},
		{"one byte short", weightsFile, weights[:len(weights)-1], "model.safetensors"},
		{"half the weights", weightsFile, weights[:len(weights)/2], "model.safetensors"},
		{"half the header", weightsFile, weights[:1000], "model.safetensors"},
		{"a page of HTML", weightsFile, []byte("<!doctype html><title>404</title>"), "model.safetensors"},
		{"a hostile header", weightsFile, append([]byte("\xff\xff\xff\xff\xff\xff\xff\x7f"), weights[8:]...), "model.safetensors"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := copyModel(t)
			path := filepath.Join(dir, test.file)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if test.content != nil {
				if err := os.WriteFile(path, test.content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := loadError(t, dir, test.want)
			if isMissing := test.content == nil; errors.Is(err, fs.ErrNotExist) != isMissing {
				t.Errorf("errors.Is(err, fs.ErrNotExist) is %v, expected %v: %v", !isMissing, isMissing, err)
			}
		})
	}
	loadError(t, filepath.Join(t.TempDir(), "nowhere"), "config.json")
}

// A new head on a model in memory is the one that LoadBackbone puts on it in a folder.
func TestWithHead(t *testing.T) {
	for _, name := range []string{"other", "clip", "siglip", "dinov2", "registers"} {
		dir := filepath.Join("testdata", name)
		want, err := LoadBackbone(dir, 4, 3, 0)
		if err != nil {
			t.Fatal(err)
		}
		m := golden(t, name)
		got, err := m.WithHead(4, 3, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got.Config != want.Config || hashOf(t, got) != hashOf(t, want) {
			t.Errorf("%s: WithHead gives %+v, LoadBackbone %+v, or other weights", name, got.Config, want.Config)
		}
		if got.Weights.Pos != m.Weights.Pos {
			t.Errorf("%s: the other weights are not the model's", name)
		}
	}
	m := golden(t, "other")
	larger, err := m.WithHead(2, 1, 2*m.Config.Image)
	if err != nil || larger.Config.Image != 2*m.Config.Image || larger.Config.PosGrid != m.Config.Grid() {
		t.Errorf("for images of another size: %+v, %v", larger, err)
	}
	for _, err := range []error{
		func() error { _, err := m.WithHead(0, 1, 0); return err }(),
		func() error { _, err := m.WithHead(2, 1, m.Config.Patch-1); return err }(),
		func() error { _, err := new(Model).WithHead(2, 1, 0); return err }(),
	} {
		if err == nil {
			t.Error("no classes, images smaller than a patch, or no weights: no error")
		}
	}
}

func hashOf(t *testing.T, m *Model) string {
	t.Helper()
	h, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Shapes are those of the tensors in the family's own files.
func TestShapes(t *testing.T) {
	for _, name := range []string{"square", "deit", "clip", "siglip", "dinov2", "registers"} {
		f, err := safetensors.Open(filepath.Join("testdata", name, weightsFile))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c, err := ReadConfig(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for i, weight := range c.Names() {
			if x, ok := f.Tensor(weight); !ok || !slices.Equal(x.Shape, c.Shapes()[i]) {
				t.Errorf("%s: %s has shape %v in transformers' file, expected %v", name, weight, x.Shape, c.Shapes()[i])
			}
		}
	}
}
