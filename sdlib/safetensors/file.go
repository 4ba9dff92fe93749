package safetensors

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"samediff/sdlib/internal/disk"
)

// A File is an opened safetensors file. Its methods may be called from any number of goroutines, Close after all others.
type File struct {
	data     []byte // all tensors, without the header
	entries  []entry
	index    map[string]int // name to position in entries
	metadata map[string]string
	release  func() error
}

// A FormatError says why a file is not valid safetensors.
type FormatError struct {
	Path   string // empty when the file was parsed from memory
	Reason error
}

func (e *FormatError) Error() string {
	path := e.Path
	if path == "" {
		path = "data"
	}
	return fmt.Sprintf("safetensors: %s: %v; it is damaged, incomplete or no safetensors file: fetch or write it again", path, e.Reason)
}

func (e *FormatError) Unwrap() error { return e.Reason }

// Open maps the file at path into memory and checks its header. The error is a *FormatError where the file can be read but is not
// valid.
func Open(path string) (*File, error) {
	data, release, err := disk.Map(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: cannot open: %w", err)
	}
	f, err := Parse(data)
	if err != nil {
		var format *FormatError
		if errors.As(err, &format) {
			format.Path = path
		}
		return nil, errors.Join(err, release())
	}
	f.release = release
	return f, nil
}

// Parse reads a whole file from memory, which the returned File keeps and must not change. The error is a *FormatError.
func Parse(file []byte) (*File, error) {
	header, data, err := splitFile(file)
	if err != nil {
		return nil, &FormatError{Reason: err}
	}
	metadata, entries, err := parseHeader(header, len(data))
	if err != nil {
		return nil, &FormatError{Reason: err}
	}
	index := make(map[string]int, len(entries))
	for i, e := range entries {
		index[e.name] = i
	}
	return &File{data: data, entries: entries, index: index, metadata: metadata}, nil
}

// Names returns the tensors' names in the order of their data.
func (f *File) Names() []string {
	names := make([]string, len(f.entries))
	for i, e := range f.entries {
		names[i] = e.name
	}
	return names
}

// Tensor returns the tensor of a name and whether there is one. Its Data is the file's memory: read-only, and gone after Close.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, false
	}
	e := f.entries[i]
	return Tensor{Name: e.name, DType: e.dtype, Shape: slices.Clone(e.shape), Data: f.data[e.begin:e.end:e.end]}, true
}

// Metadata returns the strings kept beside the tensors, nil where the file has none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Close gives the file's memory back. The Data of its tensors must not be touched afterwards. A second Close does nothing.
func (f *File) Close() error {
	release := f.release
	f.data, f.entries, f.index, f.release = nil, nil, nil, nil
	if release == nil {
		return nil
	}
	return release()
}
