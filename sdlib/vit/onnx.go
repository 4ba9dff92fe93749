package vit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/onnx"
	"samediff/sdlib/onnx/encoder"
	"samediff/sdlib/pictures"
	"samediff/sdlib/safetensors"
)

// onnxFile is the name of an exported model in a folder, as optimum calls it.
const onnxFile = "model.onnx"

// ONNX says what an ONNX file leaves open. The zero value is what [Load] takes: the file and preprocessor_config.json beside it say
// everything.
type ONNX struct {
	Image     int        // side of the images in pixels, for a graph that takes any; 0: what the file or its folder says
	Mean, Std [3]float64 // normalization of images, (byte/255 - Mean) / Std; Std 0: what the folder says
	Classes   int        // of a new head in place of the file's; 0: the file's own
	Seed      uint64     // of the new head
}

// LoadONNX reads a model that was exported to ONNX: from the file, or from model.onnx in a folder. Its family is found in the graph,
// which has to be one of them, whole; float16 and 8-bit weights become float32. Where the folder has a config.json, the two must agree.
//
// How images are normalized is never in the graph: preprocessor_config.json says it, or o. Errors say what was expected in the graph,
// what was found, and at which node; those about weights are as [Load]'s.
func LoadONNX(path string, o ONNX) (*Model, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, onnxFile)
	}
	file, c, err := openONNX(path, o)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var newHead *uint64
	if o.Classes > 0 {
		c.Classes, newHead = o.Classes, &o.Seed
	} else if file.backbone != nil {
		return nil, fmt.Errorf("%w (%w)", file.backbone, ErrNoHead)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, path)
	}
	m, err := load(file, path, c, newHead)
	if err != nil {
		return nil, err
	}
	m.Preparation = file.said.preparation.At(file.said.image, m.Config.Image)
	if a := file.said.about; newHead == nil && a.Config.Classes == m.Config.Classes {
		m.Labels = a.Labels
		if err := a.arrange(m.Weights); err != nil {
			return nil, err
		}
	}
	m.Origin, err = file.origin(path)
	return m, err
}

// loadONNXBackbone is [LoadBackbone] of an ONNX file.
func loadONNXBackbone(path string, classes int, seed uint64, image int) (*Model, error) {
	if classes < 1 {
		return nil, fmt.Errorf("vit: classes is %d, expected 1 or more", classes)
	}
	m, err := LoadONNX(path, ONNX{Classes: classes, Seed: seed})
	if errors.Is(err, encoder.ErrSize) && image > 0 {
		m, err = LoadONNX(path, ONNX{Classes: classes, Seed: seed, Image: image})
	}
	if err != nil {
		return nil, err
	}
	if m.Config, err = m.Config.at(image); err != nil {
		return nil, err
	}
	return m, m.Config.Validate()
}

// IsONNX reports whether [Load] would read an ONNX export: a file whose name ends in .onnx, or a folder with model.onnx and no other
// weights.
func IsONNX(path string) bool {
	_, ok := onnxPath(path)
	return ok
}

// onnxPath returns the ONNX file that a path stands for: itself, or the only weights that its folder has.
func onnxPath(path string) (string, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, err == nil && strings.HasSuffix(path, ".onnx")
	}
	if _, _, err := findWeights(path); err == nil {
		return "", false
	}
	file := filepath.Join(path, onnxFile)
	_, err = os.Stat(file)
	return file, err == nil
}

// An exported is an opened ONNX file as a file of weights, under the names of its family's layout.
type exported struct {
	said     sayings
	model    *onnx.Model
	encoder  *encoder.Encoder
	weights  map[string]encoder.Weight
	fields   []field[encoder.Weight]
	backbone error // why it can only be the backbone of a model; nil where it is whole
}

// openONNX reads an ONNX file's graph, and returns the configuration of the model in it.
func openONNX(path string, o ONNX) (*exported, Config, error) {
	dir := filepath.Dir(path)
	said, err := beside(dir)
	if err != nil {
		return nil, Config{}, err
	}
	if said.image == 0 {
		said.image = o.Image
	}
	m, err := onnx.Open(path)
	if err != nil {
		return nil, Config{}, fmt.Errorf("vit: %w", err)
	}
	x := &exported{model: m, said: said}
	c, err := x.read(path, said, o)
	if err != nil {
		m.Close()
		return nil, c, fmt.Errorf("vit: %s: %w", path, err)
	}
	return x, c, nil
}

// sayings are what the files beside an ONNX file say about it.
type sayings struct {
	config *Config // of config.json, nil where there is none
	about  About   // of the same folder
	image  int     // 0: nothing
	// preparation is that of the file which says mean and std
	preparation pictures.Preparation
	mean, std   *[3]float64
}

