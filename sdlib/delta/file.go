package delta

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// The files of a packed model, beside config.json and preprocessor_config.json.
const (
	File     = "delta.json"        // what it is
	DataFile = "delta.safetensors" // the differences
)

// besides are the files that say what kind of model it is.
var besides = []string{"config.json", "preprocessor_config.json"}

// Files lists the names of the files that [Delta.Save] writes.
func Files() []string {
	return append(slices.Clone(besides), File, DataFile)
}

// description is delta.json.
type description struct {
	Format  string         `json:"format"`
	Version int            `json:"version"`
	Base    Base           `json:"base"`
	Method  Method         `json:"method"`
	Lost    float64        `json:"lost"`
	SHA256  string         `json:"sha256"` // of delta.safetensors
	Checks  []Check        `json:"checks,omitempty"`
	Ranks   map[string]int `json:"ranks"` // for readers: the tensors' shapes say the same

	// Of files of earlier versions both are empty.
	Files map[string]string `json:"files,omitempty"` // SHA-256 of config.json and preprocessor_config.json
	Check string            `json:"check,omitempty"` // SHA-256 of all the rest of what is said here
}

// sum returns what Check should be.
func (d description) sum() (string, error) {
	d.Check = ""
	text, err := json.Marshal(d)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// sumFile returns the SHA-256 of a file.
func sumFile(path string) (string, error) {
	data, err := disk.ReadFile(path, disk.Small)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

const (
	format  = "samediff delta"
	version = 1
)

// Packed reports whether a folder holds a packed model.
func Packed(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, File))
	return err == nil
}

// Bytes returns the size of the file of differences.
func (d *Delta) Bytes() (int, error) {
	data, err := d.encode()
	return len(data), err
}

// encode returns the content of the file of differences: the weights in the order of vit.Config.Names.
func (d *Delta) encode() ([]byte, error) {
	var all []safetensors.Tensor
	for _, w := range weightsOf(d.Config) {
		for _, part := range []string{whole, change, left, right, steps} {
			if t, ok := d.kept[w.name+part]; ok {
				all = append(all, t)
			}
		}
	}
	var data bytes.Buffer
	err := safetensors.Write(&data, all, map[string]string{"format": format})
	return data.Bytes(), err
}

