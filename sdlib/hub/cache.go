package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"samediff/sdlib/internal/disk"
)

// A cache is the folder of one model in the layout that Python's huggingface_hub shares (doc.go).
type cache struct {
	root    string // of all models
	folder  string // "models--openai--clip-vit-base-patch16"
	symlink func(old, new string) error
}

func (c cache) path(elements ...string) string {
	return filepath.Join(append([]string{c.root, c.folder}, elements...)...)
}

// snapshot is the folder of a commit.
func (c cache) snapshot(commit string) string { return c.path("snapshots", commit) }

// file is the path of a file of a commit.
func (c cache) file(commit, name string) string {
	return c.path("snapshots", commit, filepath.FromSlash(name))
}

// has reports whether a file of a commit is there: a link whose blob is gone is not.
func (c cache) has(commit, name string) bool {
	info, err := os.Stat(c.file(commit, name))
	return err == nil && info.Mode().IsRegular()
}

// intact returns an error if the blob that a file of a commit is a link to does not have the hash that is its name. A process looks
// at each blob once. Files that are no links, of a system without them, have no such name.
func (c cache) intact(commit, name string) (blob string, err error) {
	target, err := os.Readlink(c.file(commit, name))
	if err != nil {
		return "", nil
	}
	etag := filepath.Base(target)
	if !sha256Hex.MatchString(etag) && !sha1Hex.MatchString(etag) {
		return "", nil
	}
	blob = c.blob(etag)
	file, err := os.Open(blob)
	if err != nil {
		return blob, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return blob, err
	}
	state := fmt.Sprint(info.Size(), info.ModTime())
	if before, ok := lookedAt.Load(blob); ok && before == state {
		return blob, nil
	}
	if err := check(file, remote{file: name, etag: etag, size: -1}); err != nil {
		return blob, err
	}
	lookedAt.Store(blob, state)
	return blob, nil
}

// lookedAt has the size and time of blobs that were found intact, by their paths.
var lookedAt sync.Map

// blob is where the content with an etag is kept.
func (c cache) blob(etag string) string { return c.path("blobs", etag) }

// ref returns the commit that a branch or tag was when it was last looked up, or "".
func (c cache) ref(revision string) string {
	text, err := disk.ReadFile(c.path("refs", filepath.FromSlash(revision)), disk.Small)
	if err != nil || !sha1Hex.MatchString(strings.TrimSpace(string(text))) {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// setRef remembers the commit of a branch or tag.
func (c cache) setRef(revision, commit string) error {
	if revision == commit || c.ref(revision) == commit {
		return nil
	}
	path := c.path("refs", filepath.FromSlash(revision))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return disk.Replace(path, func(w io.Writer) error {
		_, err := io.WriteString(w, commit)
		return err
	})
}

// knownAbsent reports whether the hub has said that a commit has no such file.
func (c cache) knownAbsent(commit, name string) bool {
	_, err := os.Stat(c.path(".no_exist", commit, filepath.FromSlash(name)))
	return err == nil
}

// setAbsent remembers that. It is no error that it cannot: the hub can be asked again.
func (c cache) setAbsent(commit, name string) {
	path := c.path(".no_exist", commit, filepath.FromSlash(name))
	if os.MkdirAll(filepath.Dir(path), 0o777) == nil {
		os.WriteFile(path, nil, 0o666)
	}
}

// link puts a blob into the snapshot of a commit under a name: by a relative link, so that the cache may be moved, or by a copy
// where there are no links.
func (c cache) link(etag, commit, name string) error {
	blob, path := c.blob(etag), c.file(commit, name)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	target, err := filepath.Rel(dir, blob)
	if err != nil {
		return err
	}
	fresh := filepath.Join(dir, fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid())) // renamed, so that nobody sees a gap
	os.Remove(fresh)                                                                     // of a process killed here, which had this number
	if err := c.symlink(target, fresh); err != nil {
		if err := copyFile(fresh, blob); err != nil {
			return err
		}
	}
	return os.Rename(fresh, path)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return disk.Replace(to, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// lock keeps other processes, Python's included, from downloading the same blob. It calls waiting once if it has to wait.
func (c cache) lock(ctx context.Context, etag string, waiting func()) (unlock func(), err error) {
	path := filepath.Join(c.root, ".locks", c.folder, etag+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	file := flock.New(path, flock.SetPermissions(0o664))
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		held, err := file.TryLock()
		if err != nil {
			return nil, err
		}
		if held && sameFile(file, path) {
			return func() { file.Close() }, nil
		}
		file.Close()
		if held {
			continue // the one before us has removed the file that we locked
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, errors.Join(fmt.Errorf("gave up waiting for another process, which holds %s", path), err)
		}
	}
}

// sameFile reports whether the locked file is still the one at path.
func sameFile(file *flock.Flock, path string) bool {
	locked, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(locked, there)
}
