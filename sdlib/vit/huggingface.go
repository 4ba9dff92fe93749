package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	LabelIDs      map[string]int    `json:"label2id,omitempty"`
}

// hfProcessor is preprocessor_config.json, where the normalization of images stands.
type hfProcessor struct {
	Type      string         `json:"image_processor_type"`
	Normalize bool           `json:"do_normalize"`
	Rescale   bool           `json:"do_rescale"`
	Factor    float64        `json:"rescale_factor"`
	Resize    bool           `json:"do_resize"`
	Size      map[string]int `json:"size"`
	Mean      []float64      `json:"image_mean"`
	Std       []float64      `json:"image_std"`
}

const (
	configFile    = "config.json"
	processorFile = "preprocessor_config.json"
)

// labelNames are the two answers' names in config.json (paper.md 1.5: same = 1).
var labelNames = []string{"different", "same"}

// readConfig reads a model's configuration from its folder.
func readConfig(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	var hf hfConfig
	if err := readJSON(path, &hf); err != nil {
		return Config{}, err
	}
	if hf.ModelType != "vit" {
		return Config{}, fmt.Errorf("vit: %s has model_type %q, expected \"vit\"", path, hf.ModelType)
	}
	if hf.Activation != "gelu" || (hf.QKVBias != nil && !*hf.QKVBias) || hf.Channels != 3 {
		return Config{}, fmt.Errorf("vit: %s has hidden_act %q, qkv_bias %v, num_channels %d: expected \"gelu\", true, 3",
			path, hf.Activation, hf.QKVBias == nil || *hf.QKVBias, hf.Channels)
	}
	c := Config{Image: hf.Image, Patch: hf.Patch, Width: hf.Width, Blocks: hf.Blocks, Heads: hf.Heads,
		MLP: hf.MLP, Classes: max(len(hf.Labels), 2), NormEps: hf.NormEps, Mean: half, Std: half}

	path = filepath.Join(dir, processorFile)
	var p hfProcessor
	switch err := readJSON(path, &p); {
	case errors.Is(err, fs.ErrNotExist): // transformers' own default for a ViT is the same
	case err != nil:
		return Config{}, err
	case len(p.Mean) != 3 || len(p.Std) != 3:
		return Config{}, fmt.Errorf("vit: %s has image_mean %v and image_std %v, expected three numbers each", path, p.Mean, p.Std)
	default:
		c.Mean, c.Std = [3]float64(p.Mean), [3]float64(p.Std)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%w (in %s)", err, dir)
	}
	return c, nil
}

// write writes config.json and preprocessor_config.json to a folder.
func (c Config) write(dir string) error {
	bias := true
	hf := hfConfig{
		Architectures: []string{"ViTForImageClassification"}, ModelType: "vit", DType: "float32",
		Image: c.Image, Patch: c.Patch, Channels: 3, Width: c.Width, Blocks: c.Blocks, Heads: c.Heads, MLP: c.MLP,
		Activation: "gelu", NormEps: c.NormEps, QKVBias: &bias,
		Labels: map[string]string{}, LabelIDs: map[string]int{},
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
		Type: "ViTImageProcessor", Normalize: true, Rescale: true, Factor: 1. / 255, Resize: true,
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
		return fmt.Errorf("vit: write model: %w", err)
	}
	return os.Rename(aside, path)
}
