package vit

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/safetensors"
)

// Load reads a model from a folder with config.json, preprocessor_config.json and
// weights, written by [Model.Save] or by save_pretrained of the family's class of
// transformers ([Traits].Class). The weights are model.safetensors or PyTorch's
// pytorch_model.bin, whole or in shards, in float32, or in a type that becomes it; or an
// ONNX export, model.onnx, for which [LoadONNX] has options. dir may also be an ONNX file.
//
// The error names every weight that is missing, superfluous or of a wrong shape,
// not only the first; a weight that is not a finite number is one too.
func Load(dir string) (*Model, error) {
	if file, ok := onnxPath(dir); ok {
		return LoadONNX(file, ONNX{})
	}
	a, err := ReadAbout(dir)
	if err != nil {
		return nil, err
	}
	return loadFolder(dir, a, nil)
}

// LoadBackbone reads a pretrained model from a folder, whatever it was trained for, and
// puts a new head for a number of classes on it, random and of the given seed. What
// belongs to its training alone is passed over: an old head, a pooler, a decoder, a text
// tower. image is the side of the images it is going to see, 0 for what the folder says;
// positions learned at another size are resampled inside the graph (Config.PosGrid).
//
// Errors are those of [Load].
func LoadBackbone(dir string, classes int, seed uint64, image int) (*Model, error) {
	if file, ok := onnxPath(dir); ok {
		return loadONNXBackbone(file, classes, seed, image)
	}
	a, err := ReadAbout(dir)
	if err != nil {
		return nil, err
	}
	if a, err = a.at(image); err != nil {
		return nil, err
	}
	a.Config.Classes, a.Labels, a.Swapped = classes, nil, false
	if err := a.Config.Validate(); err != nil {
		return nil, err
	}
	return loadFolder(dir, a, &seed)
}

// WithHead returns the model with a new head, as [LoadBackbone] gives one to a model in a
// folder: for a number of classes, random and of the given seed, and for images of a side,
// 0 for the model's own. All other weights are the model's, not copies of them.
func (m *Model) WithHead(classes int, seed uint64, image int) (*Model, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	c, err := m.Config.at(image)
	if err != nil {
		return nil, err
	}
	c.Classes = classes
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w, old, rng := new(Weights[*tensors.Tensor]), m.Weights.fields(m.Config), random(seed)
	for i, f := range w.fields(c) {
		if c.isHead(f.name) {
			initialize(f, rng)
		} else {
			*f.value = *old[i].value
		}
	}
	return &Model{Config: c, Weights: w, Origin: m.Origin, Preparation: m.Preparation.At(m.Config.Image, c.Image)}, nil
}

// isHead reports whether a weight's name is one of the head's.
func (c Config) isHead(name string) bool {
	return strings.HasPrefix(name, c.Family.Traits().layout.head+".")
}

