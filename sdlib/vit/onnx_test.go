package vit

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/onnx/encoder"
)

// Exports of one model hold the same weights, however they were made.
func TestExportsAreOneModel(t *testing.T) {
	dir, files := exports(t, "models.zip")
	hashes := map[string]string{}
	for _, file := range files {
		family, way := filepath.Split(file)
		switch strings.TrimSuffix(way, ".onnx") {
		case "older", "newer", "newer-fixed", "older-eager-17", "anonymous", "external", "attention-23", "any-size", "joined-reshape", "joined-chunk", "joined-heads":
		default:
			continue
		}
		if file == "dinov2/any-size.onnx" || file == "clip/anonymous.onnx" {
			continue
		}
		m, err := Load(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		hash, err := m.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if first := hashes[family]; first != "" && hash != first {
			t.Errorf("%s is another model than the first export of its family", file)
		}
		hashes[family] = hash
	}
	if len(hashes) != len(Families) {
		t.Errorf("models of %d families, expected all %d", len(hashes), len(Families))
	}
}

// What the graph does not say comes from the files beside it, or from the caller, and is missed where nobody says it.
func TestONNXSayings(t *testing.T) {
	dir, _ := exports(t, "models.zip")
	remove := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	// folder has a file as model.onnx, and configurations of a family.
	folder := func(t *testing.T, file string, config bool) string {
		t.Helper()
		to, family := t.TempDir(), filepath.Dir(file)
		if err := os.CopyFS(to, os.DirFS(filepath.Join("testdata/onnx/config", family))); err != nil {
			t.Fatal(err)
		}
		if !config {
			remove(t, filepath.Join(to, configFile))
		}
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, onnxFile), data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	edit := func(t *testing.T, path, old, new string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%s: %v, expected %q in it", path, err, old)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	says := func(t *testing.T, err error, want ...string) {
		t.Helper()
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v, expected %q in it", err, w)
			}
		}
	}

	t.Run("a folder", func(t *testing.T) {
		for _, config := range []bool{true, false} {
			to := folder(t, "deit/older.onnx", config)
			m, err := Load(to)
			if err != nil {
				t.Fatal(err)
			}
			if !IsONNX(to) || m.Config.Mean != imageNetMean || m.Config.Classes != 3 || m.Config.NormEps != 1e-12 {
				t.Errorf("%v, %+v", IsONNX(to), m.Config)
			}
			if b, err := LoadBackbone(to, 7, 1, 30); err != nil || b.Config.Classes != 7 || b.Config.Image != 30 || b.Config.PosGrid != 4 {
				t.Errorf("backbone %+v, %v; expected 7 classes, images of 30, positions of a grid of 4", b, err)
			}
			if err := m.Save(to); err != nil { // now there are safetensors, which come first
				t.Fatal(err)
			}
			if IsONNX(to) {
				t.Error("model.onnx was taken with model.safetensors beside it")
			}
		}
	})
	t.Run("below the configuration", func(t *testing.T) {
		to := folder(t, "vit/older.onnx", true)
		if err := os.Mkdir(filepath.Join(to, "onnx"), 0o777); err != nil {
			t.Fatal(err)
		}
		below := filepath.Join(to, "onnx", "model_quantized.onnx")
		if err := os.Rename(filepath.Join(to, onnxFile), below); err != nil {
			t.Fatal(err)
		}
		if m, err := Load(below); err != nil || m.Config.Classes != 5 {
			t.Errorf("%+v, %v", m, err)
		}
	})
	t.Run("no normalization", func(t *testing.T) {
		to := folder(t, "clip/older.onnx", false)
		remove(t, filepath.Join(to, processorFile))
		_, err := Load(to)
		says(t, err, onnxFile, "nothing says how images are normalized", "preprocessor_config.json", "--mean R,G,B --std R,G,B", "0.4815,0.4578,0.4082")
		m, err := LoadONNX(to, ONNX{Mean: half, Std: half})
		if err != nil || m.Config.Mean != half {
			t.Errorf("%+v, %v", m, err)
		}
	})
	t.Run("which size", func(t *testing.T) {
		to := folder(t, "dinov2/any-size.onnx", false)
		m, err := Load(to) // of preprocessor_config.json
		if err != nil || m.Config.Image != 20 || m.Config.PosGrid != 0 {
			t.Errorf("%+v, %v", m, err)
		}
		if m, err := LoadONNX(to, ONNX{Image: 35}); err != nil || m.Config.Image != 35 || m.Config.PosGrid != 4 {
			t.Errorf("%+v, %v", m, err)
		}
		remove(t, filepath.Join(to, processorFile))
		_, err = LoadONNX(to, ONNX{Mean: half, Std: half})
		if says(t, err, "--image 224"); !errors.Is(err, encoder.ErrSize) {
			t.Errorf("error %v, expected %v", err, encoder.ErrSize)
		}
	})
	t.Run("another size", func(t *testing.T) {
		_, err := LoadONNX(folder(t, "vit/older.onnx", false), ONNX{Image: 25})
		says(t, err, "the graph takes images of 20 by 20 pixels, and not of 25")
	})
	t.Run("another model's config.json", func(t *testing.T) {
		to := folder(t, "vit/older.onnx", true)
		edit(t, filepath.Join(to, configFile), `"num_attention_heads": 3`, `"num_attention_heads": 4`)
		_, err := Load(to)
		says(t, err, "the graph is not what config.json beside it says", "Heads:4", "Heads:3")
	})
	t.Run("no classes", func(t *testing.T) {
		_, err := LoadBackbone(folder(t, "vit/older.onnx", true), 0, 1, 0)
		says(t, err, "classes is 0")
	})
	t.Run("cut", func(t *testing.T) {
		to := filepath.Join(folder(t, "vit/older.onnx", true), onnxFile)
		if err := os.Truncate(to, 30_000); err != nil {
			t.Fatal(err)
		}
		_, err := Load(to)
		says(t, err, to, "ends in the middle", "export or fetch it again")
	})
	t.Run("not a number", func(t *testing.T) {
		to := folder(t, "vit/anonymous.onnx", true)
		path := filepath.Join(to, onnxFile)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Load(to)
		if err != nil {
			t.Fatal(err)
		}
		bias := floatBytes(m.Weights.Head.B.Value().([]float32)[0])
		if err := os.WriteFile(path, []byte(strings.Replace(string(data), bias, floatBytes(float32(math.NaN())), 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err = Load(to)
		says(t, err, "classifier.bias holds NaN at position 0, expected finite numbers")
	})
	t.Run("no folder", func(t *testing.T) {
		_, err := Load(filepath.Join(dir, "none.onnx"))
		says(t, err, "none.onnx")
		_, err = LoadONNX(t.TempDir(), ONNX{})
		says(t, err, "model.onnx")
	})
}

func floatBytes(v float32) string {
	b := math.Float32bits(v)
	return string([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
}

// An encoder of no family is refused, with the family that is nearest and what differs.
func TestFamilyOf(t *testing.T) {
	e := &encoder.Encoder{Front: make([]encoder.Weight, 2), PreNorm: new(encoder.Norm), Blocks: make([]encoder.Block, 1)}
	_, err := familyOf(e)
	if err == nil || !strings.Contains(err.Error(), "the nearest is clip (tokens in front: expected 1, found 2)") {
		t.Errorf("error %v", err)
	}
	e.Front = e.Front[:1]
	if f, err := familyOf(e); err != nil || f != CLIP {
		t.Errorf("%v, %v", f, err)
	}
}
