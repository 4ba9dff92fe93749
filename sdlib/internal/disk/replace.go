package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// asideMark stands in the name of every file that Replace writes before it renames it, before random digits.
const asideMark = ".aside-"

// Replace gives the file at path the content that write writes. It writes a hidden file beside path, flushes it to the disk and
// renames it, so path holds the old content or the new one whatever happens. A process that is killed leaves the hidden file, which
// the next call for path removes, and [RemoveLeftovers].
//
// What stands at path and is no regular file, such as /dev/null or /dev/stdout, is an error and stays: renaming would put a file in its place.
func Replace(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: name a file to write", path)
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if err := leftovers(path, os.Remove); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "."+base+asideMark+"*")
	if err != nil {
		return err
	}
	release, ok := claim(file.Name())
	if !ok {
		file.Close()
		return fmt.Errorf("%s was taken by another process: try again", file.Name())
	}
	defer release()
	err = write(file)
	if err == nil {
		err = errors.Join(file.Chmod(0o644), file.Sync())
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		return err
	}
	if err := SyncDir(dir); err != nil {
		return fmt.Errorf("it is written but its folder is not flushed: %w", err)
	}
	return nil
}

// RemoveLeftovers removes the hidden files that killed calls of [Replace] left in the folder dir and the folders below. No call may be
// at work there.
func RemoveLeftovers(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		if name := entry.Name(); strings.HasPrefix(name, ".") && strings.Contains(name, asideMark) {
			return os.Remove(path)
		}
		return nil
	})
}

// Put gives the file at path its content by renaming, as [Replace] does, but does not flush it: for many small files that a later
// step checks all together.
func Put(path string, data []byte) error {
	dir, base := filepath.Split(path)
	file, err := os.CreateTemp(dir, "."+base+asideMark+"*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// leftovers calls a function for each hidden file or folder beside path that a killed call of Replace or ReplaceFolder left there.
// What a call that is at work has claimed is none.
func leftovers(path string, remove func(aside string) error) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || !claims {
		return nil // whoever writes there says what is wrong
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "."+filepath.Base(path)+asideMark) {
			continue
		}
		aside := filepath.Join(filepath.Dir(path), e.Name())
		release, ok := claim(aside)
		if !ok {
			continue
		}
		err := remove(aside)
		release()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