// beside reads config.json and preprocessor_config.json in the folder of an ONNX file. Of a folder named onnx they may lie one above.
func beside(dir string) (s sayings, err error) {
	folders := []string{dir}
	if filepath.Base(dir) == "onnx" {
		folders = append(folders, filepath.Dir(dir))
	}
	for _, dir := range folders {
		about := About{Config: Config{Family: CLIP}} // whose defaults are not taken
		side, err := about.readProcessor(dir)
		if err != nil {
			return s, err
		}
		if hasProcessor(dir) && s.mean == nil {
			s.image, s.mean, s.std, s.preparation = side, &about.Config.Mean, &about.Config.Std, about.Preparation
		}
		if _, err := os.Stat(filepath.Join(dir, configFile)); err == nil && s.config == nil {
			about, err := ReadAbout(dir)
			if err != nil {
				return s, err
			}
			s.config, s.about = &about.Config, about
			if s.image == 0 {
				s.image = about.Config.Image
			}
		}
	}
	return s, nil
}

// read finds the encoder in the graph and says which family's it is.
func (x *exported) read(path string, said sayings, o ONNX) (c Config, err error) {
	e, err := encoder.Read(x.model, encoder.Options{Image: o.Image})
	if errors.Is(err, encoder.ErrSize) && said.image > 0 {
		e, err = encoder.Read(x.model, encoder.Options{Image: said.image})
	}
	if errors.Is(err, encoder.ErrSize) {
		return c, fmt.Errorf("%w; or say it yourself (sd model convert --image 224)", err)
	}
	if err != nil {
		return c, err
	}
	x.encoder = e
	if c.Family, err = familyOf(e); err != nil {
		return c, err
	}
	f := c.Family.Traits()
	c = Config{Family: c.Family, Image: e.Image, Patch: e.Patch, Width: e.Width, Blocks: len(e.Blocks), Heads: e.Heads, MLP: e.MLP,
		Classes: 2, NormEps: e.NormEps}
	if a := Activation(e.Activation); a != f.Activation {
		c.Activation = a
	}
	c.NoQKVBias = e.Blocks[0].Q.B.Shape == nil
	if e.Registers.Shape != nil {
		c.Registers = e.Registers.Shape[0]
	}
	if e.PosGrid != c.Grid() {
		c.PosGrid = e.PosGrid
		antialias := strings.Contains(e.Resampled, "antialias 1")
		if !strings.HasPrefix(e.Resampled, "cubic, ") || strings.Contains(e.Resampled, "in steps") || antialias != f.Antialias {
			return c, fmt.Errorf("positions are resampled by another rule than family %s has: expected cubic, antialias %v, found %s: "+
				"export the model for images of %d pixels, where nothing is resampled", c.Family, f.Antialias, e.Resampled, e.PosGrid*e.Patch)
		}
	}
	switch {
	case e.Head == nil:
		x.backbone = fmt.Errorf("vit: %s is a backbone: LoadBackbone puts a head on it", path)
	case e.Reads != encoder.Readout(f.Readout) || f.HeadBias != (e.Head.B.Shape != nil):
		x.backbone = fmt.Errorf("vit: the head in %s reads %s (bias: %v), that of family %s reads %s (bias: %v): LoadBackbone puts such a one on it",
			path, e.Reads, e.Head.B.Shape != nil, c.Family, f.Readout, f.HeadBias)
	default:
		c.Classes = e.Head.W.Shape[0]
	}
	if len(e.Rest) > 0 {
		x.backbone = fmt.Errorf("vit: %s computes more than a %s (%s): LoadBackbone reads the encoder in it and puts a new head on it",
			path, f.Class, strings.Join(e.Rest[:min(3, len(e.Rest))], "; "))
	}
	if x.fields, err = x.place(c); err != nil {
		return c, err
	}
	return c, c.complete(said, o, x.backbone == nil)
}

// complete takes what the graph does not say from the files beside it, or from the caller, and compares what both say.
func (c *Config) complete(said sayings, o ONNX, whole bool) error {
	if s := said.config; s != nil {
		want := *s
		want.Mean, want.Std, want.Image, want.PosGrid = c.Mean, c.Std, c.Image, c.PosGrid // of the images the graph was exported for
		if !whole || s.Family == CLIP {                                                   // whose config.json may be that of image and text
			want.Classes = c.Classes
		}
		if want != *c {
			return fmt.Errorf("the graph is not what config.json beside it says: expected %+v, found %+v: are they of the same model?", want, *c)
		}
	}
	switch {
	case o.Std != [3]float64{}:
		c.Mean, c.Std = o.Mean, o.Std
	case said.mean != nil:
		c.Mean, c.Std = *said.mean, *said.std
	default:
		f := c.Family.Traits()
		list := func(v [3]float64) string { return fmt.Sprintf("%.4g,%.4g,%.4g", v[0], v[1], v[2]) }
		return fmt.Errorf("nothing says how images are normalized, (byte/255 - mean)/std: put the model's preprocessor_config.json beside it, or say it "+
			"(sd model convert --mean R,G,B --std R,G,B; models of family %s mostly have %s and %s)", c.Family, list(f.Mean), list(f.Std))
	}
	return nil
}

