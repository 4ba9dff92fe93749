package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A checkpoint is a file's content before it is known to be a state dict.
type checkpoint struct {
	value    any
	storages map[string][]byte // by key
}

// readZip reads the format of PyTorch 1.6 and later, a zip archive whose entries are stored without compression:
//
//	archive/data.pkl     the pickle
//	archive/byteorder    "little" or "big"; missing before PyTorch 2.0
//	archive/data/<key>   the bytes of the storage of that key, aligned to 64
//
// Its folder may have any name. The checksums of the entries are not looked at, which PyTorch does not do either: it can be told to
// write none.
func readZip(file []byte) (checkpoint, error) {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return checkpoint{}, fmt.Errorf("it begins like a zip archive and does not end like one (%w): it is incomplete, fetch it again", err)
	}
	root, err := rootFolder(archive)
	if err != nil {
		return checkpoint{}, err
	}
	var pickle []byte
	c := checkpoint{storages: make(map[string][]byte)}
	seen := make(map[string]bool)
	for _, f := range archive.File {
		name, inside := strings.CutPrefix(f.Name, root)
		if !inside {
			continue
		}
		if seen[name] {
			return checkpoint{}, fmt.Errorf("its entry %q occurs twice", f.Name)
		}
		seen[name] = true
		key, isStorage := strings.CutPrefix(name, "data/")
		if name != "data.pkl" && name != "byteorder" && name != "constants.pkl" && !isStorage {
			continue
		}
		content, err := stored(f, file)
		if err != nil {
			return checkpoint{}, fmt.Errorf("its entry %q: %w", f.Name, err)
		}
		switch {
		case isStorage:
			c.storages[key] = content
		case name == "data.pkl":
			pickle = content
		case name == "byteorder" && string(content) != "little":
			return checkpoint{}, fmt.Errorf("its byte order is %.20q, want %q: it was written by a big-endian machine; load it in "+
				"Python on a little-endian one and save it there", content, "little")
		case name == "constants.pkl":
			return checkpoint{}, errors.New("it is a TorchScript program, not a state dict: save torch.jit.load(path).state_dict() in Python")
		}
	}
	if len(pickle) > maxPickle {
		return checkpoint{}, fmt.Errorf("its pickle has %d bytes, want at most %d", len(pickle), maxPickle)
	}
	c.value, _, err = unpickle(pickle)
	return c, err
}

// rootFolder returns the folder of data.pkl with its slash.
func rootFolder(archive *zip.Reader) (root string, err error) {
	for _, f := range archive.File {
		folder, name, ok := strings.Cut(f.Name, "/")
		if !ok || name != "data.pkl" {
			continue
		}
		if root != "" {
			return "", fmt.Errorf("it has two pickles, %.80q and %.80q, want one", root+name, f.Name)
		}
		root = folder + "/"
	}
	if root == "" {
		return "", errors.New("it is a zip archive without a data.pkl: PyTorch did not write it, or it is an archive around the file, to be unpacked first")
	}
	return root, nil
}

// stored returns the content of an entry, a part of file.
func stored(f *zip.File, file []byte) ([]byte, error) {
	switch {
	case f.Flags&1 != 0:
		return nil, errors.New("it is encrypted; PyTorch writes no such files")
	case f.Method != zip.Store:
		return nil, errors.New("it is compressed, which cannot be mapped, and PyTorch does not do: unpack the archive and pack it again " +
			"without compression (zip -0), or save it again in Python")
	case f.CompressedSize64 != f.UncompressedSize64:
		return nil, fmt.Errorf("it is stored without compression and yet has %d bytes in the file and %d outside", f.CompressedSize64, f.UncompressedSize64)
	}
	begin, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	if begin < 0 || begin > int64(len(file)) || f.CompressedSize64 > uint64(int64(len(file))-begin) {
		return nil, fmt.Errorf("it claims %d bytes from byte %d; the file has %d: it is damaged, fetch it again", f.CompressedSize64, begin, len(file))
	}
	return file[begin:][:f.CompressedSize64:f.CompressedSize64], nil
}
