package activations

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/safetensors"
)

// A File is an opened file of activations. Its methods, and those of its Values, may be called
// from any number of goroutines, Close after all others.
type File struct {
	file   *safetensors.File
	path   string
	n      int
	nodes  []string
	tokens *Tokens
}

// Open maps a file that [Write] wrote into memory. Every header and length is checked, so a
// truncated file is an error here. Nobody may change or truncate it while it is open.
func Open(path string) (_ *File, err error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, fmt.Errorf("activations: %w", err)
	}
	f := &File{file: file, path: path}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	for _, name := range file.Names() {
		t, _ := file.Tensor(name)
		if len(t.Shape) < 2 || t.Len() < 1 || // [1e11, 0] would be as many pictures without values
			f.n > 0 && t.Shape[0] != f.n {
			return nil, fmt.Errorf("activations: %s: %s has the shape %d, expected the same number of pictures in all tensors, and values of each", path, name, t.Shape)
		}
		f.n = t.Shape[0]
		if name != tokensName {
			f.nodes = append(f.nodes, name)
			continue
		}
		if t.DType != "I32" || len(t.Shape) != 3 {
			return nil, fmt.Errorf("activations: %s: the tokens are %s %d, expected I32 [n, objects, patches]", path, t.DType, t.Shape)
		}
		f.tokens = &Tokens{Objects: t.Shape[1], Each: t.Shape[2], Index: make([]int32, t.Len())}
		for i := range f.tokens.Index {
			f.tokens.Index[i] = int32(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	}
	if len(f.nodes) == 0 {
		return nil, fmt.Errorf("activations: %s holds no values: expected a file of activations", path)
	}
	return f, nil
}

// Len returns the number of pictures.
func (f *File) Len() int { return f.n }

// Nodes returns the names of the values.
func (f *File) Nodes() []string { return slices.Clone(f.nodes) }

// Tokens returns which tokens the values are of, nil for all.
func (f *File) Tokens() *Tokens { return f.tokens }

// Metadata returns the strings that were written beside the values.
func (f *File) Metadata() map[string]string { return f.file.Metadata() }

// Close gives the memory back. Values must not be used afterwards.
func (f *File) Close() error { return f.file.Close() }

// Node returns the values of a name. The error for one that the file does not have lists those it has.
func (f *File) Node(name string) (Values, error) {
	if !slices.Contains(f.nodes, name) {
		return Values{}, fmt.Errorf("activations: %s has no value %q: it has %s", f.path, name, strings.Join(f.nodes, ", "))
	}
	t, _ := f.file.Tensor(name)
	if t.DType != "F32" {
		return Values{}, fmt.Errorf("activations: %s: %s is %s, expected F32", f.path, name, t.DType)
	}
	flat, err := t.ViewFloat32s()
	if err != nil {
		return Values{}, fmt.Errorf("activations: %s: %w", f.path, err)
	}
	return Values{Name: name, Shape: t.Shape, flat: flat, width: len(flat) / f.n}, nil
}

// Values are the values of one name, [N, ...], one row for each picture. They are a view of
// the file: not to be written to, and gone when it is closed.
type Values struct {
	Name  string
	Shape []int // [N, ...]
	flat  []float32
	width int
}

// Width returns how many numbers a row has: the product of Shape without its first axis.
func (v Values) Width() int { return v.width }

// Row returns the values of picture i, row-major, without copying them.
func (v Values) Row(i int) []float32 { return v.flat[i*v.width : (i+1)*v.width : (i+1)*v.width] }

// Gather copies the rows of some pictures, one after the other, into dst, which must hold len(items) rows.
func (v Values) Gather(dst []float32, items []int) error {
	if len(dst) != len(items)*v.width {
		return fmt.Errorf("activations: memory for %d numbers, expected %d: %d rows of %s, of %d each", len(dst), len(items)*v.width, len(items), v.Name, v.width)
	}
	for k, i := range items {
		if i < 0 || i >= v.Shape[0] {
			return fmt.Errorf("activations: there is no picture %d in %s: expected 0 to %d", i, v.Name, v.Shape[0]-1)
		}
		copy(dst[k*v.width:], v.Row(i))
	}
	return nil
}
