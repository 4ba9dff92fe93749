package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"samediff/sdlib/internal/disk"
)

// hfConfig is config.json as transformers writes it; fields that this package neither
// needs nor sets are left out.
type hfConfig struct {
	Architectures []string          `json:"architectures"`
	ModelType     string            `json:"model_type"`
	DType         string            `json:"dtype,omitempty"`
	Labels        map[string]string `json:"id2label,omitempty"`
	LabelIDs      map[string]any    `json:"label2id,omitempty"` // never read: some files have numbers here, some strings
	*hfModel                        // the model itself, or
	Vision        *hfModel          `json:"vision_config,omitempty"` // the vision tower of a model with two
}

// hfModel is the part of config.json that describes the vision transformer.
type hfModel struct {
	Type        string   `json:"model_type,omitempty"` // in a tower's own part
	Image       int      `json:"image_size"`
	Patch       int      `json:"patch_size"`
	Channels    int      `json:"num_channels"`
	Width       int      `json:"hidden_size"`
	Blocks      int      `json:"num_hidden_layers"`
	Heads       int      `json:"num_attention_heads"`
	MLP         int      `json:"intermediate_size,omitempty"`
	MLPRatio    int      `json:"mlp_ratio,omitempty"`
	SwiGLU      bool     `json:"use_swiglu_ffn,omitempty"`
	Registers   int      `json:"num_register_tokens,omitempty"`
	Projection  int      `json:"projection_dim,omitempty"`
	Activation  string   `json:"hidden_act"`
	NormEps     float64  `json:"layer_norm_eps"`
	QKVBias     *bool    `json:"qkv_bias,omitempty"`
	PoolingHead *bool    `json:"vision_use_head,omitempty"`
	Dropout     *float64 `json:"hidden_dropout_prob,omitempty"`
	AttnDropout *float64 `json:"attention_probs_dropout_prob,omitempty"`
}

// A source is a kind of model in Hugging Face files, by its model_type.
type source struct {
	family Family
	nested bool // the vision tower is described in vision_config
	patch  int  // transformers' default, which files leave out
}

var sources = map[string]source{
	"vit":                   {ViT, false, 16},
	"vit_mae":               {ViT, false, 16}, // the encoder; Save makes a ViT of it, as the paper's code does
	"deit":                  {DeiT, false, 16},
	"clip":                  {CLIP, true, 32},
	"clip_vision_model":     {CLIP, false, 32},
	"siglip":                {SigLIP, true, 16},
	"siglip_vision_model":   {SigLIP, false, 16},
	"dinov2":                {DINOv2, false, 14},
	"dinov2_with_registers": {DINOv2Registers, false, 16},
}

// defaults are the values of fields that a file leaves out, which transformers does not write
// in the newest versions, and did not in the oldest.
func (s source) defaults() *hfModel {
	t := s.family.Traits()
	m := &hfModel{Image: 224, Patch: s.patch, Channels: 3, Width: 768, Blocks: 12, Heads: 12, MLP: 3072,
		Activation: string(t.Activation), NormEps: t.NormEps}
	switch {
	case t.LayerScale:
		m.MLPRatio = 4
	case s.family == CLIP:
		m.Projection = 512
	}
	if t.Registers {
		m.Registers = 4
	}
	return m
}

// hfProcessor is preprocessor_config.json, where the normalization of images stands.
type hfProcessor struct {
	Type      string    `json:"image_processor_type"`
	Normalize *bool     `json:"do_normalize"`
	Rescale   *bool     `json:"do_rescale"`
	Factor    *float64  `json:"rescale_factor"`
	Resize    *bool     `json:"do_resize"`
	Size      any       `json:"size"` // a number, or {"height", "width"}, or {"shortest_edge"}
	DoCrop    bool      `json:"do_center_crop,omitempty"`
	Crop      any       `json:"crop_size,omitempty"` // likewise
	Mean      []float64 `json:"image_mean"`
	Std       []float64 `json:"image_std"`
}

const (
	configFile    = "config.json"
	processorFile = "preprocessor_config.json"
)

// labelNames are the two answers' names in config.json (docs/paper.md 1.5: same = 1).
var labelNames = []string{"different", "same"}

