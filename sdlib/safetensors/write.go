package safetensors

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"samediff/sdlib/internal/disk"
)

// WriteFile writes tensors, in the order given, and metadata, which may be nil, to a file. It writes a hidden file beside path,
// flushes it to the disk and renames it, so path holds the old content or the new one whatever happens.
func WriteFile(path string, tensors []Tensor, metadata map[string]string) error {
	err := disk.Replace(path, func(w io.Writer) error { return Write(w, tensors, metadata) })
	if err != nil {
		return fmt.Errorf("safetensors: cannot write %s: %w", path, err)
	}
	return nil
}

// Write writes a whole file to w. Metadata is sorted by key, so that equal arguments give equal bytes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	header, err := appendHeader(nil, tensors, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	for _, t := range tensors {
		if size, _ := byteLen(t.DType, t.Shape); size != len(t.Data) {
			return fmt.Errorf("safetensors: tensor %q: %s of shape %s takes %d bytes, its Data has %d", t.Name, t.DType, formatShape(t.Shape), size, len(t.Data))
		}
	}
	buffered := bufio.NewWriterSize(w, 1<<20)
	buffered.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) // Flush reports the first error of all writes
	buffered.Write(header)
	for _, t := range tensors {
		buffered.Write(t.Data)
	}
	return buffered.Flush()
}

// appendHeader checks the tensors, but for their Data, and writes the header as the reference writer does: without spaces, padded to 8 bytes.
func appendHeader(b []byte, tensors []Tensor, metadata map[string]string) ([]byte, error) {
	b = append(b, '{')
	if metadata != nil {
		b = append(appendString(b, metadataKey), ":{"...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
				return nil, fmt.Errorf("metadata %q: %q is not UTF-8", key, metadata[key])
			}
			b = appendString(appendComma(b, i), key)
			b = appendString(append(b, ':'), metadata[key])
		}
		b = append(b, '}')
	}
	names := make(map[string]bool, len(tensors))
	offset := 0
	for _, t := range tensors {
		size, err := checkTensor(t)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if names[t.Name] {
			return nil, fmt.Errorf("tensor %q is given twice", t.Name)
		}
		b = appendString(appendComma(b, len(b)-1), t.Name)
		b = append(append(b, `:{"dtype":"`...), t.DType...)
		b = appendInts(append(b, `","shape":`...), t.Shape)
		b = appendInts(append(b, `,"data_offsets":`...), []int{offset, offset + size})
		b = append(b, '}')
		names[t.Name] = true
		offset += size
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b) > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes; readers allow %d: keep large values out of metadata", len(b), maxHeader)
	}
	return b, nil
}

// checkTensor returns the number of bytes that a tensor takes.
func checkTensor(t Tensor) (int, error) {
	if t.Name == metadataKey {
		return 0, errors.New("the name is reserved")
	}
	if !utf8.ValidString(t.Name) {
		return 0, errors.New("the name is not UTF-8")
	}
	return byteLen(t.DType, t.Shape)
}

// appendComma appends a comma before every element but the first.
func appendComma(b []byte, i int) []byte {
	if i == 0 {
		return b
	}
	return append(b, ',')
}

func appendInts(b []byte, list []int) []byte {
	b = append(b, '[')
	for i, n := range list {
		b = strconv.AppendInt(appendComma(b, i), int64(n), 10)
	}
	return append(b, ']')
}

// appendString quotes a string as Rust's serde_json does, which the reference writer uses. (encoding/json also escapes U+2028 and
// U+2029.)
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	const short = "btn-fr" // \b \t \n, none for 0x0b, \f \r
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= '\b' && c <= '\r' && c != '\v':
			b = append(b, '\\', short[c-'\b'])
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
