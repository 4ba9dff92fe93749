package vit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/pictures"
	"samediff/sdlib/safetensors"
)

// A Model is a configuration with its weights.
type Model struct {
	Config  Config
	Weights *Weights[*tensors.Tensor]
	Origin  *Origin // where the weights come from and what was done to them, nil where there is nothing to say
	// Labels are the names of the classes; nil for those of a task, of which 0 is different and 1 is same.
	Labels []string
	// Preparation is how images of any size are brought to Config.Image.
	Preparation pictures.Preparation
}

// New returns a model with random weights, which depend on the configuration and the seed alone.
func New(c Config, seed uint64) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Model{Config: c, Weights: initial(c, seed)}, nil
}

// check returns an error unless the weights are those that the configuration describes.
func (m *Model) check() error {
	if m == nil || m.Weights == nil {
		return errors.New("vit: a model without weights: make one with New or Load")
	}
	if err := m.Config.Validate(); err != nil {
		return err
	}
	if n := len(m.Labels); n != 0 && n != m.Config.Classes {
		return fmt.Errorf("vit: a model with %d labels for %d classes", n, m.Config.Classes)
	}
	if n := len(m.Weights.Blocks); n != m.Config.Blocks {
		return fmt.Errorf("vit: a model with weights for %d blocks, its configuration says %d", n, m.Config.Blocks)
	}
	for _, f := range m.Weights.fields(m.Config) {
		if *f.value == nil {
			return fmt.Errorf("vit: %s is nil, expected a tensor of shape %v", f.name, f.shape)
		}
		if s := (*f.value).Shape(); s.DType != dtypes.Float32 || !slices.Equal(s.Dimensions, f.shape) {
			return fmt.Errorf("vit: %s is %s, expected Float32 %v", f.name, s, f.shape)
		}
	}
	return nil
}

// Images wraps pixels, n·height·width·3 bytes, as a tensor [n, height, width, 3] that programs take.
func (c Config) Images(pixels []uint8) (*tensors.Tensor, error) {
	each := c.Image * c.Image * 3
	if each < 1 || len(pixels) == 0 || len(pixels)%each != 0 {
		return nil, fmt.Errorf("vit: %d bytes of pixels, expected a multiple of %d (images of %dx%d, 3 channels)", len(pixels), each, c.Image, c.Image)
	}
	return tensors.FromFlatDataAndDimensions(pixels, len(pixels)/each, c.Image, c.Image, 3), nil
}

// Save writes the model to a folder in the layout of the family's own class of
// transformers ([Traits].Class), each file written aside and renamed.
func (m *Model) Save(dir string) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("vit: save model: %w", err)
	}
	files, err := m.safetensors()
	if err != nil {
		return err
	}
	if err := safetensors.WriteFile(filepath.Join(dir, weightsFile), files, torchMetadata); err != nil {
		return err
	}
	if err := m.Origin.write(dir); err != nil {
		return fmt.Errorf("vit: save model: %w", err)
	}
	return m.about().Save(dir)
}

// safetensors returns the weights as they are written to a file, in the model's own memory.
func (m *Model) safetensors() ([]safetensors.Tensor, error) {
	var all []safetensors.Tensor
	for _, f := range m.Weights.fields(m.Config) {
		err := tensors.ConstFlatData(*f.value, func(values []float32) {
			all = append(all, safetensors.ViewOf(f.name, f.file, values))
		})
		if err != nil {
			return nil, fmt.Errorf("vit: %s can't be read from the device: %w", f.name, err)
		}
	}
	n := m.Config.Family.Traits().layout
	for _, name := range n.zeros {
		all = append(all, safetensors.Float32s(n.prefix+name, []int{1, m.Config.Width}, make([]float32, m.Config.Width)))
	}
	return all, nil
}

// Hash names a model by its content: the SHA-256 of its configuration and every
// weight's name and bytes, 64 hexadecimal digits.
func (m *Model) Hash() (string, error) {
	if err := m.check(); err != nil {
		return "", err
	}
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(m.Config); err != nil {
		return "", fmt.Errorf("vit: hash: %w", err)
	}
	all, err := m.safetensors()
	if err != nil {
		return "", err
	}
	for _, t := range all {
		fmt.Fprintf(h, "%s\n", t.Name)
		h.Write(t.Data)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
