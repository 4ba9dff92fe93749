package shards

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/internal/disk"
)

// maxIndex is the most bytes an index may have. That of a model of ten thousand tensors has 1 MB.
const maxIndex = 100 << 20

// An Index says in which file each tensor is.
type Index struct {
	dir   string            // of the index and the files
	files map[string]string // from the tensor's name to the file's, which is below dir
}

// ReadIndex reads and checks an index. That the files exist is for Open to find.
func ReadIndex(path string) (Index, error) {
	file, err := disk.OpenRegular(path)
	if err != nil {
		return Index{}, fmt.Errorf("shards: cannot open: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxIndex+1))
	if err != nil {
		return Index{}, fmt.Errorf("shards: cannot read: %w", err)
	}
	files, err := parseIndex(text)
	if err != nil {
		return Index{}, fmt.Errorf("shards: %s is no index of shards: %w; fetch or write it again", path, err)
	}
	return Index{filepath.Dir(path), files}, nil
}

// Files returns the names of the files, sorted, as slash-separated paths from the folder of the index.
func (x Index) Files() []string {
	return slices.Compact(slices.Sorted(maps.Values(x.files)))
}

func parseIndex(text []byte) (map[string]string, error) {
	if len(text) > maxIndex {
		return nil, fmt.Errorf("it has more than %d bytes", maxIndex)
	}
	var index struct {
		WeightMap json.RawMessage `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, err
	}
	if index.WeightMap == nil {
		return nil, errors.New(`it has no "weight_map"`)
	}
	tokens := json.NewDecoder(bytes.NewReader(index.WeightMap)) // token by token: a map would hide names that occur twice
	if open, _ := tokens.Token(); open != json.Delim('{') {
		return nil, errors.New("its weight_map is no JSON object")
	}
	files := make(map[string]string)
	for tokens.More() {
		key, err := tokens.Token()
		if err != nil {
			return nil, err
		}
		value, err := tokens.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string) // the text is valid JSON
		file, ok := value.(string)
		switch {
		case !ok:
			return nil, fmt.Errorf("its weight_map gives %.200q no file name", name)
		case !fs.ValidPath(file) || file == "." || strings.ContainsAny(file, `\:`):
			return nil, fmt.Errorf("its weight_map gives %.200q the file %.200q, want one in the folder of the index", name, file)
		}
		if _, ok := files[name]; ok {
			return nil, fmt.Errorf("its weight_map has %.200q twice", name)
		}
		files[name] = file
	}
	if len(files) == 0 {
		return nil, errors.New("its weight_map is empty")
	}
	return files, nil
}
