package artifact

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// quickly makes the processes of a test show every 20 ms that they live.
func quickly(t *testing.T) {
	usual := beat
	beat = 20 * time.Millisecond
	t.Cleanup(func() { beat = usual })
}

// Two machines whose locks reach each other join, and leave nothing behind.
func TestJoin(t *testing.T) {
	quickly(t)
	s := open(t)
	var leave []func()
	for _, host := range []string{"gpu-1", "gpu-2", "gpu-2", ""} {
		l, err := s.Join(t.Context(), host)
		if err != nil {
			t.Fatalf("%q: %v", host, err)
		}
		leave = append(leave, l)
	}
	if got := names(t, filepath.Join(s.Dir(), "present")); len(got) != 4 {
		t.Errorf("present are %q, want 4", got)
	}
	for _, l := range leave {
		l()
	}
	if got := names(t, filepath.Join(s.Dir(), "present")); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

// A machine that counts in a file which can be locked here has locks that do not reach this one.
// One that was killed does not count, and its file goes.
func TestJoinWithoutLocks(t *testing.T) {
	quickly(t)
	s := open(t)
	dir := filepath.Join(s.Dir(), "present")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	killed, counting := filepath.Join(dir, "gpu-1-17-ab"), filepath.Join(dir, "gpu-2-4711-cd")
	if err := os.WriteFile(killed, []byte("3"), 0o666); err != nil {
		t.Fatal(err)
	}
	leave, err := s.Join(t.Context(), "gpu-3")
	if err != nil {
		t.Fatalf("beside a process that was killed: %v", err)
	}
	leave()
	if _, err := os.Stat(killed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the killed process: %v, want it gone", err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // as a machine does whose file system is mounted with "nolock"
		defer close(stopped)
		for count := 0; ; count++ {
			writeCount(counting, count)
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for { // a busy machine may stop all of this process for three beats, in which the other one looks dead: try longer ones
		if err := os.WriteFile(counting, []byte("0"), 0o666); err != nil {
			t.Fatal(err)
		}
		leave, err := s.Join(t.Context(), "gpu-3")
		if errors.Is(err, ErrLocks) && strings.Contains(err.Error(), "gpu-2-4711") {
			break
		}
		if err != nil || beat > 5*time.Second {
			t.Fatalf("beside a machine whose locks are not seen: %v, want ErrLocks and its name", err)
		}
		leave()
		beat *= 4
	}
	if leave, err = s.Join(t.Context(), "gpu-2"); err != nil {
		t.Errorf("on the same machine: %v", err)
	} else {
		leave()
	}
	held := flock.New(counting)
	if ok, err := held.TryLock(); err != nil || !ok {
		t.Fatalf("lock: %t, %v", ok, err)
	}
	defer held.Close()
	if leave, err = s.Join(t.Context(), "gpu-3"); err != nil {
		t.Errorf("beside a machine whose lock is seen: %v", err)
	} else {
		leave()
	}
}

func TestJoinImpossible(t *testing.T) {
	s := open(t)
	if err := os.MkdirAll(s.Dir(), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir(), "present"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "a file is in the way") {
		t.Errorf("the error is %v", err)
	}
}

// Another machine published the same result while this one computed it, which can be where a file
// system shows late what others did: theirs stays, and is returned.
func TestPublishedMeanwhile(t *testing.T) {
	s := open(t)
	key := Key{Step: "twice"}
	id, err := key.ID()
	if err != nil {
		t.Fatal(err)
	}
	other := open(t)
	theirs, err := other.Get(t.Context(), key, write("model", "theirs"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Get(t.Context(), key, func(ctx context.Context, dir string) error {
		if err := os.MkdirAll(filepath.Dir(s.finished(id)), 0o777); err != nil {
			return err
		}
		if err := os.Rename(theirs.Dir, s.finished(id)); err != nil {
			return err
		}
		return write("model", "ours")(ctx, dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(a.Path("model")); err != nil || string(text) != "theirs" {
		t.Errorf("the result is %q, %v, want theirs", text, err)
	}
	if got := names(t, filepath.Join(s.Dir(), "unfinished")); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}
