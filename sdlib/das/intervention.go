package das

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// An Intervention is what a search has found: a rotation of a model's residual stream after a
// block, and which of its dimensions to swap.
type Intervention struct {
	Model  string                       `json:"model"` // hash of the model's weights
	Config vit.Config                   `json:"config"`
	Pairs  stimuli.CounterfactualConfig `json:"pairs"` // that it was learned from
	Search
	History []Epoch `json:"history"` // of its training

	Rotation []float32 `json:"-"` // R [D, D], row-major; its columns are the directions
	Mask     []float32 `json:"-"` // m [D]; dimensions with m > 0 are swapped
}

// An Epoch is what was measured in one pass over the pairs, means over its steps.
type Epoch struct {
	Loss    float64 `json:"loss"`
	Correct float64 `json:"correct"` // share of answers that are the target
	Dims    float64 `json:"dims"`    // dimensions with s > .5
}

// Property is what is swapped.
func (v *Intervention) Property() stimuli.Property { return v.Pairs.Property }

// Swapped returns s [D] as a test uses it: 1 where m > 0, the limit of σ(m/T) for T → 0, else 0.
func (v *Intervention) Swapped() []float32 {
	s := make([]float32, len(v.Mask))
	for i, m := range v.Mask {
		if m > 0 {
			s[i] = 1
		}
	}
	return s
}

// Dims is the number of dimensions that are swapped.
func (v *Intervention) Dims() (n int) {
	for _, s := range v.Swapped() {
		n += int(s)
	}
	return n
}

// Directions returns the directions that are swapped, an orthonormal basis of the subspace:
// Dims vectors of length D.
func (v *Intervention) Directions() [][]float32 {
	D := v.Config.Width
	var basis [][]float32
	for j, s := range v.Swapped() {
		if s == 0 {
			continue
		}
		direction := make([]float32, D)
		for i := range direction {
			direction[i] = v.Rotation[i*D+j]
		}
		basis = append(basis, direction)
	}
	return basis
}

// Files of an intervention's folder.
const (
	tensorsFile = "intervention.safetensors" // rotation [D, D], mask [D]
	aboutFile   = "intervention.json"        // everything else
)

// checked is an intervention as its file has it.
type checked struct {
	*Intervention
	Check string `json:"check,omitempty"` // of sum; files of earlier versions have none
}

// sum is the SHA-256 of all that an intervention says: its JSON, and its numbers as they stand in the file.
func (v *Intervention) sum() (string, error) {
	h := sha256.New()
	if err := errors.Join(json.NewEncoder(h).Encode(v), binary.Write(h, binary.LittleEndian, v.Rotation), binary.Write(h, binary.LittleEndian, v.Mask)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Save writes an intervention to a folder, as intervention.safetensors, with the tensors
// "rotation" [D, D] and "mask" [D], and intervention.json.
func (v *Intervention) Save(dir string) error {
	D := v.Config.Width
	sum, err := v.sum()
	if err != nil {
		return fmt.Errorf("das: save an intervention: %w", err)
	}
	about, err := json.MarshalIndent(checked{v, sum}, "", " ")
	if err != nil {
		return fmt.Errorf("das: save an intervention: %w", err)
	}
	return errors.Join(
		safetensors.WriteFile(filepath.Join(dir, tensorsFile), []safetensors.Tensor{
			safetensors.Float32s("rotation", []int{D, D}, v.Rotation),
			safetensors.Float32s("mask", []int{D}, v.Mask),
		}, nil),
		disk.Replace(filepath.Join(dir, aboutFile), func(w io.Writer) error {
			_, err := w.Write(append(about, '\n'))
			return err
		}))
}

// Load reads an intervention from a folder that [Intervention.Save] filled. Files that were changed since are an error.
func Load(dir string) (*Intervention, error) {
	path := filepath.Join(dir, aboutFile)
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, fmt.Errorf("das: %w", err)
	}
	v := &Intervention{}
	said := checked{Intervention: v}
	if err := jsontext.Unmarshal(text, &said); err != nil {
		return nil, fmt.Errorf("das: %s: %w", path, err)
	}
	if said.Intervention != v { // null
		return nil, fmt.Errorf("das: %s describes no intervention", path)
	}
	if err := v.Config.Validate(); err != nil {
		return nil, fmt.Errorf("das: %s: %w", path, err)
	}
	f, err := safetensors.Open(filepath.Join(dir, tensorsFile))
	if err != nil {
		return nil, fmt.Errorf("das: %w", err)
	}
	defer f.Close()
	D := v.Config.Width
	read := func(name string, n int) []float32 {
		t, ok := f.Tensor(name)
		switch {
		case err != nil:
		case !ok || t.Len() != n:
			err = fmt.Errorf("das: %s: tensor %q has the shape %d, expected %d numbers for a width of %d", tensorsFile, name, t.Shape, n, D)
		default:
			var x []float32
			x, err = t.Float32s()
			return x
		}
		return nil
	}
	v.Rotation, v.Mask = read("rotation", D*D), read("mask", D)
	if err != nil {
		return nil, err
	}
	if sum, err := v.sum(); said.Check != "" && (err != nil || sum != said.Check) {
		return nil, errors.Join(err, fmt.Errorf("das: %s or %s beside it was changed since it was written: get them again, or search again (sd das)", path, tensorsFile))
	}
	return v, nil
}

// of returns an error unless the intervention belongs to the model that the streams are of.
func (v *Intervention) of(s *Streams) error {
	switch {
	case v.Model != s.Model:
		return fmt.Errorf("das: the intervention was learned in model %.12s, the streams are those of model %.12s: a subspace of one model means nothing in another", v.Model, s.Model)
	case v.Config.Width*v.Config.Width != len(v.Rotation) || v.Config.Width != len(v.Mask):
		return fmt.Errorf("das: the rotation has %d numbers and the mask %d, expected %d² and %d", len(v.Rotation), len(v.Mask), v.Config.Width, v.Config.Width)
	}
	return checkBlock(v.Config, v.Block)
}
