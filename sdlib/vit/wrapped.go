package vit

import (
	"slices"
	"strings"

	"samediff/sdlib/safetensors"
)

// wrappers are what programs that wrap a model put in front of all names of its weights: DataParallel, torch.compile, Lightning.
var wrappers = []string{"module.", "_orig_mod.", "model."}

// unwrap returns a file of weights without the wrappers that all its names begin with.
func unwrap(file weightFile) weightFile {
	names := file.Names()
	prefix := ""
	for again := len(names) > 0; again; {
		again = false
		for _, w := range wrappers {
			other := func(name string) bool { return !strings.HasPrefix(name, prefix+w) }
			if !slices.ContainsFunc(names, other) {
				prefix, again = prefix+w, true
			}
		}
	}
	if prefix == "" {
		return file
	}
	return wrapped{file, prefix}
}

// A wrapped file has a prefix in front of all names.
type wrapped struct {
	weightFile
	prefix string
}

func (w wrapped) Names() []string {
	names := slices.Clone(w.weightFile.Names())
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], w.prefix)
	}
	return names
}

func (w wrapped) Tensor(name string) (safetensors.Tensor, bool) {
	t, ok := w.weightFile.Tensor(w.prefix + name)
	t.Name = strings.TrimPrefix(t.Name, w.prefix)
	return t, ok
}
