package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// An owner is what a process writes into the lock that it holds, so that others can say whom they wait for.
type owner struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

func (o owner) String() string {
	if o.PID == 0 {
		return "another process"
	}
	s := fmt.Sprintf("process %d", o.PID)
	if host, err := os.Hostname(); err != nil || host != o.Host {
		s += " on " + o.Host
	}
	return s
}

func (s *Store) owner(id ID) owner {
	var o owner
	if text, err := os.ReadFile(s.lockPath(id)); err == nil && json.Unmarshal(text, &o) != nil {
		o = owner{} // half written: the owner is about to name itself
	}
	return o
}

// ErrBusy says that somebody else computes an artifact, under a context of [NoWait].
var ErrBusy = errors.New("it is being computed by another")

type noWaitKey struct{}

// NoWait returns a context under which [Store.Get] and [Value] do not wait for another that
// computes the same artifact, or one that it needs, but fail with an error that wraps ErrBusy:
// a worker with a list of jobs takes another one.
func NoWait(ctx context.Context) context.Context { return context.WithValue(ctx, noWaitKey{}, true) }

func noWait(ctx context.Context) bool {
	no, _ := ctx.Value(noWaitKey{}).(bool)
	return no
}

// lock takes the lock of an ID, waiting while another goroutine or process has it. The step is for messages.
func (s *Store) lock(ctx context.Context, id ID, step string) (unlock func(), err error) {
	path := s.lockPath(id)
	leave, err := s.enter(ctx, path, id, step)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, s.explain(err)
	}
	file := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666)) // NFS locks only what is open for writing
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		held, err := file.TryLock()
		if err != nil {
			return nil, s.explain(err)
		}
		if held {
			refresh(filepath.Dir(path))
			if sameFile(file, path) {
				break
			}
		}
		file.Close()
		if held {
			continue // the one before us has removed the file that we locked
		}
		if noWait(ctx) {
			return nil, fmt.Errorf("artifact: step %s (%s): %w: %s", step, id.Short(), ErrBusy, s.owner(id))
		}
		if wait == 20*time.Millisecond {
			s.notify("waiting for %s, which computes %s (%s)", s.owner(id), step, id.Short())
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("artifact: gave up waiting for %s, which computes %s (%s): %w", s.owner(id), step, id.Short(), ctx.Err())
		case <-time.After(wait):
		}
	}
	host, _ := os.Hostname() // the owner is for messages only, so errors do not matter
	text, _ := json.Marshal(owner{os.Getpid(), host})
	os.WriteFile(path, text, 0o666)
	return func() {
		os.Remove(path) // before the lock is given up: afterwards the file may be another's
		file.Close()
		leave()
	}, nil
}

// busy returns who holds the lock of an ID now; a lock file that a dead process has left does not count.
func (s *Store) busy(id ID) (o owner, held bool) {
	file := flock.New(s.lockPath(id), flock.SetFlag(os.O_RDONLY))
	defer file.Close()
	if free, err := file.TryRLock(); err != nil || free {
		return owner{}, false // an error: there is no lock file
	}
	return s.owner(id), true
}

// refresh makes a folder show what other machines did in it. An NFS client answers from its memory
// whether a name is there, for up to a minute; opening the folder makes it ask the server
// (close-to-open consistency).
func refresh(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Close()
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

// gates holds one gate per lock that a goroutine of this process has or waits for. File locks are between processes: on some
// systems a second goroutine would get the lock of the first.
var gates = struct {
	sync.Mutex
	byPath map[string]*gate
}{byPath: make(map[string]*gate)}

type gate struct {
	free  chan struct{} // holds one token while no goroutine is inside
	users int           // inside or waiting
}

// enter waits until no other goroutine of this process holds the lock at path.
func (s *Store) enter(ctx context.Context, path string, id ID, step string) (leave func(), err error) {
	gates.Lock()
	g := gates.byPath[path]
	if g == nil {
		g = &gate{free: make(chan struct{}, 1)}
		g.free <- struct{}{}
		gates.byPath[path] = g
	}
	g.users++
	gates.Unlock()
	forget := func() {
		gates.Lock()
		defer gates.Unlock()
		if g.users--; g.users == 0 {
			delete(gates.byPath, path)
		}
	}
	select {
	case <-g.free:
	default:
		if noWait(ctx) {
			forget()
			return nil, fmt.Errorf("artifact: step %s (%s): %w: this process", step, id.Short(), ErrBusy)
		}
		s.notify("waiting for this process, which computes %s (%s) already", step, id.Short())
		select {
		case <-g.free:
		case <-ctx.Done():
			forget()
			return nil, fmt.Errorf("artifact: gave up waiting for this process, which computes %s (%s) already: %w", step, id.Short(), ctx.Err())
		}
	}
	return func() {
		g.free <- struct{}{}
		forget()
	}, nil
}
