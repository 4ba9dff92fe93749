package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	metadataKey = "__metadata__"
	// maxHeader is the reference reader's limit. The header of a model of ten thousand tensors is about 1 MB.
	maxHeader = 100_000_000
)

// An entry is what the header says of one tensor.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end int // bytes, from the start of the data
}

// splitFile cuts a file into its header and its data.
func splitFile(file []byte) (header, data []byte, err error) {
	if len(file) < 8 {
		return nil, nil, fmt.Errorf("it has %d bytes; the header's length alone takes 8", len(file))
	}
	n, rest := binary.LittleEndian.Uint64(file), file[8:]
	switch {
	case n > maxHeader:
		return nil, nil, fmt.Errorf("its header claims %d bytes; at most %d are allowed", n, maxHeader)
	case n > uint64(len(rest)):
		return nil, nil, fmt.Errorf("its header claims %d bytes; %d follow", n, len(rest))
	}
	header, data = rest[:n], rest[n:]
	switch {
	case len(header) == 0 || header[0] != '{':
		return nil, nil, errors.New("its header is no JSON object")
	case !utf8.Valid(header):
		return nil, nil, errors.New("its header is not UTF-8")
	}
	return header, data, nil
}

// parseHeader reads a header and checks it against the number of data bytes. The entries come in the order of the data.
func parseHeader(header []byte, dataLen int) (metadata map[string]string, entries []entry, err error) {
	p := parser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	seen := false
	err = p.object("the header", func(name string) (err error) {
		if name == metadataKey {
			seen = true
			metadata, err = p.metadata()
			return err
		}
		e, err := p.entry(name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.Token(); err != io.EOF {
		return nil, nil, errors.New("its header goes on after the JSON object")
	}
	if seen && metadata == nil {
		metadata = map[string]string{}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	return metadata, entries, checkOffsets(entries, dataLen)
}

// checkOffsets reports overlaps, holes and a remainder among entries sorted by offset.
func checkOffsets(entries []entry, dataLen int) error {
	at := 0
	for _, e := range entries {
		size, err := byteLen(e.dtype, e.shape)
		switch {
		case err != nil:
			return fmt.Errorf("tensor %q: %w", e.name, err)
		case e.begin < at:
			return fmt.Errorf("tensor %q begins at byte %d, inside its predecessor, which ends at %d", e.name, e.begin, at)
		case e.begin > at:
			return fmt.Errorf("tensor %q begins at byte %d; its predecessor ends at %d, which leaves a hole", e.name, e.begin, at)
		case e.end < e.begin || e.end-e.begin != size:
			return fmt.Errorf("tensor %q: %s of shape %s takes %d bytes, its offsets are %d to %d",
				e.name, e.dtype, formatShape(e.shape), size, e.begin, e.end)
		case e.end > dataLen:
			return fmt.Errorf("tensor %q ends at byte %d; the file holds %d bytes of data", e.name, e.end, dataLen)
		}
		at = e.end
	}
	if at != dataLen {
		return fmt.Errorf("its tensors end at byte %d; the file holds %d bytes of data", at, dataLen)
	}
	return nil
}

// A parser reads a header token by token: nothing nests deeper than the format allows, so a hostile depth ends at once, and names
// that occur twice, which a map would hide, are seen.
type parser struct{ *json.Decoder }

// object reads an object, calling value after each key to read what belongs to it. A key that occurs twice is an error.
func (p parser) object(what string, value func(key string) error) error {
	if err := p.delim('{', what); err != nil {
		return err
	}
	return p.members(what, value)
}

// members reads the rest of an object, behind its brace.
func (p parser) members(what string, value func(key string) error) error {
	keys := make(map[string]bool)
	for p.More() {
		key, err := p.text(what)
		if err != nil {
			return err
		}
		if keys[key] {
			return fmt.Errorf("%s has the key %q twice", what, key)
		}
		keys[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return p.delim('}', what)
}

func (p parser) metadata() (map[string]string, error) {
	metadata := make(map[string]string)
	switch token, err := p.Token(); { // some writers put null where there are none
	case err != nil:
		return nil, err
	case token == nil:
		return nil, nil
	case token != json.Delim('{'):
		return nil, fmt.Errorf("%s holds %v, want {", metadataKey, token)
	}
	err := p.members(metadataKey, func(key string) (err error) {
		metadata[key], err = p.text(metadataKey)
		return err
	})
	return metadata, err
}

func (p parser) entry(name string) (entry, error) {
	e := entry{name: name}
	fields := 0
	err := p.object("its description", func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			e.dtype, err = p.text(key)
		case "shape":
			e.shape, err = p.ints(key)
		case "data_offsets":
			var offsets []int
			if offsets, err = p.ints(key); err == nil && len(offsets) != 2 {
				err = fmt.Errorf("data_offsets has %d numbers, want 2", len(offsets))
			}
			if err == nil {
				e.begin, e.end = offsets[0], offsets[1]
			}
		default:
			err = fmt.Errorf("unknown key %q, want dtype, shape and data_offsets", key)
		}
		return err
	})
	if err == nil && fields != 3 { // object has refused duplicates, so three known keys are all of them
		err = errors.New("its description lacks dtype, shape or data_offsets")
	}
	return e, err
}

// ints reads an array of non-negative integers.
func (p parser) ints(what string) ([]int, error) {
	if err := p.delim('[', what); err != nil {
		return nil, err
	}
	list := []int{}
	for p.More() {
		token, err := p.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%s holds %v, want non-negative integers", what, token)
		}
		n, err := strconv.ParseUint(string(number), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%s holds %v, want non-negative integers of at most %d", what, token, maxInt)
		}
		list = append(list, int(n))
	}
	return list, p.delim(']', what)
}

func (p parser) text(what string) (string, error) {
	token, err := p.Token()
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%s holds %v, want a string", what, token)
	}
	return s, nil
}

func (p parser) delim(want json.Delim, what string) error {
	token, err := p.Token()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if token != want {
		return fmt.Errorf("%s holds %v, want %v", what, token, want)
	}
	return nil
}
