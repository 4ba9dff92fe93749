package vit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// originFile says where a model's weights come from, in its folder.
const originFile = "origin.json"

// EightBit is what [Origin].Weights says of weights that were rounded to 8 bits and are kept in float32.
const EightBit = "8-bit weights"

// An Origin says what a model's weights are where they are not simply those that a training left. It stands in origin.json, beside
// config.json, and in tables and captions wherever the model appears.
type Origin struct {
	Name    string `json:"name,omitempty"`    // what to call the model: "CLIP ViT-B/16"
	Weights string `json:"weights,omitempty"` // what was done to the weights: [EightBit]
	From    string `json:"from,omitempty"`    // package and file, with the file's SHA-256
	Base    string `json:"base,omitempty"`    // the model that they were made from, owner/name@commit on the hub
	License string `json:"license,omitempty"`
}

// String returns what follows a model's name in a table: "8-bit weights", or "".
func (o *Origin) String() string {
	if o == nil {
		return ""
	}
	return o.Weights
}

// Label returns a model's name as tables and captions have it, with what was done to its weights behind it where there is
// something to say: "clip-b16 (8-bit weights)".
func (o *Origin) Label(name string) string {
	if weights := o.String(); weights != "" {
		return name + " (" + weights + ")"
	}
	return name
}

const fineTuned = ", fine-tuned"

// FineTuned returns the origin of a model that was trained from one of origin o, nil of nil: what was done to the weights
// before does not go away.
func (o *Origin) FineTuned() *Origin {
	if o == nil {
		return nil
	}
	tuned := *o
	if tuned.Name != "" && !strings.HasSuffix(tuned.Name, fineTuned) {
		tuned.Name += fineTuned
	}
	return &tuned
}

// ReadOrigin reads the origin.json of a model's folder, nil where there is none.
func ReadOrigin(dir string) (*Origin, error) {
	o := new(Origin)
	err := readJSON(filepath.Join(dir, originFile), o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return o, err
}

// write writes origin.json, or removes an older model's.
func (o *Origin) write(dir string) error {
	path := filepath.Join(dir, originFile)
	if o != nil {
		return writeJSON(path, o)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
