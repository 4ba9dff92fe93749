package vit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/safetensors"
)

// Load reads a model from a folder with config.json, preprocessor_config.json and
// weights, written by [Model.Save] or by save_pretrained of the family's class of
// transformers ([Traits].Class). The weights are model.safetensors or PyTorch's
// pytorch_model.bin, whole or in shards, in float32, or in a type that becomes it.
//
// The error names every weight that is missing, superfluous or of a wrong shape,
// not only the first; a weight that is not a finite number is one too.
func Load(dir string) (*Model, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	return load(dir, c, nil)
}

// LoadBackbone reads a pretrained model from a folder, whatever it was trained for, and
// puts a new head for a number of classes on it, random and of the given seed. What
// belongs to its training alone is passed over: an old head, a pooler, a decoder, a text
// tower. image is the side of the images it is going to see, 0 for what the folder says;
// positions learned at another size are resampled inside the graph (Config.PosGrid).
//
// Errors are those of [Load].
func LoadBackbone(dir string, classes int, seed uint64, image int) (*Model, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	if c, err = c.at(image); err != nil {
		return nil, err
	}
	c.Classes = classes
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return load(dir, c, &seed)
}

// load reads a model's weights, but for the head where a seed for a new one is given.
func load(dir string, c Config, newHead *uint64) (*Model, error) {
	file, path, err := openWeights(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	w, n := new(Weights[*tensors.Tensor]), c.Family.Traits().layout
	known := map[string]bool{}
	var bad []error
	for _, field := range w.fields(c) {
		if newHead != nil && strings.HasPrefix(field.name, n.head+".") {
			initialize(field, random(*newHead))
			continue
		}
		t, ok := file.Tensor(field.name)
		if !ok { // a file of the model without a head
			t, ok = file.Tensor(strings.TrimPrefix(field.name, n.prefix))
		}
		known[t.Name] = true
		if !ok {
			bad = append(bad, fmt.Errorf("%s is missing, expected F32 %v", field.name, field.file))
			continue
		}
		if *field.value, err = floats(t, field); err != nil {
			bad = append(bad, err)
		}
	}
	others := 0
	for _, name := range file.Names() {
		switch {
		case known[name] || n.passes(name, n.idle):
		case n.passes(name, n.others) || newHead != nil && strings.HasPrefix(name, n.head+"."):
			if newHead == nil {
				others++
				bad = append(bad, fmt.Errorf("%s is not a weight of this model", name))
			}
		default:
			bad = append(bad, fmt.Errorf("%s is not a weight of this model", name))
		}
	}
	if k := len(bad); k > 0 {
		if k > maxListed {
			bad = append(bad[:maxListed], fmt.Errorf("and %d more", k-maxListed))
		}
		hint := ""
		if others > 0 {
			hint = fmt.Sprintf("; %d of them belong to pretraining alone: LoadBackbone reads the rest and puts a new head on it", others)
		}
		return nil, fmt.Errorf("vit: %s does not fit its config.json (%d problems%s):\n%w", path, k, hint, errors.Join(bad...))
	}
	return &Model{Config: c, Weights: w}, nil
}

// passes tells whether a name of a file, with or without the prefix, begins as one of these do.
func (n layout) passes(name string, beginnings []string) bool {
	return slices.ContainsFunc(beginnings, func(b string) bool {
		return strings.HasPrefix(name, b) || strings.HasPrefix(strings.TrimPrefix(name, n.prefix), b)
	})
}

// maxListed bounds the problems that one error lists: every weight of a ViT-Large missing under its name and present under another.
const maxListed = 1000

// floats copies a tensor of a file to one that can be computed with.
func floats(t safetensors.Tensor, f field[*tensors.Tensor]) (*tensors.Tensor, error) {
	if !slices.Equal(t.Shape, f.file) {
		return nil, fmt.Errorf("%s has shape %v, expected %v", t.Name, t.Shape, f.file)
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%s holds %v at position %d, expected finite numbers", t.Name, x, i)
		}
	}
	return tensors.FromFlatDataAndDimensions(values, f.shape...), nil
}