// ReadConfig reads a model's configuration from its folder: config.json, and
// preprocessor_config.json if it is there. Weights need not be.
func ReadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	var hf hfConfig
	if err := readJSON(path, &struct {
		ModelType *string `json:"model_type"`
	}{&hf.ModelType}); err != nil {
		return Config{}, err
	}
	src, ok := sources[hf.ModelType]
	if !ok {
		return Config{}, fmt.Errorf("vit: %s has model_type %q, expected one of %q: models of other families can't be read",
			path, hf.ModelType, slices.Sorted(maps.Keys(sources)))
	}
	model := src.defaults()
	hf.hfModel = model
	if src.nested {
		hf.hfModel, hf.Vision = new(hfModel), model
	}
	if err := readJSON(path, &hf); err != nil {
		return Config{}, err
	}
	if hf.Vision == nil && src.nested { // null
		return Config{}, fmt.Errorf("vit: %s has no vision_config: expected one in a model of type %s", path, hf.ModelType)
	}
	f := src.family.Traits()
	bias := model.QKVBias == nil || *model.QKVBias // files of older versions leave it out
	switch {
	case model.Activation != string(f.Activation) || !bias || model.Channels != 3:
		return Config{}, fmt.Errorf("vit: %s has hidden_act %q, qkv_bias %v, num_channels %d: expected %q, true, 3",
			path, model.Activation, bias, model.Channels, f.Activation)
	case model.SwiGLU:
		return Config{}, fmt.Errorf("vit: %s has use_swiglu_ffn true: models with SwiGLU MLPs (DINOv2 giant) can't be read", path)
	}
	c := Config{Family: src.family, Image: model.Image, Patch: model.Patch, Width: model.Width, Blocks: model.Blocks, Heads: model.Heads,
		MLP: model.MLP, Classes: len(hf.Labels), Registers: model.Registers, NormEps: model.NormEps}
	if f.LayerScale {
		if model.Width > maxSize || model.MLPRatio > maxSize {
			return Config{}, fmt.Errorf("vit: hidden_size is %d and mlp_ratio %d, expected at most %d (in %s)", model.Width, model.MLPRatio, maxSize, path)
		}
		c.MLP = model.Width * model.MLPRatio
	}
	if !f.Registers {
		c.Registers = 0
	}
	switch {
	case src.family == CLIP:
		c.Classes = model.Projection
	case c.Classes == 0:
		c.Classes = 2 // transformers' default, which it leaves out
	}
	side, err := c.readProcessor(filepath.Join(dir, processorFile))
	if err != nil {
		return Config{}, err
	}
	if c, err = c.at(side); err == nil {
		err = c.Validate()
	}
	if err != nil {
		return Config{}, fmt.Errorf("%w (in %s)", err, path)
	}
	return c, nil
}

// at returns the configuration of the same model for images of another side, 0 for its
// own: its positions stay those of the grid they were learned on.
func (c Config) at(image int) (Config, error) {
	if image == 0 || image == c.Image {
		return c, nil
	}
	if c.Image < 1 || c.Patch < 1 || c.Image%c.Patch != 0 {
		return Config{}, fmt.Errorf("vit: patches of %d pixels do not divide an image of %d, where positions were learned", c.Patch, c.Image)
	}
	learned := c.posGrid()
	c.Image, c.PosGrid = image, 0
	if learned != c.Grid() {
		c.PosGrid = learned
	}
	return c, nil
}

// readProcessor reads what is done to an image before the model sees it: its
// normalization, and the side it is brought to, 0 where the file does not say.
func (c *Config) readProcessor(path string) (side int, err error) {
	f := c.Family.Traits()
	c.Mean, c.Std = f.Mean, f.Std // what transformers takes for the family's models
	var p hfProcessor
	switch err := readJSON(path, &p); {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case p.Rescale != nil && !*p.Rescale || p.Factor != nil && math.Abs(*p.Factor*255-1) > 1e-6:
		return 0, fmt.Errorf("vit: %s does not scale bytes to 0..1: expected do_rescale true and rescale_factor 1/255", path)
	case p.Normalize != nil && !*p.Normalize:
		c.Mean, c.Std = [3]float64{}, [3]float64{1, 1, 1}
	case p.Mean == nil && p.Std == nil:
	case len(p.Mean) != 3 || len(p.Std) != 3:
		return 0, fmt.Errorf("vit: %s has image_mean %v and image_std %v, expected three numbers each", path, p.Mean, p.Std)
	default:
		c.Mean, c.Std = [3]float64(p.Mean), [3]float64(p.Std)
	}
	size := p.Size
	switch {
	case p.DoCrop:
		size = p.Crop
	case p.Resize != nil && !*p.Resize:
		return 0, nil
	}
	if sides, ok := size.(map[string]any); ok {
		if sides["height"] != sides["width"] {
			return 0, fmt.Errorf("vit: %s makes images of %v by %v, expected squares", path, sides["height"], sides["width"])
		}
		size = sides["height"]
	}
	number, _ := size.(float64)
	if side = int(number); number < 0 || number > maxSize || float64(side) != number {
		return 0, fmt.Errorf("vit: %s makes images of side %g, expected a whole number of pixels up to %d", path, number, maxSize)
	}
	return side, nil
}

// Save writes config.json and preprocessor_config.json to a folder, which [ReadConfig] reads.
func (c Config) Save(dir string) error { return c.writeAs(dir, torchNames["F32"]) }

// writeAs writes them for weights of a type, as PyTorch calls it.
func (c Config) writeAs(dir, dtype string) error {
	f := c.Family.Traits()
	model := &hfModel{Image: c.posGrid() * c.Patch, Patch: c.Patch, Channels: 3, Width: c.Width, Blocks: c.Blocks, Heads: c.Heads,
		MLP: c.MLP, Registers: c.Registers, Activation: string(f.Activation), NormEps: c.NormEps}
	hf := hfConfig{Architectures: []string{f.Class}, ModelType: f.ModelType, DType: dtype,
		Labels: map[string]string{}, LabelIDs: map[string]any{}, hfModel: model}
	switch c.Family {
	case CLIP:
		model.Projection = c.Classes
	case SigLIP:
		model.PoolingHead = new(false) // the classifier reads the patches' mean
		model.Type, hf.hfModel, hf.Vision = "siglip_vision_model", nil, model
	default:
		model.QKVBias, model.Dropout, model.AttnDropout = new(true), new(0.), new(0.)
	}
	if f.LayerScale {
		model.MLP, model.MLPRatio = 0, c.MLP/c.Width
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
	return writeJSON(filepath.Join(dir, processorFile), hfProcessor{ // of all families: it scales to the model's size and crops nothing
		Type: "ViTImageProcessor", Normalize: new(true), Rescale: new(true), Factor: new(1. / 255), Resize: new(true),
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
	err = disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("vit: save model: %w", err)
	}
	return nil
}
