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
// and an error. A process that is killed leaves the old folder or the new one, and a hidden folder beside it, which the next call
// removes.
func ReplaceFolder(dir string, patterns []string, write func(aside string) error) error {
	dir = filepath.Clean(dir)
	if err := onlyFiles(dir, patterns); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	if err := recoverFolder(dir); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+asideMark+"*")
	if err != nil {
		return err
	}
	release, ok := claim(aside)
	if !ok {
		return fmt.Errorf("%s was taken by another process: try again", aside)
	}
	defer release()
	defer os.RemoveAll(aside)
	fresh, old := filepath.Join(aside, "new"), filepath.Join(aside, "old")
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	if err := write(fresh); err != nil {
		return err
	}
	if exchange(fresh, dir) {
		return SyncDir(parent)
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return SyncDir(parent)
}

// recoverFolder removes what killed calls of ReplaceFolder left beside dir. Where one was killed between moving the old folder away
// and moving the new one in, on a system that cannot exchange the two, the old one is moved back.
func recoverFolder(dir string) error {
	return leftovers(dir, func(aside string) error {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			if err := os.Rename(filepath.Join(aside, "old"), dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return os.RemoveAll(aside)
	})
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
