package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ReplaceFolder gives the folder dir the content that write writes to the folder it is given, which is beside dir and is renamed. An
// older dir is replaced if the names of all its files match patterns of [filepath.Match]; one that holds anything else is left alone,
// and an error.
func ReplaceFolder(dir string, patterns []string, write func(aside string) error) error {
	dir = filepath.Clean(dir)
	if err := onlyFiles(dir, patterns); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	fresh, old := filepath.Join(aside, "new"), filepath.Join(aside, "old")
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	if err := write(fresh); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return nil
}

// onlyFiles returns an error if a folder holds anything but files whose names match. No folder holds nothing.
func onlyFiles(dir string, patterns []string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		ours := slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, _ := filepath.Match(pattern, e.Name())
			return ok
		})
		if !ours || e.IsDir() {
			return fmt.Errorf("the folder %s holds %s, which is no file of a model: choose another folder, or empty it first", dir, e.Name())
		}
	}
	return nil
}
