package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Verify reads an artifact in full and compares all checksums. A damaged one is set aside, so that the next Get computes it again;
// the error is then a *DamageError. The error wraps ErrNotFound where there is no finished artifact.
func (s *Store) Verify(ctx context.Context, id ID) error {
	if !id.valid() {
		return badID(id)
	}
	var damage *DamageError
	if _, err := s.read(ctx, id, full); !errors.As(err, &damage) {
		return err
	}
	unlock, err := s.lock(ctx, id, "it")
	if err != nil {
		return errors.Join(damage, err)
	}
	defer unlock()
	if _, err := s.read(ctx, id, full); !errors.As(err, &damage) { // another process has made it anew
		return err
	}
	if err := s.setAside(damage); err != nil {
		return errors.Join(damage, err)
	}
	return damage
}

// Remove deletes all there is of an artifact: the finished one, what an interrupted computation left, and damaged copies. What was
// computed from it stays. An artifact that is being computed is not removed. The error wraps ErrNotFound where there is nothing.
func (s *Store) Remove(id ID) error {
	if !id.valid() {
		return badID(id)
	}
	if o, held := s.busy(id); held {
		return fmt.Errorf("artifact %s is not removed: %s computes it: wait for it or end it first", id.Short(), o)
	}
	same := func(other ID) bool { return other == id }
	infos, err := s.list(context.Background(), same)
	if err == nil && len(infos) == 0 {
		err = fmt.Errorf("artifact %s: %w in the store %s", id.Short(), ErrNotFound, s.dir)
	}
	if err != nil {
		return err
	}
	unlock, err := s.lock(context.Background(), id, "it")
	if err != nil {
		return err
	}
	defer unlock()
	infos, err = s.list(context.Background(), same) // as it is under the lock
	if err != nil {
		return err
	}
	// Moved first, then deleted: a removal that is interrupted leaves no finished artifact with files missing.
	gone := filepath.Join(s.unfinished(id), "removed")
	for _, info := range infos {
		dir := info.Dir
		if dir == s.finished(id) {
			err = errors.Join(os.MkdirAll(filepath.Dir(gone), 0o777), os.RemoveAll(gone), os.Rename(dir, gone))
			dir = gone
		}
		if err == nil {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			return s.explain(err)
		}
	}
	return s.explain(os.RemoveAll(s.unfinished(id)))
}

// RemoveDamaged deletes a copy that was set aside as damaged, as List describes it.
func (s *Store) RemoveDamaged(i Info) error {
	if i.State != Damaged || filepath.Dir(i.Dir) != filepath.Join(s.dir, "damaged") {
		return fmt.Errorf("artifact %s is not removed: it is %s and was not set aside as damaged", i.ID.Short(), i.State)
	}
	return s.explain(os.RemoveAll(i.Dir))
}

func badID(id ID) error {
	return fmt.Errorf("artifact: %q is no ID, want 64 hexadecimal digits: Find takes the first few", id)
}