// familyOf returns the family whose traits the graph has.
func familyOf(e *encoder.Encoder) (Family, error) {
	type trait struct {
		name         string
		found, wants any
	}
	var nearest []string
	for _, family := range Families {
		f := family.Traits()
		front := 0
		for _, there := range []bool{f.CLS, f.Distill} {
			if there {
				front++
			}
		}
		var differs []string
		for _, t := range []trait{
			{"tokens in front", len(e.Front), front}, {"registers", e.Registers.Shape != nil, f.Registers},
			{"bias of the patch embedding", e.Embed.B.Shape != nil, f.PatchBias}, {"LayerNorm before block 0", e.PreNorm != nil, f.PreNorm},
			{"LayerScale", e.Blocks[0].Scale1 != nil, f.LayerScale},
		} {
			if t.found != t.wants {
				differs = append(differs, fmt.Sprintf("%s: expected %v, found %v", t.name, t.wants, t.found))
			}
		}
		if differs == nil {
			return family, nil
		}
		if nearest == nil || len(differs) < len(nearest)-1 {
			nearest = append([]string{family.String()}, differs...)
		}
	}
	return ViT, fmt.Errorf("the encoder is of none of the families that can be read; the nearest is %s (%s)", nearest[0], strings.Join(nearest[1:], "; "))
}

// place gives the encoder's weights the names of the family's layout.
func (x *exported) place(c Config) ([]field[encoder.Weight], error) {
	e := x.encoder
	w := &Weights[encoder.Weight]{Pos: e.Positions, Registers: e.Registers, Patch: linearOf(e.Embed), Norm: normOf(e.Norm)}
	for i, to := range []*encoder.Weight{&w.CLS, &w.Distill} {
		if i < len(e.Front) {
			*to = e.Front[i]
		}
	}
	if e.PreNorm != nil {
		w.PreNorm = normOf(*e.PreNorm)
	}
	if e.Head != nil && x.backbone == nil {
		w.Head = linearOf(*e.Head)
	}
	for l, b := range e.Blocks {
		block := Block[encoder.Weight]{Norm1: normOf(b.Norm1), Q: linearOf(b.Q), K: linearOf(b.K), V: linearOf(b.V), O: linearOf(b.O),
			Norm2: normOf(b.Norm2), Up: linearOf(b.Up), Down: linearOf(b.Down)}
		if (b.Scale1 != nil) != c.Family.Traits().LayerScale || (b.Scale1 == nil) != (b.Scale2 == nil) {
			return nil, fmt.Errorf("block %d: expected LayerScale on what attention and MLP add in all blocks, or in none", l)
		}
		if b.Scale1 != nil {
			block.Scale1, block.Scale2 = *b.Scale1, *b.Scale2
		}
		w.Blocks = append(w.Blocks, block)
	}
	fields := w.fields(c)
	x.weights = make(map[string]encoder.Weight, len(fields))
	for _, f := range fields {
		if f.value.Shape == nil {
			continue // a head that is not there
		}
		if f.value.Elements() != size(f.shape) {
			return nil, fmt.Errorf("%s has shape %v, expected %v", f.name, f.value.Shape, f.file)
		}
		x.weights[f.name] = *f.value
	}
	return slices.DeleteFunc(fields, func(f field[encoder.Weight]) bool { return f.value.Shape == nil }), nil
}

func linearOf(l encoder.Layer) Linear[encoder.Weight] { return Linear[encoder.Weight]{W: l.W, B: l.B} }
func normOf(n encoder.Norm) Norm[encoder.Weight] {
	return Norm[encoder.Weight]{Scale: n.Scale, Shift: n.Shift}
}

// Names returns the names of the weights that are there.
func (x *exported) Names() []string {
	names := make([]string, len(x.fields))
	for i, f := range x.fields {
		names[i] = f.name
	}
	return names
}

// Tensor describes a weight. Its numbers come from Fill.
func (x *exported) Tensor(name string) (safetensors.Tensor, bool) {
	i := slices.IndexFunc(x.fields, func(f field[encoder.Weight]) bool { return f.name == name })
	if i < 0 {
		return safetensors.Tensor{}, false
	}
	return safetensors.Tensor{Name: name, DType: "F32", Shape: x.fields[i].file}, true
}

// Fill reads a weight.
func (x *exported) Fill(name string, values []float32) error {
	from, err := x.weights[name].Float32s()
	if err != nil {
		return err
	}
	copy(values, from)
	return nil
}

func (x *exported) Close() error { return x.model.Close() }

// origin says what an ONNX file's weights were rounded to.
func (x *exported) origin(path string) (*Origin, error) {
	if x.encoder.Bits() > 8 {
		return nil, nil
	}
	hash, err := disk.Hash(path)
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	return &Origin{Weights: EightBit, From: filepath.Base(path) + ", SHA-256 " + hash}, nil
}
