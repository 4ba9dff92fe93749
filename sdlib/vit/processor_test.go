package vit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/pictures"
)

// How images are prepared follows the model's own file, as the class of transformers that it names does it.
func TestPreparation(t *testing.T) {
	size := func(h, w int) map[string]int { return map[string]int{"height": h, "width": w} }
	for _, test := range []struct {
		name      string
		processor map[string]any
		want      pictures.Preparation
		image     int
	}{
		{"CLIP of today", map[string]any{"image_processor_type": "CLIPImageProcessor", "size": map[string]int{"shortest_edge": 48}, "resample": 3,
			"do_center_crop": true, "crop_size": size(32, 32)}, pictures.Preparation{Filter: pictures.Bicubic, ShortestEdge: 48, Crop: 32, Class: "CLIPImageProcessor"}, 32},
		{"CLIP of 2021", map[string]any{"feature_extractor_type": "CLIPFeatureExtractor", "size": 32, "crop_size": 32},
			pictures.Preparation{Filter: pictures.Bicubic, ShortestEdge: 32, Crop: 32, Class: "CLIPFeatureExtractor"}, 32},
		{"ViT", map[string]any{"image_processor_type": "ViTImageProcessorFast", "size": size(32, 32), "resample": 1},
			pictures.Preparation{Filter: pictures.Lanczos, Side: 32, Class: "ViTImageProcessorFast"}, 32},
		{"DINOv2", map[string]any{"image_processor_type": "BitImageProcessor", "size": map[string]int{"shortest_edge": 40}, "crop_size": size(32, 32)},
			pictures.Preparation{Filter: pictures.Bicubic, ShortestEdge: 40, Crop: 32, Class: "BitImageProcessor"}, 32},
		{"DeiT", map[string]any{"image_processor_type": "DeiTImageProcessor", "size": size(40, 40), "crop_size": size(48, 48)},
			pictures.Preparation{Filter: pictures.Bicubic, Side: 40, Crop: 48, Class: "DeiTImageProcessor"}, 48},
		{"as they are", map[string]any{"image_processor_type": "ViTImageProcessor", "do_resize": false},
			pictures.Preparation{Filter: pictures.Bilinear, Keep: true, Class: "ViTImageProcessor"}, 32},
	} {
		for _, nested := range []bool{false, true} {
			dir := copyModel(t)
			test.processor["image_mean"], test.processor["image_std"] = imageNetMean, imageNetStd
			file, content := processorFile, any(test.processor)
			if nested { // transformers 5
				removeFile(t, filepath.Join(dir, processorFile))
				file, content = newProcessorFile, map[string]any{"image_processor": test.processor, "processor_class": "CLIPProcessor"}
			}
			writeTestJSON(t, filepath.Join(dir, file), content)
			got, err := ReadAbout(dir)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			if got.Preparation != test.want || got.Config.Image != test.image || got.Config.Mean != imageNetMean {
				t.Errorf("%s: %+v of %d pixels with mean %v, want %+v of %d", test.name, got.Preparation, got.Config.Image, got.Config.Mean, test.want, test.image)
			}
			to := t.TempDir()
			if err := got.Save(to); err != nil {
				t.Fatal(err)
			}
			again, err := ReadAbout(to)
			if err != nil {
				t.Fatal(err)
			}
			if again.Preparation.Class = got.Preparation.Class; again.Preparation != got.Preparation || again.Config != got.Config {
				t.Errorf("%s: saved and read it is %+v, want %+v", test.name, again.Preparation, got.Preparation)
			}
		}
	}
}

// What no file says is taken from the family, and said; of MAE it is ImageNet's normalization (docs/paper.md D6).
func TestPreparationAssumed(t *testing.T) {
	for name, test := range map[string]struct {
		processor string
		says      string
		mean      [3]float64
	}{
		"square": {"", "no preprocessor_config.json", half},
		"mae":    {"", "no preprocessor_config.json", imageNetMean},
		"clip":   {`{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 32}, "crop_size": 32}`, "no image_mean and image_std", clipMean},
		"other":  {`{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`, "no image processor that is known", half},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
			t.Fatal(err)
		}
		removeFile(t, filepath.Join(dir, processorFile))
		if test.processor != "" {
			if err := os.WriteFile(filepath.Join(dir, processorFile), []byte(test.processor), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ReadAbout(dir)
		if err != nil || !strings.Contains(got.Preparation.Assumed, test.says) || got.Config.Mean != test.mean {
			t.Errorf("%s: mean %v, said %q (%v), want %v and %q", name, got.Config.Mean, got.Preparation.Assumed, err, test.mean, test.says)
		}
	}
	dir := copyModel(t)
	removeFile(t, filepath.Join(dir, processorFile))
	text, err := json.Marshal(map[string]any{"processor_class": "CLIPProcessor", "image_processor": nil})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, newProcessorFile), text, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAbout(dir); err == nil || !strings.Contains(err.Error(), "has no image_processor") {
		t.Errorf("a processor without images: %v", err)
	}
}

func removeFile(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