// Save writes the model to a folder: config.json and preprocessor_config.json, [File] and [DataFile]. The folder is written aside and
// renamed. It replaces an older packed model; a folder with anything else is left alone, and an error.
func (d *Delta) Save(dir string) error {
	data, err := d.encode()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	about := description{Format: format, Version: version, Base: d.Base, Method: d.Method, Lost: d.Lost, SHA256: hex.EncodeToString(sum[:]),
		Checks: d.Checks, Ranks: d.Ranks(), Files: map[string]string{}}
	err = disk.ReplaceFolder(dir, Files(), func(aside string) error {
		if err := d.about().Save(aside); err != nil {
			return err
		}
		for _, name := range besides {
			if about.Files[name], err = sumFile(filepath.Join(aside, name)); err != nil {
				return err
			}
		}
		if about.Check, err = about.sum(); err != nil {
			return err
		}
		text, err := json.MarshalIndent(about, "", "  ")
		if err != nil {
			return err
		}
		for name, content := range map[string][]byte{DataFile: data, File: append(text, '\n')} {
			if err := disk.Replace(filepath.Join(aside, name), func(w io.Writer) error {
				_, err := w.Write(content)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delta: save: %w", err)
	}
	return nil
}

// Read reads a packed model's folder, without its base. Everything in it is checked: the hash of the differences, their names,
// shapes and types, and that they are finite.
func Read(dir string) (*Delta, error) {
	path := filepath.Join(dir, File)
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	var about description
	if err := jsontext.Unmarshal(text, &about); err != nil {
		return nil, fmt.Errorf("delta: %s is no valid JSON: %w", path, err)
	}
	switch {
	case about.Format != format:
		return nil, fmt.Errorf("delta: %s has format %q, expected %q", path, about.Format, format)
	case about.Version != version:
		return nil, fmt.Errorf("delta: %s has version %d, this program reads version %d", path, about.Version, version)
	}
	if sum, err := about.sum(); about.Check != "" && (err != nil || sum != about.Check) {
		return nil, errors.Join(err, fmt.Errorf("delta: %s was changed since it was written: get the folder again", path))
	}
	for _, name := range besides {
		want, known := about.Files[name]
		sum, err := sumFile(filepath.Join(dir, name))
		if known && (err != nil || sum != want) {
			return nil, errors.Join(err, fmt.Errorf("delta: %s is damaged, or belongs to another %s: expected SHA-256 %s, got %s: get the folder again",
				filepath.Join(dir, name), File, want, sum))
		}
	}
	of, err := vit.ReadAbout(dir)
	if err != nil {
		return nil, err
	}
	if of.Swapped {
		return nil, fmt.Errorf("delta: config.json in %s has the class same first: expected id2label as it was packed, different and same", dir)
	}
	d := &Delta{Config: of.Config, Labels: of.Labels, Preparation: of.Preparation, Base: about.Base, Method: about.Method, Lost: about.Lost, Checks: about.Checks}
	path = filepath.Join(dir, DataFile)
	data, release, err := disk.Map(path)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != about.SHA256 {
		return nil, errors.Join(fmt.Errorf("delta: %s is damaged, or belongs to another %s: expected SHA-256 %s, got %x: get the folder again",
			path, File, about.SHA256, sum), release())
	}
	err = d.decode(data)
	if err = errors.Join(err, release()); err != nil {
		return nil, fmt.Errorf("delta: %s: %w", path, err)
	}
	return d, nil
}

// decode reads the file of differences to memory of its own, and checks it.
func (d *Delta) decode(data []byte) error {
	f, err := safetensors.Parse(data)
	if err != nil {
		return err
	}
	d.kept = map[string]safetensors.Tensor{}
	known, bad := map[string]bool{}, []error{}
	problem := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	take := func(name string, shape ...int) (there bool) {
		t, there := f.Tensor(name)
		known[name] = there
		factor := strings.HasSuffix(name, left) || strings.HasSuffix(name, right)
		switch {
		case !there:
		case t.DType != "F16" && t.DType != "F32" && !(factor && t.DType == "I8"):
			problem("%s is %s, expected F16 or F32, or I8 for A and B", name, t.DType)
		case !slices.Equal(t.Shape, shape):
			problem("%s has shape %v, expected %v", name, t.Shape, shape)
		default:
			t.Data = slices.Clone(t.Data)
			if values, err := numbers(t); err != nil {
				problem("%w", err)
			} else if !finite(values) {
				problem("%s holds a value that is no finite number", name)
			}
			d.keep(t)
		}
		return there
	}
	for _, w := range weightsOf(d.Config) {
		switch {
		case w.head:
			if !take(w.name+whole, w.shape...) {
				problem("%s is missing, expected shape %v", w.name, w.shape)
			}
		case take(w.name+change, w.shape...): // A and B besides are superfluous
		case w.limit() > 0:
			r := 1
			if a, ok := f.Tensor(w.name + left); ok && len(a.Shape) == 2 {
				r = min(max(a.Shape[1], 1), w.limit())
			}
			if take(w.name+left, w.rows, r) != take(w.name+right, r, w.cols) {
				problem("%s has A without B, or B without A", w.name)
			}
			inEight := 0
			for _, part := range []string{left, right} {
				if t, ok := f.Tensor(w.name + part); ok && t.DType == "I8" {
					inEight++
				}
			}
			if take(w.name+steps, r) != (inEight == 2) || inEight == 1 {
				problem("%s: expected A and B in 8 bits with their steps, or neither in 8 bits and no steps", w.name)
			}
		}
	}
	for _, name := range f.Names() {
		if !known[name] {
			problem("%s is no part of a difference to this model", name)
		}
	}
	if len(bad) > maxListed {
		bad = append(bad[:maxListed], errors.New("and more"))
	}
	return errors.Join(bad...)
}

// maxListed bounds the problems that one error lists.
const maxListed = 20
