package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"

	"samediff/sdlib/artifact"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
)

// A Seal ties the numbers in a folder's metrics.json to the files that they are about.
type Seal struct {
	Files map[string]artifact.ID `json:"files,omitempty"` // SHA-256 of the other files in the folder, by name
	Check artifact.ID            `json:"check,omitempty"` // SHA-256 of metrics.json, with 64 zeros in the place of this one
}

// unsealed stands for Check while the text that it is the hash of is made.
const unsealed = "0000000000000000000000000000000000000000000000000000000000000000"

var checkField = regexp.MustCompile(`"check": "[0-9a-f]{64}"`)

// sumOf returns the hash of the text of a metrics.json, as Seal.Check has it.
func sumOf(text []byte) (artifact.ID, error) {
	return artifact.HashReader(bytes.NewReader(checkField.ReplaceAll(text, []byte(`"check": "`+unsealed+`"`))))
}

// write writes metrics.json to a folder, sealed with the files that are there.
func (m *Metrics) write(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	m.Seal = Seal{Files: map[string]artifact.ID{}, Check: unsealed}
	for _, e := range entries {
		if e.Name() == metricsFile {
			continue
		}
		if m.Files[e.Name()], err = artifact.HashFile(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if m.Check, err = sumOf(text); err != nil {
		return err
	}
	text = bytes.Replace(text, []byte(unsealed), []byte(m.Check), 1)
	return disk.Replace(filepath.Join(dir, metricsFile), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// readMetrics reads the metrics.json of a folder, and checks it. The error is fs.ErrNotExist where there is none.
func readMetrics(dir string) (*Metrics, error) {
	path := filepath.Join(dir, metricsFile)
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, err
	}
	m := new(Metrics)
	if err := jsontext.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if m.Files == nil && m.Check == "" { // of an earlier version
		return m, nil
	}
	if sum, err := sumOf(text); err != nil || sum != m.Check {
		return nil, errors.Join(err, fmt.Errorf("%s was changed since it was written: get it again, or build the model again", path))
	}
	return m, nil
}

// CheckSeal returns an error if the folder of a model has a metrics.json that is about other files than those that are there. Files
// that are missing are no error: some models come without their weights. Nor is a path that is no folder.
func CheckSeal(dir string) error {
	m, err := readMetrics(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%s speaks of the file %q: expected names in its folder", filepath.Join(dir, metricsFile), name)
		}
		path := filepath.Join(dir, name)
		sum, err := artifact.HashFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case sum != m.Files[name] && pointsElsewhere(path):
			return fmt.Errorf("%s is not the file itself but a pointer of git-lfs to it: run `git lfs pull` in its repository, or download the file", path)
		case sum != m.Files[name]:
			return fmt.Errorf("%s is not the file that the accuracies in %s are of: it was changed or is another model's; get the folder again, build the model again,"+
				" or remove %s", path, metricsFile, metricsFile)
		}
	}
	return nil
}

// pointsElsewhere reports whether a file is what git-lfs leaves in the place of a large one.
func pointsElsewhere(path string) bool {
	text, err := disk.ReadFile(path, 1<<10) // a pointer has some 130 bytes
	return err == nil && bytes.HasPrefix(text, []byte("version https://git-lfs."))
}
