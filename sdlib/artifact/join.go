package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocks says that locks of a store do not reach from one machine to another.
var ErrLocks = errors.New("locks are not seen by other machines")

// beat is how often a process that joined shows that it lives.
var beat = 2 * time.Second

// Join checks that a store may be shared by processes on several machines, and makes this process
// one that later ones check against, until leave is called. A store that cannot be written or
// locked is an error, and one whose locks hold on one machine alone, as on a file system mounted
// with "nolock" or "localflock", is one that wraps [ErrLocks]: two machines would compute the same
// result at the same time, into one folder.
//
// Every process that joined holds a lock on a file of its own, in which it counts. The locks fail
// if the file of another machine can be locked here and its count goes on. Machines that joined
// before are checked; with none there is nothing to see yet. host names this machine; "" is its
// own name.
func (s *Store) Join(ctx context.Context, host string) (leave func(), err error) {
	if host == "" {
		if host, err = os.Hostname(); err != nil {
			return nil, err
		}
	}
	dir := filepath.Join(s.dir, "present")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, s.explain(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%d-%x", host, os.Getpid(), time.Now().UnixNano()))
	own := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	if held, err := own.TryLockContext(ctx, 10*time.Millisecond); err != nil || !held { // another may be trying it at this moment
		return nil, s.explain(err)
	}
	if err := writeCount(path, 0); err != nil {
		own.Close()
		return nil, s.explain(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for count := 1; ; count++ {
			select {
			case <-stop:
				os.Remove(path)
				own.Close()
				return
			case <-time.After(beat):
				writeCount(path, count) // a beat that is missed does not matter
			}
		}
	}()
	leave = func() {
		close(stop)
		<-stopped
	}
	if err := s.checkPresent(ctx, dir, host); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// checkPresent returns an error if a process of another machine counts on in a file that can be locked here.
func (s *Store) checkPresent(ctx context.Context, dir, host string) error {
	refresh(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s.explain(err)
	}
	counts := map[string]string{} // of files that nobody seems to hold
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if machine(e.Name()) != host && unheld(path) {
			counts[path] = countIn(path)
		}
	}
	if len(counts) == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(3 * beat):
	}
	for path, before := range counts {
		now := countIn(path)
		if now != before && now != "" && unheld(path) {
			return fmt.Errorf("artifact: the store %s cannot be shared: process %s works in it and holds a lock that %s does not see: %w:"+
				" mount the file system with locks (NFS 4, or 3 with lockd and without nolock; Lustre with flock, not localflock), or use one machine",
				s.dir, filepath.Base(path), host, ErrLocks)
		}
		if now == before {
			os.Remove(path) // of a process that was killed
		}
	}
	return nil
}

// machine is the host in the name of a present process, whose last two parts are numbers.
func machine(name string) string {
	for range 2 {
		name = name[:max(0, strings.LastIndexByte(name, '-'))]
	}
	return name
}

// unheld reports whether no process that is seen here holds the lock of a file.
func unheld(path string) bool {
	file := flock.New(path, flock.SetFlag(os.O_RDONLY))
	defer file.Close()
	free, err := file.TryRLock()
	return err == nil && free
}

// writeCount writes a count over a smaller one, so that who reads it at that moment never finds an empty file.
func writeCount(path string, count int) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(strconv.Itoa(count))
	return errors.Join(err, file.Close())
}

func countIn(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}
