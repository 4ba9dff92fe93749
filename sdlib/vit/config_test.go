package vit

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
)

// A new model has as many numbers as Params says, biases 0, gains 1, and depends on its seed alone.
func TestNew(t *testing.T) {
	same := func(seed uint64) []float32 {
		m, err := New(CourseQuick, seed)
		if err != nil {
			t.Fatal(err)
		}
		var all []float32
		for _, w := range m.Weights.Flatten(m.Config) {
			values, err := tensors.CopyFlatData[float32](w)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, values...)
		}
		return all
	}
	a, b, other := same(1), same(1), same(2)
	if len(a) != CourseQuick.Params() {
		t.Errorf("%d numbers, Params says %d", len(a), CourseQuick.Params())
	}
	if !slices.Equal(a, b) {
		t.Error("two models of seed 1 differ")
	}
	if slices.Equal(a, other) {
		t.Error("the models of seeds 1 and 2 are equal")
	}
	// A normal distribution cut off at 2σ has the standard deviation .8796 σ.
	n, sum, squares := 0., 0., 0.
	for _, x := range a {
		if x != 0 && x != 1 {
			x := float64(x)
			n, sum, squares = n+1, sum+x, squares+x*x
			if math.Abs(x) > 2*initStd {
				t.Fatalf("weight %g, expected at most 2·%g", x, initStd)
			}
		}
	}
	if mean, std := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 1e-4 || math.Abs(std-.8796*initStd) > 1e-4 {
		t.Errorf("random weights have mean %.2g and standard deviation %.4g, expected 0 and %.4g", mean, std, .8796*initStd)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(c *Config)
		want   string // part of the error
	}{
		{"nothing set", func(c *Config) { *c = Config{} }, "image is 0"},
		{"no image", func(c *Config) { c.Image = 0 }, "image is 0, expected 1 to 65536"},
		{"negative width", func(c *Config) { c.Width = -96 }, "width is -96"},
		{"absurd blocks", func(c *Config) { c.Blocks = 1 << 40 }, "blocks is 1099511627776, expected 1 to 1024"},
		{"absurd classes", func(c *Config) { c.Classes = math.MaxInt }, "classes is"},
		{"absurd in all", func(c *Config) { c.Image, c.Patch, c.Width, c.Heads = maxSize, 1, maxSize, 1 }, "weights, expected at most"},
		{"patch larger than the image", func(c *Config) { c.Patch = 65 }, "a patch of 65 pixels in an image of 64"},
		{"unknown activation", func(c *Config) { c.Activation = "mish" }, `no activation "mish": expected one of ["gelu"`},
		{"its own activation", func(c *Config) { c.Activation = GELU }, `activation is "gelu", the family's own`},
		{"no biases in CLIP", func(c *Config) { c.Family, c.NoQKVBias = CLIP, true }, "no biases of queries, keys and values in a model of family clip"},
		{"heads do not divide", func(c *Config) { c.Heads = 5 }, "5 heads do not divide the width 96"},
		{"unknown family", func(c *Config) { c.Family = "swin" }, `no family "swin": expected one of vit, deit`},
		{"registers where none are", func(c *Config) { c.Registers = 4 }, "4 registers in a model of family vit, which has none"},
		{"no registers", func(c *Config) { c.Family = DINOv2Registers }, "registers is 0, expected 1 to"},
		{"absurd registers", func(c *Config) { c.Family, c.Registers = DINOv2Registers, 1<<40 }, "registers is 1099511627776"},
		{"negative grid", func(c *Config) { c.PosGrid = -1 }, "pos_grid is -1"},
		{"absurd grid", func(c *Config) { c.PosGrid = 1 << 20 }, "pos_grid is 1048576"},
		{"its own grid", func(c *Config) { c.PosGrid = 4 }, "pos_grid is 4, the image's own grid"},
		{"mlp that is no multiple", func(c *Config) { c.Family, c.MLP = DINOv2, 100 }, "mlp of 100 is no multiple of the width 96"},
		{"no epsilon", func(c *Config) { c.NormEps = 0 }, "norm_eps is 0"},
		{"NaN epsilon", func(c *Config) { c.NormEps = math.NaN() }, "norm_eps is NaN"},
		{"no deviation", func(c *Config) { c.Std[1] = 0 }, "normalization of channel 1 is mean 0.5, std 0"},
		{"infinite deviation", func(c *Config) { c.Std[2] = math.Inf(1) }, "channel 2"},
		{"NaN mean", func(c *Config) { c.Mean[0] = math.NaN() }, "channel 0"},
		{"infinite mean", func(c *Config) { c.Mean[0] = math.Inf(-1) }, "channel 0"},
	} {
		c := CourseQuick
		test.change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, expected %q", test.name, err, test.want)
		}
		if _, err := New(c, 1); err == nil {
			t.Errorf("%s: New makes a model of it", test.name)
		}
	}
}

