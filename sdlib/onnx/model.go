package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"samediff/sdlib/internal/disk"
)

// A Model is an opened ONNX file.
type Model struct {
	Producer     string         // the exporter and its version
	Opset        map[string]int // version of each set of operations, by domain; "" is ONNX's own
	Functions    []string       // names of local functions, domain and name, which nodes may call
	Inputs       []Value        // without initializers, which old files list here too
	Outputs      []Value
	Initializers map[string]*Tensor
	Nodes        []Node // in an order in which each reads only what is there

	release []func() error
}

// A Node is one operation.
type Node struct {
	Op, Domain, Name string
	Inputs, Outputs  []string // "" is one that is left out
	Attributes       map[string]Attribute
}

// String describes a node as errors do: its operation and its name.
func (n Node) String() string {
	op := n.Op
	if n.Domain != "" {
		op = n.Domain + "." + op
	}
	if n.Name != "" {
		return fmt.Sprintf("%s (%.100q)", op, n.Name)
	}
	if len(n.Outputs) > 0 {
		return fmt.Sprintf("%s (which makes %.100q)", op, n.Outputs[0])
	}
	return op
}

// An Attribute is a constant of a node. One of the fields is set.
type Attribute struct {
	Int    *int64
	Float  *float32
	Text   *string
	Tensor *Tensor
	Ints   []int64
	Floats []float32
	Other  bool // a graph, several tensors, a type, or a reference: not read
}

// A Value is an input or output of the graph.
type Value struct {
	Name  string
	Type  Type
	Shape []Dim // nil where the file does not say
}

// A Dim is the size of an axis, or the name of a size that is known when the model runs.
type Dim struct {
	Size int // 0 where it is not known
	Name string
}

// A FormatError says why a file is not a valid ONNX model.
type FormatError struct {
	Path   string
	Reason error
}

func (e *FormatError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("onnx: not a valid model: %v", e.Reason)
	}
	return fmt.Sprintf("onnx: %s is not a valid model: %v; export or fetch it again", e.Path, e.Reason)
}

func (e *FormatError) Unwrap() error { return e.Reason }

// Open maps an ONNX file, and those of its external data, into memory and checks them. The error is a *FormatError where the file
// can be read but is not valid.
func Open(path string) (*Model, error) {
	m := new(Model)
	file, err := m.open(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	dir, opened := filepath.Dir(path), map[string][]byte{}
	external := func(location string) ([]byte, error) {
		if data, ok := opened[location]; ok {
			return data, nil
		}
		if !fs.ValidPath(location) || location == "." || strings.ContainsAny(location, `\:`) {
			return nil, fmt.Errorf("external data lies in %.200q, want a file in the folder of the model", location)
		}
		data, err := m.open(filepath.Join(dir, filepath.FromSlash(location)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the file %.200q with its weights (external data) is missing in %s: put it beside the model", location, dir)
		}
		if err != nil {
			return nil, err
		}
		opened[location] = data
		return data, nil
	}
	if err := m.parse(file, external); err != nil {
		m.Close()
		return nil, &FormatError{path, err}
	}
	return m, nil
}

// Parse reads a whole file from memory, which the returned Model keeps and must not change. External data are an error.
// The error is a *FormatError.
func Parse(file []byte) (*Model, error) {
	m := new(Model)
	if err := m.parse(file, func(location string) ([]byte, error) {
		return nil, fmt.Errorf("weights lie in another file, %.200q (external data): open the model by its path", location)
	}); err != nil {
		return nil, &FormatError{"", err}
	}
	return m, nil
}

// open maps a file until the model is closed.
func (m *Model) open(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil { // opening a pipe would wait for somebody who writes to it
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	data, release, err := disk.Map(path)
	if err == nil {
		m.release = append(m.release, release)
	}
	return data, err
}

// Close gives the file's memory back. Bytes of its tensors must not be touched afterwards. A second Close does nothing.
func (m *Model) Close() error {
	var all []error
	for _, release := range m.release {
		all = append(all, release())
	}
	m.release = nil
	return errors.Join(all...)
}
