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
// renames it, so path holds the old content or the new one whatever happens. A process that is killed leaves the hidden file;
// [RemoveLeftovers] removes it.
func Replace(path string, write func(io.Writer) error) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	file, err := os.CreateTemp(dir, "."+base+asideMark+"*")
	if err != nil {
		return err
	}
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
