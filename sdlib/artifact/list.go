package artifact

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A State says what there is of an artifact.
type State string

const (
	Finished   State = "finished"
	Computing  State = "computing"  // by a process that lives
	Unfinished State = "unfinished" // left by one that was interrupted; the next to ask for it goes on
	Damaged    State = "damaged"    // and set aside, or about to be
)

// states lists them from the most useful to the least.
var states = []State{Finished, Computing, Unfinished, Damaged}

// An Info describes one folder of the store.
type Info struct {
	ID       ID
	State    State
	Dir      string
	Meta     Meta      // of a finished artifact; else the key alone, as far as it is known
	Size     int64     // bytes of all files
	Modified time.Time // of a finished artifact the time it was created
	Owner    string    // who computes it: "process 123"
	Problem  error     // what is wrong with a damaged one; nil where that is no longer known
}

// List describes everything in the store: finished artifacts, oldest first, then those being computed, unfinished ones, and damaged
// ones. It compares the sizes of all files, and no checksums.
func (s *Store) List(ctx context.Context) ([]Info, error) {
	return s.list(ctx, func(ID) bool { return true })
}

// Find describes the artifact whose ID starts with a prefix: the finished one, if there is one. Where several IDs do, the error
// lists them; where none does, it wraps ErrNotFound.
func (s *Store) Find(prefix string) (Info, error) {
	if prefix == "" || !isHex(prefix) {
		return Info{}, fmt.Errorf("artifact: %q is no beginning of an ID: want hexadecimal digits 0-9, a-f (`sd store ls` lists the IDs)", prefix)
	}
	infos, err := s.list(context.Background(), func(id ID) bool { return strings.HasPrefix(string(id), prefix) })
	if err != nil {
		return Info{}, err
	}
	if len(infos) == 0 {
		return Info{}, fmt.Errorf("%w: no ID in the store %s begins with %s (`sd store ls` lists them)", ErrNotFound, s.dir, prefix)
	}
	var names []string
	for _, info := range infos {
		if name := fmt.Sprintf("%s (%s)", info.ID.Short(), info.Meta.Step); info.ID != infos[0].ID && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return Info{}, fmt.Errorf("artifact: several IDs begin with %s: %s (%s), %s: give more digits",
			prefix, infos[0].ID.Short(), infos[0].Meta.Step, strings.Join(names, ", "))
	}
	return infos[0], nil
}

// Look describes what there is of one ID: the finished artifact, else the one being computed or unfinished. The error wraps
// ErrNotFound where there is neither. Damage that sizes do not show is not found.
func (s *Store) Look(ctx context.Context, id ID) (Info, error) {
	if !id.valid() {
		return Info{}, badID(id)
	}
	info, err := s.describeFinished(ctx, id, s.finished(id))
	if errors.Is(err, ErrNotFound) {
		if _, err := os.Stat(s.unfinished(id)); errors.Is(err, os.ErrNotExist) {
			return Info{}, fmt.Errorf("artifact %s: %w in the store %s", id.Short(), ErrNotFound, s.dir)
		}
		info, err = s.describeUnfinished(ctx, id, s.unfinished(id))
	}
	return info, err
}

// list describes the folders of the IDs that match, sorted as List says.
func (s *Store) list(ctx context.Context, match func(ID) bool) ([]Info, error) {
	var infos []Info
	for _, kind := range []struct {
		folder   string
		describe func(context.Context, ID, string) (Info, error)
	}{
		{"artifacts", s.describeFinished}, {"unfinished", s.describeUnfinished}, {"damaged", s.describeDamaged},
	} {
		entries, err := os.ReadDir(filepath.Join(s.dir, kind.folder))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, s.explain(err)
		}
		for _, entry := range entries {
			name, _, _ := strings.Cut(entry.Name(), "-") // the time it was set aside
			if id := ID(name); id.valid() && match(id) {
				info, err := kind.describe(ctx, id, filepath.Join(s.dir, kind.folder, entry.Name()))
				if errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrNotFound) {
					continue // finished or removed in the meantime
				}
				if err != nil {
					return nil, s.explain(err)
				}
				infos = append(infos, info)
			}
		}
	}
	slices.SortStableFunc(infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)), a.Modified.Compare(b.Modified), cmp.Compare(a.ID, b.ID))
	})
	return infos, nil
}

func (s *Store) describeFinished(ctx context.Context, id ID, dir string) (Info, error) {
	m, err := readFolder(ctx, dir, id, sizes)
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		info, err := s.describeDamaged(ctx, id, dir)
		info.Problem = damage
		return info, err
	}
	return Info{ID: id, State: Finished, Dir: dir, Meta: m, Size: m.Size(), Modified: m.Created}, err
}

func (s *Store) describeUnfinished(ctx context.Context, id ID, dir string) (Info, error) {
	info := Info{ID: id, State: Unfinished, Dir: filepath.Join(dir, filesName), Meta: keyOf(id, dir, keyName)}
	if o, held := s.busy(id); held {
		info.State, info.Owner = Computing, o.String()
	} else if _, err := os.Stat(info.Dir); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(s.finished(id)); err == nil { // a process was killed just after it had published the result
			return info, errors.Join(os.RemoveAll(dir), os.ErrNotExist)
		}
	}
	var err error
	info.Size, info.Modified, err = measure(ctx, dir)
	return info, err
}

func (s *Store) describeDamaged(ctx context.Context, id ID, dir string) (Info, error) {
	info := Info{ID: id, State: Damaged, Dir: dir, Meta: keyOf(id, dir, metaName)}
	var err error
	info.Size, info.Modified, err = measure(ctx, dir)
	return info, err
}

// keyOf reads the key of an ID from a file, which may be damaged: then what it returns has the ID alone.
func keyOf(id ID, dir, name string) Meta {
	m := Meta{ID: id}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return m
	}
	defer root.Close()
	text, err := readRegular(root, name, maxMeta)
	if err != nil {
		return m
	}
	var claimed Meta
	if err := json.Unmarshal(text, &claimed); err != nil {
		return m
	}
	if hash, err := claimed.Key().ID(); err == nil && hash == id {
		m.Step, m.Version, m.Params, m.Inputs = claimed.Step, claimed.Version, claimed.Params, claimed.Inputs
	}
	return m
}

// measure returns the bytes of all files below a folder, and the last time that one changed.
func measure(ctx context.Context, dir string) (size int64, modified time.Time, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if errors.Is(err, os.ErrNotExist) && path != dir {
			return nil // a computation renames and removes its files
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) && path != dir {
			return nil
		}
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			size += info.Size()
		}
		if info.ModTime().After(modified) {
			modified = info.ModTime()
		}
		return nil
	})
	return size, modified, err
}
