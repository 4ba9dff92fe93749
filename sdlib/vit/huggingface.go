package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// hfConfig is config.json as transformers writes it for a ViT; fields that this
// package neither needs nor sets are left out.
type hfConfig struct {
	Architectures []string          `json:"architectures"`
	ModelType     string            `json:"model_type"`
	DType         string            `json:"dtype,omitempty"`
	Image         int               `json:"image_size"`
	Patch         int               `json:"patch_size"`
	Channels      int               `json:"num_channels"`
	Width         int               `json:"hidden_size"`
	Blocks        int               `json:"num_hidden_layers"`
	Heads         int               `json:"num_attention_heads"`
	MLP           int               `json:"intermediate_size"`
	Activation    string            `json:"hidden_act"`
	NormEps       float64           `json:"layer_norm_eps"`
	QKVBias       *bool             `json:"qkv_bias"`
	Dropout       float64           `json:"hidden_dropout_prob"`
	AttnDropout   float64           `json:"attention_probs_dropout_prob"`
	Labels        map[string]string `json:"id2label,omitempty"`
	LabelIDs      map[string]any    `json:"label2id,omitempty"` // never read: some files have numbers here, some strings
}

// hfProcessor is preprocessor_config.json, where the normalization of images stands.
type hfProcessor struct {
	Type      string    `json:"image_processor_type"`
	Normalize *bool     `json:"do_normalize"`
	Rescale   *bool     `json:"do_rescale"`
	Factor    *float64  `json:"rescale_factor"`
	Resize    bool      `json:"do_resize"`
	Size      any       `json:"size"` // never read: config.json has it, and here some files have one number, some two
	Mean      []float64 `json:"image_mean"`
	Std       []float64 `json:"image_std"`
}

const (
	configFile    = "config.json"
	processorFile = "preprocessor_config.json"
)

// labelNames are the two answers' names in config.json (docs/paper.md 1.5: same = 1).
var labelNames = []string{"different", "same"}

// readConfig reads a model's configuration from its folder.
func readConfig(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	var hf hfConfig
	if err := readJSON(path, &hf); err != nil {
		return Config{}, err
	}
	if hf.ModelType != "vit" {
		return Config{}, fmt.Errorf("vit: %s has model_type %q, expected \"vit\": models of other families can't be read", path, hf.ModelType)
	}
	bias := hf.QKVBias == nil || *hf.QKVBias // files of older versions leave it out
	if hf.Activation != "gelu" || !bias || hf.Channels != 3 {
		return Config{}, fmt.Errorf("vit: %s has hidden_act %q, qkv_bias %v, num_channels %d: expected \"gelu\", true, 3",
			path, hf.Activation, bias, hf.Channels)
	}
	c := Config{Image: hf.Image, Patch: hf.Patch, Width: hf.Width, Blocks: hf.Blocks, Heads: hf.Heads,
		MLP: hf.MLP, Classes: len(hf.Labels), NormEps: hf.NormEps}
	if c.Classes == 0 {
		c.Classes = 2 // transformers' default, which it leaves out
	}
	var err error
	if c.Mean, c.Std, err = readNormalization(filepath.Join(dir, processorFile)); err != nil {
		return Config{}, err
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%w (in %s)", err, path)
	}
	return c, nil
}

// readNormalization reads what is done to an image before the model sees it.
func readNormalization(path string) (mean, std [3]float64, err error) {
	var p hfProcessor
	switch err := readJSON(path, &p); {
	case errors.Is(err, fs.ErrNotExist):
		return half, half, nil // transformers' own default for a ViT
	case err != nil:
		return mean, std, err
	case p.Rescale != nil && !*p.Rescale || p.Factor != nil && math.Abs(*p.Factor*255-1) > 1e-6:
		return mean, std, fmt.Errorf("vit: %s does not scale bytes to 0..1: expected do_rescale true and rescale_factor 1/255", path)
	case p.Normalize != nil && !*p.Normalize:
		return mean, [3]float64{1, 1, 1}, nil
	case p.Mean == nil && p.Std == nil:
		return half, half, nil
	case len(p.Mean) != 3 || len(p.Std) != 3:
		return mean, std, fmt.Errorf("vit: %s has image_mean %v and image_std %v, expected three numbers each", path, p.Mean, p.Std)
	}
	return [3]float64(p.Mean), [3]float64(p.Std), nil
}

// write writes config.json and preprocessor_config.json to a folder.
func (c Config) write(dir string) error {
	hf := hfConfig{
		Architectures: []string{"ViTForImageClassification"}, ModelType: "vit", DType: "float32",
		Image: c.Image, Patch: c.Patch, Channels: 3, Width: c.Width, Blocks: c.Blocks, Heads: c.Heads, MLP: c.MLP,
		Activation: "gelu", NormEps: c.NormEps, QKVBias: new(true),
		Labels: map[string]string{}, LabelIDs: map[string]any{},
	}
	for i := range c.Classes {
		name := fmt.Sprintf("LABEL_%d", i)
		if c.Classes == len(labelNames) {
			name = labelNames[i]
		}
		hf.Labels[strconv.Itoa(i)], hf.LabelIDs[name] = name, i
	}
	if err := writeJSON(filepath.Join(dir, configFile), hf); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, processorFile), hfProcessor{
		Type: "ViTImageProcessor", Normalize: new(true), Rescale: new(true), Factor: new(1. / 255), Resize: true,
		Size: map[string]int{"height": c.Image, "width": c.Image}, Mean: c.Mean[:], Std: c.Std[:],
	})
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("vit: read model: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("vit: %s is no valid configuration: %w", path, err)
	}
	return nil
}

// writeJSON writes a file aside and renames it.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("vit: %s: %w", path, err)
	}
	aside := path + ".tmp"
	if err := os.WriteFile(aside, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("vit: save model: %w", err)
	}
	if err := os.Rename(aside, path); err != nil {
		return fmt.Errorf("vit: save model: %w", err)
	}
	return nil
}
