package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
	"samediff/sdlib/pictures"
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
	Type        string         `json:"model_type,omitempty"` // in a tower's own part
	Image       jsontext.Whole `json:"image_size"`
	Patch       jsontext.Whole `json:"patch_size"`
	Channels    jsontext.Whole `json:"num_channels"`
	Width       jsontext.Whole `json:"hidden_size"`
	Blocks      jsontext.Whole `json:"num_hidden_layers"`
	Heads       jsontext.Whole `json:"num_attention_heads"`
	MLP         jsontext.Whole `json:"intermediate_size,omitempty"`
	MLPRatio    jsontext.Whole `json:"mlp_ratio,omitempty"`
	SwiGLU      bool           `json:"use_swiglu_ffn,omitempty"`
	Registers   jsontext.Whole `json:"num_register_tokens,omitempty"`
	Projection  jsontext.Whole `json:"projection_dim,omitempty"`
	Activation  Activation     `json:"hidden_act"`
	NormEps     float64        `json:"layer_norm_eps"`
	QKVBias     *bool          `json:"qkv_bias,omitempty"`
	PoolingHead *bool          `json:"vision_use_head,omitempty"`
	Dropout     *float64       `json:"hidden_dropout_prob,omitempty"`
	AttnDropout *float64       `json:"attention_probs_dropout_prob,omitempty"`
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
	m := &hfModel{Image: 224, Patch: jsontext.Whole(s.patch), Channels: 3, Width: 768, Blocks: 12, Heads: 12, MLP: 3072,
		Activation: t.Activation, NormEps: t.NormEps}
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

const configFile = "config.json"

// ReadConfig reads a model's configuration from its folder: config.json, and
// preprocessor_config.json or processor_config.json if it is there. Weights need not be.
func ReadConfig(dir string) (Config, error) {
	a, err := ReadAbout(dir)
	return a.Config, err
}

// About is what the files of a model's folder say of it, besides its weights.
type About struct {
	Config Config
	// Labels are the names of the classes, where they are others than different and same; nil else.
	Labels []string
	// Preparation is how images of any size are brought to the size that the model sees.
	Preparation pictures.Preparation

	Swapped bool   // the file has same first and different second; [Load] changes their places
	class   string // of transformers, the first of architectures
}

// ReadAbout reads what a model's folder says of it: config.json, and preprocessor_config.json
// or processor_config.json if it is there.
func ReadAbout(dir string) (a About, err error) {
	path := filepath.Join(dir, configFile)
	var hf hfConfig
	if err := readJSON(path, &struct {
		ModelType *string `json:"model_type"`
	}{&hf.ModelType}); err != nil {
		return a, err
	}
	src, ok := sources[hf.ModelType]
	if !ok {
		return a, fmt.Errorf("vit: %s has model_type %q, expected one of %q: models of other families can't be read",
			path, hf.ModelType, slices.Sorted(maps.Keys(sources)))
	}
	model := src.defaults()
	hf.hfModel = model
	if src.nested {
		hf.hfModel, hf.Vision = new(hfModel), model
	}
	if err := readJSON(path, &hf); err != nil {
		return a, err
	}
	if hf.Vision == nil && src.nested { // null
		return a, fmt.Errorf("vit: %s has no vision_config: expected one in a model of type %s", path, hf.ModelType)
	}
	if src.nested && hf.Projection > 0 {
		model.Projection = hf.Projection // of both towers: that in vision_config is not read
	}
	if err := model.check(src.family.Traits()); err != nil {
		return a, fmt.Errorf("vit: %s has %w", path, err)
	}
	a.Config = model.config(src.family, len(hf.Labels))
	switch {
	case len(hf.Architectures) > 0:
		a.class = hf.Architectures[0]
	case hf.ModelType == "vit_mae":
		a.class = maeClass
	}
	if err := a.label(hf.Labels); err != nil {
		return a, fmt.Errorf("vit: %s: %w", path, err)
	}
	side, err := a.readProcessor(dir)
	if err != nil {
		return a, err
	}
	if a.Config, err = a.Config.at(side); err == nil {
		err = a.Config.Validate()
	}
	if err != nil {
		return a, fmt.Errorf("%w (in %s)", err, path)
	}
	if how := &a.Preparation; how.ShortestEdge > 0 && how.Crop == 0 {
		how.Crop = a.Config.Image
		how.Assumed = fmt.Sprintf("%s scales the shorter side and cuts nothing: the center is taken, %d x %d pixels, which the model sees", processorFile, how.Crop, how.Crop)
	}
	return a, nil
}

