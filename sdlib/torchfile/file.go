package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/safetensors"
)

// A File is an opened PyTorch file. Its methods may be called from any number of goroutines, Close after all others.
type File struct {
	names   []string
	tensors map[string]view
	release func() error
}

// A view is a tensor and where its bytes are.
type view struct {
	*tensor
	data     []byte // its elements if contiguous, else its storage
	elements int
	gather   bool // the elements must be gathered from the storage
}

// A FormatError says why a file cannot be read as a state dict.
type FormatError struct {
	Path   string // empty when the file was parsed from memory
	Reason error
}

func (e *FormatError) Error() string {
	path := e.Path
	if path == "" {
		path = "data"
	}
	return fmt.Sprintf("torchfile: %s cannot be read as a PyTorch state dict: %v", path, e.Reason)
}

func (e *FormatError) Unwrap() error { return e.Reason }

// Open maps the file at path into memory, runs its pickle on the restricted machine and checks every tensor against its storage.
// The error is a *FormatError where the file can be read but not as a state dict.
func Open(path string) (*File, error) {
	data, release, err := disk.Map(path)
	if err != nil {
		return nil, fmt.Errorf("torchfile: cannot open: %w", err)
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
	f, err := parse(file)
	if err != nil {
		return nil, &FormatError{Reason: err}
	}
	return f, nil
}

func parse(file []byte) (*File, error) {
	var c checkpoint
	var err error
	switch {
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		c, err = readZip(file)
	case bytes.HasPrefix(file, []byte{0x80}): // PROTO
		c, err = readLegacy(file)
	default:
		err = otherFormat(file)
	}
	if err != nil {
		return nil, err
	}
	names, tensors, err := stateDict(c.value)
	if err != nil {
		return nil, err
	}
	f := &File{names: names, tensors: make(map[string]view, len(names))}
	for i, name := range names {
		v, err := newView(tensors[i], c.storages, len(file))
		if err != nil {
			return nil, fmt.Errorf("its tensor %.200q: %w", name, err)
		}
		f.tensors[name] = v
	}
	return f, nil
}

// otherFormat says what a file is that is no PyTorch file.
func otherFormat(file []byte) error {
	switch {
	case len(file) == 0:
		return errors.New("it is empty: fetch it again")
	case bytes.HasPrefix(file, []byte("version https://git-lfs")):
		return errors.New("it is a pointer of Git LFS to the file, not the file: run git lfs pull, or fetch it from the hub")
	case len(file) > 262 && string(file[257:262]) == "ustar":
		return errors.New("it is a tar archive, which PyTorch wrote before version 0.1.10: load it in Python and save it again")
	}
	return errors.New("it begins neither like a zip archive nor like a pickle: it is damaged, or torch.save did not write it")
}

// newView checks a tensor against its storage.
func newView(t *tensor, storages map[string][]byte, fileSize int) (view, error) {
	data, ok := storages[t.storage.key]
	if !ok {
		return view{}, fmt.Errorf("its storage %.80q is missing: the file is damaged, fetch it again", t.storage.key)
	}
	from, to := t.storage.begin, t.storage.begin+t.storage.length // newStorage has checked the sum
	if to > len(data)/t.storage.dtype.size {
		return view{}, fmt.Errorf("its storage %.80q has %d bytes, want %d elements of %d: the file is damaged, fetch it again",
			t.storage.key, len(data), to, t.storage.dtype.size)
	}
	data = data[from*t.storage.dtype.size : to*t.storage.dtype.size]
	elements, end, err := t.measure()
	if err != nil {
		return view{}, err
	}
	size := t.dtype.size
	v := view{tensor: t, data: data, elements: elements}
	switch {
	case end > len(data)/size:
		return view{}, fmt.Errorf("shape %v with strides %v from element %d on reaches to element %d; its storage has %d: the file is damaged, fetch it again",
			t.shape, t.strides, t.offset, end, len(data)/size)
	case elements > fileSize/size: // strides of 0 make much of little
		return view{}, fmt.Errorf("shape %v with strides %v repeats a few elements into more bytes than the file has: save tensor.contiguous() instead",
			t.shape, t.strides)
	case elements == 0:
		v.data = []byte{}
	case t.contiguous():
		v.data = data[t.offset*size : end*size : end*size]
	default:
		v.gather = true
	}
	return v, nil
}

// Names returns the tensors' names in the order of the state dict.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Tensor returns the tensor of a name and whether there is one. Its Data is the file's memory, read-only and gone after Close; or
// fresh memory where the file keeps the elements in another order than row-major.
func (f *File) Tensor(name string) (safetensors.Tensor, bool) {
	v, ok := f.tensors[name]
	if !ok {
		return safetensors.Tensor{}, false
	}
	data := v.data
	if v.gather {
		data = make([]byte, v.elements*v.dtype.size)
		v.tensor.gather(data, v.data)
	}
	return safetensors.Tensor{Name: name, DType: v.dtype.name, Shape: slices.Clone(v.shape), Data: data}, true
}

// Close gives the file's memory back. The Data of its tensors must not be touched afterwards. A second Close does nothing.
func (f *File) Close() error {
	release := f.release
	f.names, f.tensors, f.release = nil, nil, nil
	if release == nil {
		return nil
	}
	return release()
}
