package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"samediff/sdlib/internal/disk"
)

// smallPayload is the size in bytes up to which every read checks an artifact's checksums: a few milliseconds of SHA-256. Those of
// a larger one are checked by the first read of a process.
const smallPayload = 4 << 20

// ErrNotFound says that the store has no artifact of an ID.
var ErrNotFound = errors.New("no such artifact")

// A DamageError says why an artifact is not what its meta.json says, or why that cannot be read.
type DamageError struct {
	ID     ID
	Reason error
	Moved  string // the folder it was set aside in; empty where it was not
}

func (e *DamageError) Error() string {
	s := fmt.Sprintf("artifact %s is damaged: %v", e.ID.Short(), e.Reason)
	if e.Moved != "" {
		s += "; it is set aside in " + e.Moved + " and will be computed again when it is asked for"
	}
	return s
}

func (e *DamageError) Unwrap() error { return e.Reason }

// A depth says how closely a read looks at the files.
type depth int

const (
	sizes  depth = iota // all files are there and have the right size
	normal              // and have the right checksums, where they have at most smallPayload bytes together, or are read for the first time
	full                // and have the right checksums
)

// checked are the folders of large artifacts whose checksums this process has compared, or written.
var checked sync.Map

// readFolder checks the artifact in a folder and returns its meta.json. The error wraps ErrNotFound where there is no such folder
// and is a *DamageError where the artifact is damaged. Any other error says nothing of the artifact.
func readFolder(ctx context.Context, dir string, id ID, d depth) (Meta, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, os.ErrNotExist) {
		return Meta{}, fmt.Errorf("artifact %s: %w", id.Short(), ErrNotFound)
	}
	if err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return Meta{}, &DamageError{ID: id, Reason: fmt.Errorf("%s is no folder", dir)}
		}
		return Meta{}, fmt.Errorf("artifact %s cannot be read: %w", id.Short(), err)
	}
	defer root.Close()
	m, err := readMeta(root, id)
	if err == nil {
		_, before := checked.Load(dir)
		sums := d == full || d == normal && (m.Size() <= smallPayload || !before)
		for _, f := range m.Files {
			if err = checkFile(ctx, root, f, sums); err != nil {
				break
			}
		}
		if err == nil && sums {
			checked.Store(dir, true)
		}
	}
	var damage *DamageError
	switch {
	case errors.As(err, &damage):
		damage.ID = id
		return Meta{}, damage
	case err != nil:
		return Meta{}, fmt.Errorf("artifact %s cannot be read: %w", id.Short(), err)
	}
	return m, nil
}

func checkFile(ctx context.Context, root *os.Root, f File, sums bool) error {
	file, err := openRegular(root, f.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.Size {
		return &DamageError{Reason: fmt.Errorf("%s has %d bytes, want %d", f.Name, info.Size(), f.Size)}
	}
	if !sums {
		return nil
	}
	got, _, err := hashReader(ctx, file)
	if err == nil && got != f.SHA256 {
		err = &DamageError{Reason: fmt.Errorf("%s has the checksum %s, want %s", f.Name, got.Short(), f.SHA256.Short())}
	}
	return err
}

// HashFile returns the SHA-256 of a file's content: the ID of an input that is no artifact.
func HashFile(path string) (ID, error) {
	file, err := disk.OpenRegular(path)
	if err != nil {
		return "", fmt.Errorf("artifact: cannot hash an input: %w", err)
	}
	defer file.Close()
	id, _, err := hashReader(context.Background(), file)
	if err != nil {
		return "", fmt.Errorf("artifact: cannot hash an input: %w", err)
	}
	return id, nil
}

// HashReader returns the SHA-256 of what r holds.
func HashReader(r io.Reader) (ID, error) {
	id, _, err := hashReader(context.Background(), r)
	return id, err
}

// hashReader returns the SHA-256 and the number of bytes of what r holds.
func hashReader(ctx context.Context, r io.Reader) (ID, int64, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, contextReader{ctx, r}, make([]byte, 256<<10))
	return ID(hex.EncodeToString(h.Sum(nil))), n, err
}

// A contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
