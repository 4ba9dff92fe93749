package vit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/torchfile"
)

// weightsFile is the name of a model's weights in its folder, as transformers calls it.
const weightsFile = "model.safetensors"

// A weightFile is an opened file of tensors, or several that belong together.
type weightFile interface {
	Names() []string
	Tensor(name string) (safetensors.Tensor, bool)
	Close() error
}

// A filler is a weightFile that computes numbers: its Tensor has the shape alone.
type filler interface {
	Fill(name string, values []float32) error
}

// formats are the files that weights come in, by the names that transformers gives them, best first.
var formats = []struct {
	name string
	open func(path string) (weightFile, error)
}{
	{weightsFile, opener(safetensors.Open)},
	{"model.safetensors.index.json", opener(safetensors.OpenSharded)},
	{"pytorch_model.bin", opener(torchfile.Open)},
	{"pytorch_model.bin.index.json", opener(torchfile.OpenSharded)},
}

func opener[F weightFile](open func(path string) (F, error)) func(path string) (weightFile, error) {
	return func(path string) (weightFile, error) {
		f, err := open(path)
		if err != nil {
			return nil, err // and not a nil F in an interface
		}
		return f, nil
	}
}

// openWeights opens the weights in a folder, and says which file it was.
func openWeights(dir string) (file weightFile, path string, err error) {
	open, path, err := findWeights(dir)
	if err != nil {
		return nil, "", err
	}
	start, err := beginning(path)
	if err == nil {
		err = notPointer(path, start)
	}
	if err != nil {
		return nil, path, fmt.Errorf("vit: read model: %w", err)
	}
	file, err = open(path)
	return file, path, err
}

// beginning returns the first bytes of a regular file.
func beginning(path string) ([]byte, error) {
	file, err := disk.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, 100)
	n, err := io.ReadFull(file, start)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return start[:n], err
}

// notPointer returns an error where a file is what git-lfs leaves in the place of a large one.
func notPointer(path string, start []byte) error {
	if bytes.HasPrefix(start, []byte("version https://git-lfs.")) {
		return fmt.Errorf("%s is not the file itself but a pointer of git-lfs to it: run `git lfs pull` in its repository, or download the file", path)
	}
	return nil
}

// findWeights returns the file of weights in a folder and how to open it.
func findWeights(dir string) (open func(path string) (weightFile, error), path string, err error) {
	for _, f := range formats {
		path = filepath.Join(dir, f.name)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return f.open, path, nil
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "delta.json")); err == nil {
		return nil, "", fmt.Errorf("vit: %s holds the difference to another model: package delta puts the two together (`sd model convert` writes the result)", dir)
	}
	return nil, "", fmt.Errorf("vit: %s holds no weights: expected %s, pytorch_model.bin, or the index of one of them in shards, or %s: %w",
		dir, weightsFile, onnxFile, fs.ErrNotExist)
}