// readConfig's input comes from strangers.
func FuzzReadConfig(f *testing.F) {
	for _, name := range []string{"square", "other", "mae", "deit", "clip", "clip-whole", "siglip", "dinov2", "registers"} {
		config, err := os.ReadFile(filepath.Join("testdata", name, configFile))
		if err != nil {
			f.Fatal(err)
		}
		processor, err := os.ReadFile(filepath.Join("testdata", name, processorFile))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(config, processor)
		f.Add(bytes.ReplaceAll(config, []byte("32"), []byte("9223372036854775807")), processor)
		f.Add(bytes.ReplaceAll(config, []byte("24"), []byte("-1e3")), processor[:20])
	}
	f.Add([]byte(`{"model_type": "siglip", "vision_config": null}`), []byte(`{"do_center_crop": true, "crop_size": {"height": 1e9, "width": 1e9}}`))
	f.Add([]byte(`{"model_type": "dinov2", "mlp_ratio": 9223372036854775807, "image_size": 0}`), []byte(`{"size": {"height": 48, "width": 48}}`))
	f.Add([]byte(`{"model_type": "vit", "id2label": {"0": null}}`), []byte(`{"image_mean": [1e308, 0, 0], "image_std": [5e-324, 1, 1]}`))
	f.Add([]byte(`[]`), []byte(`null`))
	f.Fuzz(func(t *testing.T, config, processor []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{configFile: config, processorFile: processor} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, err := ReadConfig(dir)
		if err != nil {
			if !strings.Contains(err.Error(), dir) {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		// What was accepted is sound, and survives being written and read again.
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if c.Params() < 1 || c.Tokens() < 1 || c.HeadDim()*c.Heads != c.Width {
			t.Fatalf("accepted %+v", c)
		}
		again := t.TempDir()
		if err := c.Save(again); err != nil {
			t.Fatal(err)
		}
		if d, err := ReadConfig(again); err != nil || d != c {
			t.Fatalf("wrote %+v, read %+v, %v", c, d, err)
		}
	})
}

// What a folder by other hands may hold, and what is made of it.
func TestReadConfig(t *testing.T) {
	config := map[string]any{ // the fields that are needed
		"model_type": "vit", "hidden_act": "gelu", "num_channels": 3, "image_size": 32, "patch_size": 8, "hidden_size": 24,
		"num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 36, "layer_norm_eps": 1e-12,
	}
	labels := func(n int) map[string]string {
		all := map[string]string{}
		for i := range n {
			all[strconv.Itoa(i)] = "label"
		}
		return all
	}
	square := Config{Image: 32, Patch: 8, Width: 24, Blocks: 3, Heads: 3, MLP: 36, Classes: 2, NormEps: 1e-12, Mean: half, Std: half}
	with := func(change func(c *Config)) Config {
		c := square
		change(&c)
		return c
	}
	for _, test := range []struct {
		name              string
		config, processor map[string]any // what is changed
		want              Config
		err               string
	}{
		{name: "defaults", want: square},
		{name: "one label", config: map[string]any{"id2label": labels(1)}, want: with(func(c *Config) { c.Classes = 1 })},
		{name: "ImageNet's labels", config: map[string]any{"id2label": labels(1000)}, want: with(func(c *Config) { c.Classes = 1000 })},
		{name: "label numbers as strings", config: map[string]any{"id2label": labels(3), "label2id": map[string]string{"a": "0"}}, want: with(func(c *Config) { c.Classes = 3 })},
		{name: "size as one number", processor: map[string]any{"size": 32}, want: square},
		{name: "no normalization", processor: map[string]any{"do_normalize": false}, want: with(func(c *Config) { c.Mean, c.Std = [3]float64{}, [3]float64{1, 1, 1} })},
		{name: "other normalization", processor: map[string]any{"image_mean": []float64{.1, .2, .3}, "image_std": []float64{1, 2, 3}},
			want: with(func(c *Config) { c.Mean, c.Std = [3]float64{.1, .2, .3}, [3]float64{1, 2, 3} })},

		{name: "images of another size", processor: map[string]any{"size": map[string]int{"height": 48, "width": 48}},
			want: with(func(c *Config) { c.Image, c.PosGrid = 48, 4 })},
		{name: "a crop", processor: map[string]any{"do_center_crop": true, "crop_size": 16, "size": map[string]int{"shortest_edge": 20}},
			want: with(func(c *Config) { c.Image, c.PosGrid = 16, 4 })},
		{name: "shortest edge", processor: map[string]any{"size": map[string]int{"shortest_edge": 48}}, want: square},
		{name: "no resizing", processor: map[string]any{"do_resize": false, "size": 48}, want: square},
		{name: "DeiT", config: map[string]any{"model_type": "deit"},
			want: with(func(c *Config) { c.Family, c.Mean, c.Std = DeiT, imageNetMean, imageNetStd })},
		{name: "CLIP", config: map[string]any{"model_type": "clip_vision_model", "hidden_act": "quick_gelu", "projection_dim": 7, "layer_norm_eps": 1e-5},
			want: with(func(c *Config) {
				c.Family, c.Classes, c.NormEps, c.Mean, c.Std = CLIP, 7, 1e-5, clipMean, clipStd
			})},
		{name: "transformers' defaults", config: map[string]any{"model_type": "siglip", "vision_config": map[string]any{"patch_size": 32}, "id2label": labels(3)},
			want: func() Config { c := of(SigLIP, 224, 32, 768, 12, 12); c.Classes = 3; return c }()},
		{name: "DINOv2", config: map[string]any{"model_type": "dinov2", "mlp_ratio": 2}, want: with(func(c *Config) {
			c.Family, c.MLP, c.Mean, c.Std = DINOv2, 48, imageNetMean, imageNetStd
		})},
		{name: "registers", config: map[string]any{"model_type": "dinov2_with_registers"}, want: with(func(c *Config) {
			c.Family, c.MLP, c.Registers, c.Mean, c.Std = DINOv2Registers, 96, 4, imageNetMean, imageNetStd
		})},

		{name: "no vision tower", config: map[string]any{"model_type": "clip", "vision_config": nil}, err: "no vision_config"},
		{name: "exact GELU in CLIP", config: map[string]any{"model_type": "clip_vision_model", "projection_dim": 7, "layer_norm_eps": 1e-5, "qkv_bias": false},
			want: with(func(c *Config) { // as OpenCLIP trains them; transformers passes over qkv_bias there
				c.Family, c.Classes, c.NormEps, c.Mean, c.Std, c.Activation = CLIP, 7, 1e-5, clipMean, clipStd, GELU
			})},
		{name: "SwiGLU", config: map[string]any{"model_type": "dinov2", "use_swiglu_ffn": true}, err: "SwiGLU"},
		{name: "absurd ratio", config: map[string]any{"model_type": "dinov2", "mlp_ratio": math.MaxInt}, err: "mlp_ratio is 9223372036854775807, expected a whole number"},
		{name: "oblong images", processor: map[string]any{"size": map[string]int{"height": 48, "width": 40}}, err: "images of 48 by 40, expected squares"},
		{name: "half a pixel", processor: map[string]any{"size": 47.5}, err: "images of side 47.5"},
		{name: "patch does not divide the new size", processor: map[string]any{"size": 50}, want: with(func(c *Config) { c.Image, c.PosGrid = 50, 4 })},
		{name: "patch does not divide the old size", config: map[string]any{"patch_size": 7}, processor: map[string]any{"size": 49},
			want: with(func(c *Config) { c.Image, c.Patch, c.PosGrid = 49, 7, 4 })},
		{name: "patch larger than the old size", config: map[string]any{"patch_size": 33}, processor: map[string]any{"size": 66}, err: "expected at least one patch"},
		{name: "another family", config: map[string]any{"model_type": "swin"}, err: `has model_type "swin", expected one of ["clip" `},
		{name: "no family", config: map[string]any{"model_type": nil}, err: `has model_type ""`},
		{name: "another activation", config: map[string]any{"hidden_act": "quick_gelu"}, want: with(func(c *Config) { c.Activation = QuickGELU })},
		{name: "another name of it", config: map[string]any{"hidden_act": "gelu_new"}, want: with(func(c *Config) { c.Activation = TanhGELU })},
		{name: "another name of the family's", config: map[string]any{"hidden_act": "gelu_python"}, want: square},
		{name: "no such activation", config: map[string]any{"hidden_act": "mish"}, err: `hidden_act "mish", expected one of ["gelu" `},
		{name: "no biases", config: map[string]any{"qkv_bias": false}, want: with(func(c *Config) { c.NoQKVBias = true })},
		{name: "gray images", config: map[string]any{"num_channels": 1}, err: "num_channels 1"},
		{name: "heads do not divide", config: map[string]any{"num_attention_heads": 5}, err: "5 heads do not divide the width 24"},
		{name: "patch does not divide", config: map[string]any{"patch_size": 7}, want: with(func(c *Config) { c.Patch = 7 })},
		{name: "absurd", config: map[string]any{"hidden_size": 1 << 50}, err: "width is 1125899906842624"},
		{name: "more than an int holds", config: map[string]any{"hidden_size": json.Number("1e400")}, err: "config.json is no valid configuration"},
		{name: "oblong", config: map[string]any{"image_size": []int{32, 48}}, err: "image_size is [32,48], expected a whole number"},
		{name: "text for a number", config: map[string]any{"hidden_size": "24"}, err: "hidden_size is text, expected a whole number"},
		{name: "a list of sizes", config: map[string]any{"image_size": []float64{32, 32}, "hidden_size": json.Number("24.0")}, want: with(func(*Config) {})},
		{name: "labels with a gap", config: map[string]any{"id2label": map[string]string{"0": "a", "2": "b"}}, err: "id2label has no name of class 1"},
		{name: "no such filter", processor: map[string]any{"resample": 7}, err: "resample 7, expected 0 to 5"},
		{name: "two means", processor: map[string]any{"image_mean": []float64{.5, .5}, "image_std": []float64{.5, .5, .5}}, err: "three numbers each"},
		{name: "bytes not scaled", processor: map[string]any{"do_rescale": false}, err: "does not scale bytes to 0..1"},
		{name: "bytes scaled to -1..1", processor: map[string]any{"rescale_factor": 1 / 127.5}, err: "does not scale bytes to 0..1"},
		{name: "deviation 0", processor: map[string]any{"image_mean": []float64{0, 0, 0}, "image_std": []float64{1, 0, 1}}, err: "channel 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			merged := map[string]any{}
			for _, m := range []map[string]any{config, test.config} {
				for k, v := range m {
					merged[k] = v
				}
			}
			writeTestJSON(t, filepath.Join(dir, configFile), merged)
			if test.processor != nil {
				writeTestJSON(t, filepath.Join(dir, processorFile), test.processor)
			}
			got, err := ReadConfig(dir)
			switch {
			case test.err == "" && (err != nil || got != test.want):
				t.Errorf("read %+v, %v; expected %+v", got, err, test.want)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), dir)):
				t.Errorf("error %v, expected %q and the file's path", err, test.err)
			}
		})
	}
}

func writeTestJSON(t *testing.T, path string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