// check names what the model does in another way than its family does here.
func (m *hfModel) check(f Traits) error {
	switch {
	case !slices.Contains(Activations, m.activation()):
		return fmt.Errorf("hidden_act %q, expected one of %q: models with another activation can't be read", m.Activation, Activations)
	case m.Channels != 3:
		return fmt.Errorf("num_channels %d, expected 3", m.Channels)
	case m.SwiGLU:
		return errors.New("use_swiglu_ffn true: models with SwiGLU MLPs (DINOv2 giant) can't be read")
	case f.LayerScale && (m.Width > maxSize || m.MLPRatio > maxSize):
		return fmt.Errorf("hidden_size %d and mlp_ratio %d, expected at most %d", m.Width, m.MLPRatio, maxSize)
	}
	return nil
}

// activation is the MLP's, under the one name that it has here.
func (m *hfModel) activation() Activation {
	if a, ok := activationNames[m.Activation]; ok {
		return a
	}
	return m.Activation
}

// config is the configuration of the vision transformer that was read. Its normalization is still open.
func (m *hfModel) config(family Family, labels int) Config {
	f := family.Traits()
	c := Config{Family: family, Image: int(m.Image), Patch: int(m.Patch), Width: int(m.Width), Blocks: int(m.Blocks), Heads: int(m.Heads),
		MLP: int(m.MLP), Classes: labels, Registers: int(m.Registers), NormEps: m.NormEps}
	if f.LayerScale {
		c.MLP = int(m.Width * m.MLPRatio)
	}
	if !f.Registers {
		c.Registers = 0
	}
	if a := m.activation(); a != f.Activation {
		c.Activation = a
	}
	if m.QKVBias != nil && f.layout.qkvBias { // older versions leave it out; the other families pass over it
		c.NoQKVBias = !*m.QKVBias
	}
	switch {
	case family == CLIP:
		c.Classes = int(m.Projection)
	case c.Classes == 0:
		c.Classes = 2 // transformers' default, which it leaves out
	}
	return c
}

// at returns what is said of the same model for images of another side, 0 for its own.
func (a About) at(image int) (About, error) {
	own := a.Config.Image
	c, err := a.Config.at(image)
	if err == nil && image != 0 {
		a.Preparation = a.Preparation.At(own, image)
	}
	a.Config = c
	return a, err
}

// at returns the configuration of the same model for images of another side, 0 for its
// own: its positions stay those of the grid they were learned on.
func (c Config) at(image int) (Config, error) {
	if image == 0 || image == c.Image {
		return c, nil
	}
	if c.Patch < 1 || c.Image < c.Patch {
		return Config{}, fmt.Errorf("vit: positions were learned on images of %d pixels with patches of %d: expected at least one patch", c.Image, c.Patch)
	}
	learned := c.posGrid()
	c.Image, c.PosGrid = image, 0
	if learned != c.Grid() {
		c.PosGrid = learned
	}
	return c, nil
}

// Save writes config.json and preprocessor_config.json to a folder, which [ReadConfig] reads.
func (c Config) Save(dir string) error { return About{Config: c}.Save(dir) }

// Save writes config.json and preprocessor_config.json to a folder, which [ReadAbout] reads.
func (a About) Save(dir string) error { return a.writeAs(dir, torchNames["F32"]) }

// writeAs writes them for weights of a type, as PyTorch calls it.
func (a About) writeAs(dir, dtype string) error {
	c := a.Config
	f := c.Family.Traits()
	learned := c.Image
	if c.PosGrid > 0 {
		learned = c.PosGrid * c.Patch
	}
	model := &hfModel{Image: jsontext.Whole(learned), Patch: jsontext.Whole(c.Patch), Channels: 3, Width: jsontext.Whole(c.Width),
		Blocks: jsontext.Whole(c.Blocks), Heads: jsontext.Whole(c.Heads), MLP: jsontext.Whole(c.MLP), Registers: jsontext.Whole(c.Registers),
		Activation: c.MLPActivation(), NormEps: c.NormEps}
	hf := hfConfig{Architectures: []string{f.Class}, ModelType: f.ModelType, DType: dtype,
		Labels: map[string]string{}, LabelIDs: map[string]any{}, hfModel: model}
	switch c.Family {
	case CLIP:
		model.Projection = jsontext.Whole(c.Classes)
	case SigLIP:
		model.PoolingHead = new(false) // the classifier reads the patches' mean
		model.Type, hf.hfModel, hf.Vision = "siglip_vision_model", nil, model
	default:
		model.QKVBias, model.Dropout, model.AttnDropout = new(!c.NoQKVBias), new(0.), new(0.)
	}
	if f.LayerScale {
		model.MLP, model.MLPRatio = 0, jsontext.Whole(c.MLP/c.Width)
	}
	for i, name := range a.names() {
		hf.Labels[strconv.Itoa(i)], hf.LabelIDs[name] = name, i
	}
	if err := writeJSON(filepath.Join(dir, configFile), hf); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, processorFile), a.processor())
}

func readJSON(path string, v any) error {
	text, err := disk.ReadText(path)
	if err != nil {
		return fmt.Errorf("vit: read model: %w", err)
	}
	if err := notPointer(path, text); err != nil {
		return err
	}
	if err := jsontext.Unmarshal(text, v); err != nil {
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
