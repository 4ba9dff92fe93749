package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A Store is a folder of artifacts. Its methods may be called from any number of goroutines and processes.
type Store struct {
	// Notify, where not nil, gets one-line messages for the user: who is waited for, what was damaged. It may be called from
	// several goroutines at once.
	Notify func(message string)

	// Machine is recorded in the meta.json of what this Store computes: the device besides the CPU, as in "xla:cuda, NVIDIA H200".
	Machine string

	// ReadOnly makes Get an error, which wraps ErrNotFound, where it would have to compute.
	ReadOnly bool

	dir string
}

// Open opens the store in a folder, or in DefaultDir where dir is empty. A folder that does not exist is made when the first
// artifact is computed; a folder that cannot be written serves the artifacts it has.
func Open(dir string) (*Store, error) {
	var err error
	if dir == "" {
		dir, err = DefaultDir()
	} else {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir}
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return nil, fmt.Errorf("artifact: the store %s is no folder: move that file away, or set SD_STORE to a folder", dir)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, s.explain(err)
	}
	return s, nil
}

// Dir returns the store's folder, an absolute path.
func (s *Store) Dir() string { return s.dir }

func (s *Store) finished(id ID) string   { return filepath.Join(s.dir, "artifacts", string(id)) }
func (s *Store) unfinished(id ID) string { return filepath.Join(s.dir, "unfinished", string(id)) }
func (s *Store) lockPath(id ID) string   { return filepath.Join(s.dir, "locks", string(id)) }

func (s *Store) notify(format string, args ...any) {
	if s.Notify != nil {
		s.Notify(fmt.Sprintf(format, args...))
	}
}

// An Artifact is a finished result.
type Artifact struct {
	ID   ID
	Dir  string // its folder; nobody may write into it
	Meta Meta
}

// Path returns the path of one of the artifact's files, whose name is relative to its folder, with forward slashes.
func (a *Artifact) Path(name string) string { return filepath.Join(a.Dir, filepath.FromSlash(name)) }

// isFull reports whether a write failed for lack of space or quota.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// explain adds to an error of the file system what the user can do about it.
func (s *Store) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return fmt.Errorf("artifact: the disk of the store %s is full: free some space (`sd store ls` shows sizes, `sd store rm` removes)"+
			" or set SD_STORE to a folder on another disk, then run the same again: %w", s.dir, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("artifact: the store %s, or a file in it, may not be read or written: set SD_STORE to a folder of yours: %w", s.dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("artifact: the store %s cannot be written: set SD_STORE to a folder that you may write: %w", s.dir, err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, os.ErrExist):
		return fmt.Errorf("artifact: a file is in the way of a folder of the store %s: move it away, or set SD_STORE to another folder: %w",
			s.dir, err)
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("artifact: the disk of the store %s cannot lock files: set SD_STORE to a folder on a local disk: %w", s.dir, err)
	}
	return fmt.Errorf("artifact: the store %s: %w", s.dir, err)
}
