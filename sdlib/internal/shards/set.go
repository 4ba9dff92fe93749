package shards

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A File is one shard, with tensors of type T.
type File[T any] interface {
	Names() []string
	Tensor(name string) (T, bool)
	Close() error
}

// A Set is all shards of a model, read like one file.
type Set[T any] struct {
	files []File[T]
	names []string
	where map[string]File[T] // by the tensor's name
}

// Open opens all files of an index, each with open, and checks that each holds the tensors that the index says, and no others.
func Open[T any](path string, open func(path string) (File[T], error)) (set *Set[T], err error) {
	index, err := ReadIndex(path)
	if err != nil {
		return nil, err
	}
	s := &Set[T]{where: make(map[string]File[T], len(index.files))}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	var missing, extra []string
	for _, name := range index.Files() {
		f, err := open(filepath.Join(index.dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
		for _, tensor := range f.Names() {
			if index.files[tensor] != name {
				extra = append(extra, fmt.Sprintf("%s in %s", tensor, name))
				continue
			}
			s.names = append(s.names, tensor)
			s.where[tensor] = f
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("shards: %s names files that are not there: %s; fetch them too", path, some(missing))
	}
	var absent []string
	for tensor, file := range index.files {
		if s.where[tensor] == nil {
			absent = append(absent, fmt.Sprintf("%s in %s", tensor, file))
		}
	}
	if len(absent)+len(extra) == 0 {
		return s, nil
	}
	slices.Sort(absent)
	var reasons []string
	if len(absent) > 0 {
		reasons = append(reasons, "it promises tensors that are not there: "+some(absent))
	}
	if len(extra) > 0 {
		reasons = append(reasons, "there are tensors that it has elsewhere or not at all: "+some(extra))
	}
	return nil, fmt.Errorf("shards: %s does not belong to its files: %s; fetch the index and all its files again", path, strings.Join(reasons, "; "))
}

// some joins the first few of many.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// Names returns the tensors' names: file by file, in the order of each.
func (s *Set[T]) Names() []string { return slices.Clone(s.names) }

// Tensor returns the tensor of a name and whether there is one.
func (s *Set[T]) Tensor(name string) (t T, ok bool) {
	f, ok := s.where[name]
	if !ok {
		return t, false
	}
	return f.Tensor(name)
}

// Close closes all files. A second Close does nothing.
func (s *Set[T]) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	s.files, s.names, s.where = nil, nil, nil
	return errors.Join(errs...)
}
