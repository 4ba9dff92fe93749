package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	legacyMagic    = long("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") // 0x1950a86a20f9469cfc6c
	legacyProtocol = 1001
)

// readLegacy reads the format of PyTorch 0.1.10 to 1.5, which torch.save still writes on request: five pickles in a row, of the
// magic number, the protocol, the machine's properties, the checkpoint and the list of its storages' keys; then, for each key, the
// storage's length as 8 bytes and its elements.
func readLegacy(file []byte) (checkpoint, error) {
	rest := file
	next := func(what string) (any, *machine, error) {
		value, m, err := unpickle(rest)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", what, err)
		}
		rest = rest[m.at:]
		return value, m, nil
	}
	magic, _, err := next("its magic number")
	if err != nil || magic != legacyMagic {
		return checkpoint{}, errors.New("it is a pickle that torch.save did not write: save the tensors with torch.save(state_dict, path) in Python")
	}
	protocol, _, err := next("its protocol")
	if err != nil {
		return checkpoint{}, err
	}
	if protocol != legacyProtocol {
		return checkpoint{}, fmt.Errorf("its protocol is %v, want %d", protocol, legacyProtocol)
	}
	properties, _, err := next("the properties of its machine")
	if err != nil {
		return checkpoint{}, err
	}
	if err := checkLittleEndian(properties); err != nil {
		return checkpoint{}, err
	}
	value, m, err := next("its checkpoint")
	if err != nil {
		return checkpoint{}, err
	}
	keys, _, err := next("the list of its storages")
	if err != nil {
		return checkpoint{}, err
	}
	storages, err := legacyStorages(keys, m.storages, rest)
	return checkpoint{value, storages}, err
}

func checkLittleEndian(properties any) error {
	d, ok := properties.(*dict)
	if !ok {
		return fmt.Errorf("the properties of its machine are %s, want a dict", kind(properties))
	}
	for i, key := range d.keys {
		if key == "little_endian" && d.values[i] != true {
			return errors.New("it was written by a big-endian machine: load it in Python on a little-endian one and save it there")
		}
	}
	return nil
}

// legacyStorages cuts the bytes after the pickles into storages. Their element types are known from the checkpoint.
func legacyStorages(keys any, met []*storage, data []byte) (map[string][]byte, error) {
	order, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("the list of its storages is %s", kind(keys))
	}
	sizes := make(map[string]int) // bytes per element
	for _, s := range met {
		if size, ok := sizes[s.key]; ok && size != s.dtype.size {
			return nil, fmt.Errorf("its storage %.80q has elements of %d and of %d bytes", s.key, size, s.dtype.size)
		}
		sizes[s.key] = s.dtype.size
	}
	storages := make(map[string][]byte)
	for _, item := range order.items {
		key, ok := item.(string)
		size, ok2 := sizes[key]
		if !ok || !ok2 {
			return nil, fmt.Errorf("its list of storages has %.80v, to which its checkpoint does not refer", item)
		}
		if len(data) < 8 {
			return nil, fmt.Errorf("it ends before its storage %.80q: it is incomplete, fetch it again", key)
		}
		length := binary.LittleEndian.Uint64(data)
		data = data[8:]
		if length > uint64(len(data)/size) {
			return nil, fmt.Errorf("its storage %.80q claims %d elements of %d bytes; %d bytes are left: it is incomplete or damaged, fetch it again",
				key, length, size, len(data))
		}
		n := int(length) * size
		storages[key], data = data[:n:n], data[n:]
	}
	return storages, nil
}
