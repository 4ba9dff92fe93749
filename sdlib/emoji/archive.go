package emoji

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"samediff/sdlib/internal/disk"
)

// An archive is a version of an npm package, a gzipped tar file.
type archive struct {
	Package string // as npm calls it
	Version string
	SHA256  string // of the archive
}

// The archives that pictures and names come from.
var (
	pictures = archive{"@lobehub/fluent-emoji-3d", "1.1.0", "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58"}
	names    = archive{"emoji-datasource-twitter", "16.0.0", "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877"}
)

// String is the archive's name as npm has it: "emoji-datasource-twitter@16.0.0".
func (a archive) String() string { return a.Package + "@" + a.Version }

// bounds are of what is read of an archive.
type bounds struct {
	files int   // how many there may be
	file  int64 // bytes of one that is taken
	all   int64 // bytes of the archive, unpacked
}

// limits are the bounds of the true archives, which have up to 4,000 files; the longest taken has 1.4 MB.
var limits = bounds{20_000, 8 << 20, 256 << 20}

// ErrDamaged is why an archive is discarded, for errors.Is.
var ErrDamaged = errors.New("not the archive it should be")

// check returns an error unless a file is the archive.
func (a archive) check(file string) error {
	got, err := disk.Hash(file)
	if err != nil {
		return err
	}
	if got != a.SHA256 {
		return fmt.Errorf("emoji: what came as %s has the SHA-256 %s, want %s (%w); it is discarded: try again, and if it stays so, the registry "+
			"that npm uses, or something on the way, has another file", a, got, a.SHA256, ErrDamaged)
	}
	return nil
}

// read calls take with the regular files of a gzipped tar file that want names, and with their bytes. Names are slash-separated and
// lie inside the archive. A file or an archive that is too large is an error, before it is in memory.
func (b bounds) read(in io.Reader, want func(name string) bool, take func(name string, data []byte) error) error {
	z, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	all := &io.LimitedReader{R: z, N: b.all + 1}
	t := tar.NewReader(all)
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case all.N <= 0:
			return fmt.Errorf("more than %d bytes: %w", b.all, ErrDamaged)
		case err != nil:
			return fmt.Errorf("%w: %w", err, ErrDamaged)
		case n >= b.files:
			return fmt.Errorf("more than %d files: %w", b.files, ErrDamaged)
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || !want(name) {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) || h.Size > b.file {
			return fmt.Errorf("%q of %d bytes: expected a path inside the archive and at most %d bytes: %w", h.Name, h.Size, b.file, ErrDamaged)
		}
		data, err := io.ReadAll(io.LimitReader(t, b.file))
		if err != nil || int64(len(data)) != h.Size {
			return fmt.Errorf("%q ends after %d of %d bytes (%v): %w", h.Name, len(data), h.Size, err, ErrDamaged)
		}
		if err := take(name, data); err != nil {
			return err
		}
	}
}

// readFile is read of a file, in the usual bounds.
func readFile(file string, want func(name string) bool, take func(name string, data []byte) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return limits.read(f, want, take)
}