// loadFolder reads the weights in a folder.
func loadFolder(dir string, a About, newHead *uint64) (*Model, error) {
	file, path, err := openWeights(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := load(unwrap(file), path, a.Config, newHead)
	if err != nil {
		return nil, err
	}
	m.Labels, m.Preparation = a.Labels, a.Preparation
	if err := a.arrange(m.Weights); err != nil {
		return nil, err
	}
	m.Origin, err = ReadOrigin(dir)
	return m, err
}

// load reads a model's weights, but for the head where a seed for a new one is given.
func load(file weightFile, path string, c Config, newHead *uint64) (*Model, error) {
	w := new(Weights[*tensors.Tensor])
	old := w.fields(c) // those to read
	if newHead != nil {
		rng := random(*newHead)
		old = slices.DeleteFunc(old, func(f field[*tensors.Tensor]) bool {
			head := c.isHead(f.name)
			if head {
				initialize(f, rng)
			}
			return head
		})
	} else if err := c.headless(file, path); err != nil {
		return nil, err
	}
	known, bad := read(file, old, c.Family.Traits().layout)
	if len(known) == 0 {
		return nil, fmt.Errorf("vit: %s has none of the %d weights that its config.json speaks of: expected names such as %s, found %s: is it of another model?",
			path, len(old), old[0].name, some(file.Names()))
	}
	more, pretraining := c.leftOver(file, known, newHead != nil)
	if bad = append(bad, more...); len(bad) == 0 {
		return &Model{Config: c, Weights: w}, nil
	}
	hint, n := "", len(bad)
	if n == pretraining {
		return nil, fmt.Errorf("vit: %s holds more than a %s (%s): a backbone, %w of that class: LoadBackbone reads the rest and puts a new head on it",
			path, c.Family.Traits().Class, leftNames(more), ErrNoHead)
	}
	if pretraining > 0 {
		hint = fmt.Sprintf("; %d of them belong to pretraining alone: LoadBackbone reads the rest and puts a new head on it", pretraining)
	}
	if n > maxListed {
		bad = append(bad[:maxListed], fmt.Errorf("and %d more", n-maxListed))
	}
	return nil, fmt.Errorf("vit: %s does not fit its config.json (%d problems%s):\n%w", path, n, hint, errors.Join(bad...))
}

// leftNames shows what some errors of leftOver are about.
func leftNames(left []error) string {
	var names []string
	for _, err := range left {
		name, _, _ := strings.Cut(err.Error(), " is not")
		names = append(names, name)
	}
	return some(names)
}

// some shows the first few names of a list.
func some(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// read copies weights from a file, several at a time, and returns the names it found and what is wrong with them.
func read(file weightFile, fields []field[*tensors.Tensor], n layout) (known map[string]bool, bad []error) {
	known, bad = make(map[string]bool, len(fields)), make([]error, len(fields))
	var all sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, f := range fields {
		t, ok := file.Tensor(f.name)
		if !ok { // a file of the model without a head
			t, ok = file.Tensor(strings.TrimPrefix(f.name, n.prefix))
		}
		if !ok {
			bad[i] = fmt.Errorf("%s is missing, expected F32 %v", f.name, f.file)
			continue
		}
		known[t.Name] = true
		free <- struct{}{}
		all.Go(func() {
			*f.value, bad[i] = floats(file, t, f)
			<-free
		})
	}
	all.Wait()
	return known, slices.DeleteFunc(bad, func(err error) bool { return err == nil })
}

// leftOver returns an error for every tensor of a file that is not one of the known and
// should not be there, and how many of them a backbone could do without.
func (c Config) leftOver(file weightFile, known map[string]bool, backbone bool) (bad []error, pretraining int) {
	n := c.Family.Traits().layout
	for _, name := range file.Names() {
		other := n.passes(name, n.others) || strings.HasPrefix(name, n.head+".")
		if known[name] || n.passes(name, n.idle) || other && backbone {
			continue
		}
		if other {
			pretraining++
		}
		bad = append(bad, fmt.Errorf("%s is not a weight of this model", name))
	}
	return bad, pretraining
}

// passes reports whether a name of a file, with or without the prefix, begins as one of these do.
func (n layout) passes(name string, beginnings []string) bool {
	return slices.ContainsFunc(beginnings, func(b string) bool {
		return strings.HasPrefix(name, b) || strings.HasPrefix(strings.TrimPrefix(name, n.prefix), b)
	})
}

// maxListed bounds the problems that one error lists.
const maxListed = 30

// floats copies a tensor of a file to one that can be computed with.
func floats(file weightFile, t safetensors.Tensor, f field[*tensors.Tensor]) (*tensors.Tensor, error) {
	if !slices.Equal(t.Shape, f.file) {
		return nil, fmt.Errorf("%s has shape %v, expected %v", t.Name, t.Shape, f.file)
	}
	x := tensors.FromShape(shapes.Make(dtypes.Float32, f.shape...))
	var err error
	tensors.MustMutableFlatData(x, func(values []float32) {
		if filler, ok := file.(filler); ok {
			err = filler.Fill(t.Name, values)
		} else {
			err = t.CopyFloat32s(values)
		}
		if err != nil {
			return
		}
		const exponent = 0x7f80_0000
		for i, v := range values {
			if math.Float32bits(v)&exponent == exponent { // all ones: infinite, or no number
				err = fmt.Errorf("%s holds %v at position %d, expected finite numbers", t.Name, v, i)
				return
			}
		}
	})
	return x, err
}
