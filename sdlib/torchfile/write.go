package torchfile

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/safetensors"
)

// WriteFile writes tensors to a file, as the state dict that torch.load(path, weights_only=True) returns: an OrderedDict in the
// order given, every tensor with a storage of its own. It replaces the file as a whole, as safetensors.WriteFile does.
func WriteFile(path string, tensors []safetensors.Tensor) error {
	if err := disk.Replace(path, func(w io.Writer) error { return Write(w, tensors) }); err != nil {
		return fmt.Errorf("torchfile: cannot write %s: %w", path, err)
	}
	return nil
}

// Write writes a whole file to w. Equal arguments give equal bytes.
func Write(w io.Writer, tensors []safetensors.Tensor) error {
	pickle, err := pickleStateDict(tensors)
	if err != nil {
		return fmt.Errorf("torchfile: %w", err)
	}
	buffered := bufio.NewWriterSize(w, 1<<20)
	archive := &archiveWriter{zip: zip.NewWriter(buffered)}
	archive.entry("archive/data.pkl", pickle)
	archive.entry("archive/byteorder", []byte("little"))
	for i, t := range tensors {
		archive.entry("archive/data/"+strconv.Itoa(i), t.Data)
	}
	archive.entry("archive/version", []byte("3\n")) // of the archive's layout: PyTorch writes 3 since 1.6
	if archive.err != nil {
		return archive.err
	}
	return errors.Join(archive.zip.Close(), buffered.Flush())
}

// An archiveWriter writes entries without compression, each aligned. The first error stays.
type archiveWriter struct {
	zip    *zip.Writer
	offset int // bytes written
	err    error
}

const (
	alignment   = 64
	headerBytes = 30 // of an entry, before its name
)

// entry writes an entry. Padding in the extra field "FB", as PyTorch does it, brings its content to a multiple of 64.
func (a *archiveWriter) entry(name string, content []byte) {
	if a.err != nil {
		return
	}
	begin := a.offset + headerBytes + len(name) + 4 // 4: name and length of the extra field
	padding := -begin & (alignment - 1)
	extra := append([]byte("FB"), byte(padding), 0)
	extra = append(extra, make([]byte, padding)...)
	entry, err := a.zip.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, Extra: extra, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content)),
	})
	if err == nil {
		_, err = entry.Write(content)
	}
	a.offset, a.err = begin+padding+len(content), err
}

// A pickler appends opcodes. It stores nothing in the memo: what is used again is written again.
type pickler []byte

// pickleStateDict checks tensors and describes them, storage i being that of tensor i.
func pickleStateDict(tensors []safetensors.Tensor) ([]byte, error) {
	p := pickler{0x80, 2} // PROTO
	p.orderedDict()
	p = append(p, '(') // MARK
	names := make(map[string]bool, len(tensors))
	for i, t := range tensors {
		d, ok := dtypeNamed(t.DType)
		if !ok || d.storage == "" {
			return nil, fmt.Errorf("tensor %q is %s, which has no place in a PyTorch file: convert it, or write safetensors", t.Name, t.DType)
		}
		elements := 1
		for _, dim := range t.Shape {
			var err error
			if elements, err = product(elements, max(dim, 0)); err != nil || dim < 0 {
				return nil, fmt.Errorf("tensor %q: its shape %v is not one that this machine can address", t.Name, t.Shape)
			}
		}
		switch {
		case len(t.Data)%d.size != 0 || len(t.Data)/d.size != elements:
			return nil, fmt.Errorf("tensor %q: %s of shape %v takes %d elements of %d bytes, its Data has %d bytes", t.Name, t.DType, t.Shape,
				elements, d.size, len(t.Data))
		case names[t.Name]:
			return nil, fmt.Errorf("tensor %q is given twice", t.Name)
		case !utf8.ValidString(t.Name):
			return nil, fmt.Errorf("tensor %q: the name is not UTF-8", t.Name)
		}
		names[t.Name] = true
		p.text(t.Name)
		p.tensor(d, i, elements, t.Shape)
	}
	return append(p, 'u', '.'), nil // SETITEMS, STOP
}

// tensor writes _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()).
func (p *pickler) tensor(d dtype, key, elements int, shape []int) {
	p.global("torch._utils", "_rebuild_tensor_v2")
	*p = append(*p, '(', '(') // MARK, MARK
	p.text("storage")
	p.global("torch", d.storage)
	p.text(strconv.Itoa(key))
	p.text("cpu")
	p.int(elements)
	*p = append(*p, 't', 'Q') // TUPLE, BINPERSID
	p.int(0)
	p.ints(shape)
	strides, stride := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = stride
		stride *= max(shape[i], 1) // as PyTorch counts them for an empty tensor
	}
	p.ints(strides)
	*p = append(*p, 0x89) // NEWFALSE
	p.orderedDict()
	*p = append(*p, 't', 'R') // TUPLE, REDUCE
}

func (p *pickler) orderedDict() {
	p.global("collections", "OrderedDict")
	*p = append(*p, ')', 'R') // EMPTY_TUPLE, REDUCE
}

func (p *pickler) global(module, name string) {
	*p = append(*p, "c"+module+"\n"+name+"\n"...)
}

func (p *pickler) text(s string) {
	*p = append(binary.LittleEndian.AppendUint32(append(*p, 'X'), uint32(len(s))), s...)
}

func (p *pickler) ints(list []int) {
	*p = append(*p, '(')
	for _, n := range list {
		p.int(n)
	}
	*p = append(*p, 't')
}

func (p *pickler) int(n int) {
	switch {
	case n < 1<<8:
		*p = append(*p, 'K', byte(n))
	case n <= math.MaxInt32:
		*p = binary.LittleEndian.AppendUint32(append(*p, 'J'), uint32(n))
	default:
		*p = binary.LittleEndian.AppendUint64(append(*p, 0x8a, 8), uint64(n)) // LONG1
	}
}
