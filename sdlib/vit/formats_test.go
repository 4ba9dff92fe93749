package vit

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/safetensors"
	"samediff/sdlib/torchfile"
)

// tensorsOf returns the weights in a folder's model.safetensors, in memory of their own.
func tensorsOf(t *testing.T, dir string) []safetensors.Tensor {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(dir, weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []safetensors.Tensor
	for _, name := range f.Names() {
		x, _ := f.Tensor(name)
		x.Data = slices.Clone(x.Data)
		all = append(all, x)
	}
	return all
}

func writeIndex(t *testing.T, path string, of map[string]string) {
	t.Helper()
	writeTestJSON(t, path, map[string]any{"metadata": map[string]any{}, "weight_map": of})
}

// A model is the same whatever files its weights come in, and under names with or without the prefix.
func TestFormats(t *testing.T) {
	for _, test := range []struct {
		name  string
		model string
		write func(t *testing.T, dir string, all []safetensors.Tensor)
	}{
		{"pytorch_model.bin", "clip", func(t *testing.T, dir string, all []safetensors.Tensor) {
			must(torchfile.WriteFile(filepath.Join(dir, "pytorch_model.bin"), all))
		}},
		{"shards", "dinov2", func(t *testing.T, dir string, all []safetensors.Tensor) {
			of := map[string]string{}
			for i := range 3 {
				shard := fmt.Sprintf("model-%05d-of-00003.safetensors", i+1)
				part := all[i*len(all)/3 : (i+1)*len(all)/3]
				must(safetensors.WriteFile(filepath.Join(dir, shard), part, nil))
				for _, x := range part {
					of[x.Name] = shard
				}
			}
			writeIndex(t, filepath.Join(dir, "model.safetensors.index.json"), of)
		}},
		{"shards of PyTorch", "deit", func(t *testing.T, dir string, all []safetensors.Tensor) {
			of := map[string]string{}
			for i := range 2 {
				shard := fmt.Sprintf("pytorch_model-%05d-of-00002.bin", i+1)
				part := all[i*len(all)/2 : (i+1)*len(all)/2]
				must(torchfile.WriteFile(filepath.Join(dir, shard), part))
				for _, x := range part {
					of[x.Name] = shard
				}
			}
			writeIndex(t, filepath.Join(dir, "pytorch_model.bin.index.json"), of)
		}},
		{"no prefix", "siglip", func(t *testing.T, dir string, all []safetensors.Tensor) {
			for i := range all {
				all[i].Name = strings.TrimPrefix(all[i].Name, "vision_model.")
			}
			// The class has more weights than classification reads, and older files hold buffers.
			all = append(all, safetensors.Float32s("vision_model.head.probe", []int{1}, []float32{1}),
				safetensors.Tensor{Name: "vision_model.embeddings.position_ids", DType: "I64", Shape: []int{1}, Data: make([]byte, 8)})
			must(safetensors.WriteFile(filepath.Join(dir, weightsFile), all, nil))
		}},
		{"float64", "registers", func(t *testing.T, dir string, all []safetensors.Tensor) {
			for i, x := range all {
				values, err := x.Float32s()
				must(err)
				all[i].DType, all[i].Data = "F64", nil
				for _, v := range values {
					all[i].Data = binary.LittleEndian.AppendUint64(all[i].Data, math.Float64bits(float64(v)))
				}
			}
			must(safetensors.WriteFile(filepath.Join(dir, weightsFile), all, nil))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			must(os.CopyFS(dir, os.DirFS(filepath.Join("testdata", test.model))))
			all := tensorsOf(t, dir)
			must(os.Remove(filepath.Join(dir, weightsFile)))
			test.write(t, dir, all)
			m, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			want := golden(t, test.model)
			if m.Config != want.Config {
				t.Errorf("loaded %+v, expected %+v", m.Config, want.Config)
			}
			for i, w := range want.Weights.Flatten(want.Config) {
				if got := m.Weights.Flatten(m.Config)[i]; !got.Equal(w) {
					t.Errorf("%s is not what it is in %s", want.Config.Names()[i], weightsFile)
				}
			}
		})
	}
}

// Halves become float32: BF16 is its upper half.
func TestHalves(t *testing.T) {
	dir := copyModel(t)
	all := tensorsOf(t, dir)
	for i, x := range all {
		all[i].DType, all[i].Data = "BF16", nil
		for at := 2; at < len(x.Data); at += 4 {
			all[i].Data = append(all[i].Data, x.Data[at:at+2]...)
		}
	}
	must(safetensors.WriteFile(filepath.Join(dir, weightsFile), all, nil))
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole := golden(t, "square")
	for i, w := range whole.Weights.Flatten(whole.Config) {
		f32, half := floatsOf(t, w), floatsOf(t, m.Weights.Flatten(m.Config)[i])
		for j := range f32 {
			if want := math.Float32frombits(math.Float32bits(f32[j]) &^ 0xffff); half[j] != want {
				t.Fatalf("%s[%d] is %g, expected %g", whole.Config.Names()[i], j, half[j], want)
			}
		}
	}
}

// What is wrong with a folder's weights fails with the file's name.
func TestFormatErrors(t *testing.T) {
	without := func() string {
		dir := copyModel(t)
		must(os.Remove(filepath.Join(dir, weightsFile)))
		return dir
	}
	if err := loadError(t, without(), "holds no weights", "pytorch_model.bin"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no weights: %v, expected fs.ErrNotExist", err)
	}
	shards := without()
	writeIndex(t, filepath.Join(shards, "model.safetensors.index.json"), map[string]string{"vit.embeddings.cls_token": "model-00001-of-00001.safetensors"})
	loadError(t, shards, "model-00001-of-00001.safetensors")
	pickle := without()
	must(os.WriteFile(filepath.Join(pickle, "pytorch_model.bin"), []byte("cos\nsystem\n(S'true'\ntR."), 0o644))
	loadError(t, pickle, "pytorch_model.bin")
	// A .bin beside a safetensors file is not looked at.
	both := copyModel(t)
	must(os.WriteFile(filepath.Join(both, "pytorch_model.bin"), nil, 0o644))
	if _, err := Load(both); err != nil {
		t.Errorf("a folder with both: %v", err)
	}
	// One family's weights under another's configuration.
	mixed := t.TempDir()
	must(os.CopyFS(mixed, os.DirFS("testdata/dinov2")))
	clip, err := os.ReadFile("testdata/clip/" + weightsFile)
	must(err)
	must(os.WriteFile(filepath.Join(mixed, weightsFile), clip, 0o644))
	loadError(t, mixed, "none of the 44 weights", "dinov2.embeddings.cls_token", "vision_model.embeddings.class_embedding", "of another model")
	// SwiGLU.
	var config map[string]any
	text, err := os.ReadFile("testdata/dinov2/" + configFile)
	must(err)
	must(json.Unmarshal(text, &config))
	config["use_swiglu_ffn"] = true
	writeTestJSON(t, filepath.Join(mixed, configFile), config)
	loadError(t, mixed, "use_swiglu_ffn")
}
