package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"samediff/sdlib/internal/disk"
)

const (
	keyName     = "key.json" // beside the working folder
	filesName   = "files"    // the working folder
	scratchName = "work"     // within it
)

// Get returns the artifact of a key, and computes it if the store does not have it.
//
// compute fills dir, a folder of its own. What an earlier process left there when it was interrupted is still there, so compute may
// resume; only half-written files of [disk.Replace] are gone. The subfolder "work", if compute makes one, is removed when it succeeds; everything else in dir is the artifact. When
// compute fails, dir is kept, unless it is empty, and the error returned. Get calls for one key run one compute at a time, in all processes together;
// the others wait, until ctx ends, and then read. A store that is ReadOnly computes nothing.
func (s *Store) Get(ctx context.Context, key Key, compute func(ctx context.Context, dir string) error) (*Artifact, error) {
	return s.get(ctx, key, normal, compute)
}

func (s *Store) get(ctx context.Context, key Key, d depth, compute func(ctx context.Context, dir string) error) (*Artifact, error) {
	id, err := key.ID()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("artifact: step %s: %w", key.Step, err)
	}
	a, err := s.read(ctx, id, d)
	if err == nil || !missing(err) {
		return a, err
	}
	if s.ReadOnly {
		return nil, fmt.Errorf("artifact: the store %s is read only, and lacks step %s: %w", s.dir, key.Step, err)
	}
	ctx, err = within(ctx, id, key.Step)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx, id, key.Step)
	if err != nil {
		return nil, err
	}
	defer unlock()
	refresh(filepath.Dir(s.finished(id)))
	a, err = s.read(ctx, id, d) // the one we waited for may have made it
	if err == nil || !missing(err) {
		return a, err
	}
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		if err := s.setAside(damage); err != nil {
			return nil, err
		}
		s.notify("%v", damage)
	}
	return s.make(ctx, id, key, compute)
}

// read returns a finished artifact.
func (s *Store) read(ctx context.Context, id ID, d depth) (*Artifact, error) {
	dir := s.finished(id)
	m, err := readFolder(ctx, dir, id, d)
	if err != nil && !missing(err) {
		err = s.explain(err)
	}
	if err != nil {
		return nil, err
	}
	return &Artifact{ID: id, Dir: dir, Meta: m}, nil
}

// missing reports whether an error of read means that the artifact must be computed.
func missing(err error) bool {
	var damage *DamageError
	return errors.Is(err, ErrNotFound) || errors.As(err, &damage)
}

// setAside moves a damaged artifact, whose lock the caller holds, out of the way.
func (s *Store) setAside(damage *DamageError) error {
	dir := filepath.Join(s.dir, "damaged")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return s.explain(err)
	}
	// Nanoseconds keep two of one second apart.
	to := filepath.Join(dir, string(damage.ID)+"-"+time.Now().UTC().Format("20060102T150405.000000000"))
	if err := os.Rename(s.finished(damage.ID), to); err != nil {
		return s.explain(err)
	}
	checked.Delete(s.finished(damage.ID))
	damage.Moved = to
	return nil
}

// make computes an artifact whose lock the caller holds.
func (s *Store) make(ctx context.Context, id ID, key Key, compute func(ctx context.Context, dir string) error) (*Artifact, error) {
	started := time.Now()
	outer := s.unfinished(id)
	dir := filepath.Join(outer, filesName)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, s.explain(err)
	}
	if _, err := readFolder(ctx, dir, id, full); err == nil {
		return s.publish(ctx, id) // killed between meta.json and the end: nothing is left to compute
	}
	if err := os.RemoveAll(filepath.Join(dir, metaName)); err != nil { // half written
		return nil, s.explain(err)
	}
	text, err := key.canonical()
	if err == nil {
		err = os.WriteFile(filepath.Join(outer, keyName), text, 0o666)
	}
	if err != nil {
		return nil, s.explain(err)
	}
	if err := disk.RemoveLeftovers(dir); err != nil {
		return nil, s.explain(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil, s.explain(err)
	}
	if err := compute(ctx, dir); err != nil {
		if isFull(err) {
			err = s.explain(err)
		}
		if left, _ := os.ReadDir(dir); len(left) == 0 {
			os.RemoveAll(outer) // nothing was made that another try could go on with
		}
		return nil, fmt.Errorf("step %s (%s): %w", key.Step, id.Short(), err)
	}
	m, err := newMeta(id, key, started)
	if err != nil {
		return nil, err
	}
	m.Resumed, m.Machine = len(left) > 0, s.Machine
	m.Files, err = collect(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("step %s (%s): %w", key.Step, id.Short(), s.explain(err))
	}
	if len(m.Files) == 0 {
		return nil, fmt.Errorf("step %s (%s): it left no file in its folder %s", key.Step, id.Short(), dir)
	}
	if err := writeMeta(dir, m); err != nil {
		return nil, s.explain(err)
	}
	return s.publish(ctx, id)
}

// collect lists a working folder's files, except those in its scratch folder, with their checksums, and flushes them and their
// folders to the disk.
func collect(ctx context.Context, dir string) ([]File, error) {
	var files []File
	var folders []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && name == scratchName:
			return fs.SkipDir
		case entry.IsDir():
			folders = append(folders, path)
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is no regular file but %s: copy what it points to", name, entry.Type())
		case name == metaName:
			return fmt.Errorf("the name %s is taken by the store: give that file another one", metaName)
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		hash, size, err := hashReader(ctx, file)
		files = append(files, File{Name: filepath.ToSlash(name), Size: size, SHA256: hash})
		return errors.Join(err, syncFile(file))
	})
	for _, folder := range slices.Backward(folders) { // leaves first
		err = errors.Join(err, syncDir(folder))
	}
	return files, err
}

func writeMeta(dir string, m Meta) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(dir, metaName))
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Sync(), file.Close(), syncDir(dir))
}

// publish moves a complete working folder into place.
func (s *Store) publish(ctx context.Context, id ID) (*Artifact, error) {
	outer, to := s.unfinished(id), s.finished(id)
	dir := filepath.Join(outer, filesName)
	err := os.RemoveAll(filepath.Join(dir, scratchName))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o777)
	}
	if err == nil {
		err = os.Rename(dir, to)
	}
	if errors.Is(err, os.ErrExist) { // made by a machine whose result, or whose lock, was not seen in time: theirs is as good
		if made, readErr := s.read(ctx, id, full); readErr == nil {
			return made, s.explain(os.RemoveAll(outer))
		}
	}
	if err == nil {
		err = syncDir(filepath.Dir(to))
	}
	if err == nil {
		err = os.RemoveAll(outer)
	}
	if err != nil {
		return nil, s.explain(err)
	}
	checked.Store(to, true) // collect has just read all files
	return s.read(ctx, id, sizes)
}

// within notes in the context that an artifact is being computed, and refuses one that is being computed already: it would wait
// for itself.
func within(ctx context.Context, id ID, step string) (context.Context, error) {
	outer, _ := ctx.Value(chainKey{}).(*chain)
	for c := outer; c != nil; c = c.outer {
		if c.id == id {
			return nil, fmt.Errorf("artifact: step %s (%s) asks for its own result while it computes it", step, id.Short())
		}
	}
	return context.WithValue(ctx, chainKey{}, &chain{id, outer}), nil
}

// A chain lists what is being computed, innermost first.
type chain struct {
	id    ID
	outer *chain
}

type chainKey struct{}
