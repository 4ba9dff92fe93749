package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Replace gives the file at path the content that write writes. It writes a hidden file beside path, flushes it to the disk and
// renames it, so path holds the old content or the new one whatever happens.
func Replace(path string, write func(io.Writer) error) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	file, err := os.CreateTemp(dir, "."+base+".*")
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
