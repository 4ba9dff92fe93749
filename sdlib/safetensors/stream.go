package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"samediff/sdlib/internal/disk"
)

// WriteStream writes a file whose tensors are larger than memory allows, or come piece by piece. The tensors' Data are left nil: fill
// writes them, in any order, by at, whose offset counts bytes from the start of the tensor. What it leaves out is zero. The
// file is there, whole, when fill has returned nil, and not at all when it returns an error. A disk that is too full shows before
// fill is called, where the system can reserve space.
func WriteStream(path string, tensors []Tensor, metadata map[string]string, fill func(at func(name string, offset int, data []byte) error) error) error {
	err := disk.Replace(path, func(w io.Writer) error {
		file := w.(*os.File) // beside path, as disk.Replace makes it
		header, err := appendHeader(nil, tensors, metadata)
		if err != nil {
			return err
		}
		type span struct{ begin, size int }
		spans, end := map[string]span{}, 8+len(header)
		for _, t := range tensors {
			size, _ := byteLen(t.DType, t.Shape) // appendHeader has checked it
			spans[t.Name] = span{end, size}
			end += size
		}
		if err := disk.Reserve(file, int64(end)); err != nil {
			return err
		}
		if _, err := file.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)); err != nil {
			return err
		}
		return fill(func(name string, offset int, data []byte) error {
			s, ok := spans[name]
			if !ok || offset < 0 || offset > s.size || len(data) > s.size-offset {
				return fmt.Errorf("safetensors: %d bytes at %d of tensor %q, which has %d", len(data), offset, name, s.size)
			}
			_, err := file.WriteAt(data, int64(s.begin+offset))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("safetensors: cannot write %s: %w", path, err)
	}
	return nil
}
