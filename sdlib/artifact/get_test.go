package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write returns a compute function that leaves the files given as name, content, name, content, ...
func write(files ...string) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		for i := 0; i < len(files); i += 2 {
			path := filepath.Join(dir, filepath.FromSlash(files[i]))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(files[i+1]), 0o666); err != nil {
				return err
			}
		}
		return nil
	}
}

// never is the compute function of a key that the store must have.
func never(context.Context, string) error { return errors.New("computed again") }

func get(t *testing.T, s *Store, key Key, compute func(context.Context, string) error) *Artifact {
	t.Helper()
	a, err := s.Get(context.Background(), key, compute)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	list := []string{}
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func TestGet(t *testing.T) {
	s := open(t)
	s.Machine = "xla:cuda, NVIDIA H200"
	key := Key{Step: "train", Version: 3, Params: recipe{Width: 96}, Inputs: []ID{someID}}
	made := get(t, s, key, write("model.bin", "weights", "logs/run.jsonl", "{}", "work/cache", "scratch", "logs/"+scratchName+"/kept", "x"))
	read := get(t, s, key, never)
	if !reflect.DeepEqual(made, read) {
		t.Errorf("made %+v, read %+v", made, read)
	}
	if got := content(t, read.Path("logs/run.jsonl")); got != "{}" {
		t.Errorf("logs/run.jsonl holds %q", got)
	}
	m := read.Meta
	var list []string
	for _, f := range m.Files {
		list = append(list, fmt.Sprint(f.Name, " ", f.Size))
	}
	if want := []string{"logs/run.jsonl 2", "logs/" + scratchName + "/kept 1", "model.bin 7"}; !reflect.DeepEqual(list, want) {
		t.Errorf("files %q, want %q", list, want)
	}
	if m.Files[2].SHA256 != sum([]byte("weights")) || m.Size() != 10 {
		t.Errorf("files %+v", m.Files)
	}
	if m.ID != id(t, key) || id(t, m.Key()) != m.ID || string(m.Params) == "" {
		t.Errorf("the key did not survive: %+v", m)
	}
	if m.Go != runtime.Version() || m.System != runtime.GOOS+"/"+runtime.GOARCH || m.CPUs < 1 || m.Machine != s.Machine || m.Resumed ||
		!strings.HasPrefix(m.Module, "samediff") || time.Since(m.Created) > time.Minute || time.Since(m.Created) < 0 {
		t.Errorf("the maker is %+v", m)
	}
	if got := names(t, read.Dir); !reflect.DeepEqual(got, []string{"logs", "meta.json", "model.bin"}) {
		t.Errorf("the artifact's folder holds %q", got)
	}
	for _, folder := range []string{"unfinished", "locks", "damaged"} {
		if left := names(t, filepath.Join(s.Dir(), folder)); len(left) > 0 {
			t.Errorf("%s holds %q", folder, left)
		}
	}
}

// A store that is read only has what it has, and computes nothing.
func TestReadOnly(t *testing.T) {
	s := open(t)
	made := get(t, s, Key{Step: "a"}, write("x", "1"))
	s.ReadOnly = true
	if again := get(t, s, Key{Step: "a"}, never); again.ID != made.ID {
		t.Errorf("read %s, expected %s", again.ID, made.ID)
	}
	if _, err := s.Get(t.Context(), Key{Step: "b"}, never); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "step b") {
		t.Errorf("what is not there: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(s.Dir(), "unfinished")); len(left) > 0 {
		t.Errorf("it left %v in the store (%v)", left, err)
	}
}

func TestComputeFails(t *testing.T) {
	s := open(t)
	target := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(target, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		step    string
		compute func(context.Context, string) error
		want    string
	}{
		{"fails", func(context.Context, string) error { return errors.New("loss is NaN") }, "step fails ("},
		{"empty", write(), "it left no file"},
		{"scratch only", write("work/a", "b"), "it left no file"},
		{"takes the name", write("meta.json", "{}"), "the name meta.json is taken"},
		{"link", func(_ context.Context, dir string) error { return os.Symlink(target, filepath.Join(dir, "a")) }, "a is no regular file"},
	} {
		_, err := s.Get(context.Background(), Key{Step: test.step}, test.compute)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("step %s gave %v, want %q in it", test.step, err, test.want)
		}
		if _, err := s.Get(context.Background(), Key{Step: test.step}, never); err == nil || !strings.Contains(err.Error(), "computed again") {
			t.Errorf("after a failure of step %s Get gave %v", test.step, err)
		}
	}
	if left := names(t, filepath.Join(s.Dir(), "artifacts")); len(left) > 0 {
		t.Errorf("failures left artifacts %q", left)
	}
}

func TestResumesAfterAnError(t *testing.T) {
	s, key := open(t), Key{Step: "train"}
	stop := errors.New("power cut")
	_, err := s.Get(context.Background(), key, func(ctx context.Context, dir string) error {
		return errors.Join(write("half", "5 epochs", "work/checkpoint", "state", ".log.aside-17", "written when it was killed")(ctx, dir), stop)
	})
	if !errors.Is(err, stop) {
		t.Fatalf("Get gave %v, want the error of the computation", err)
	}
	a := get(t, s, key, func(ctx context.Context, dir string) error {
		if got := content(t, filepath.Join(dir, "half")) + content(t, filepath.Join(dir, "work", "checkpoint")); got != "5 epochsstate" {
			t.Errorf("the working folder holds %q", got)
		}
		return write("model", "10 epochs")(ctx, dir)
	})
	if !a.Meta.Resumed {
		t.Error("meta.json does not say that the computation was resumed")
	}
	for _, f := range a.Meta.Files {
		if strings.HasPrefix(f.Name, ".") {
			t.Errorf("the artifact holds %s, which a killed writer left", f.Name)
		}
	}
}

// A process killed while it writes meta.json, and one killed between that and the end.
func TestKilledNearTheEnd(t *testing.T) {
	for _, test := range []struct {
		name   string
		whole  bool
		expect int // computations
	}{{"meta.json half written", false, 1}, {"meta.json written", true, 0}} {
		t.Run(test.name, func(t *testing.T) {
			s, key := open(t), Key{Step: "train"}
			a := get(t, s, key, write("model", "weights"))
			outer := s.unfinished(a.ID)
			if err := errors.Join(os.MkdirAll(outer, 0o777), os.Rename(a.Dir, filepath.Join(outer, filesName)),
				write("work/checkpoint", "state")(context.Background(), filepath.Join(outer, filesName))); err != nil {
				t.Fatal(err)
			}
			if !test.whole {
				if err := os.Truncate(filepath.Join(outer, filesName, metaName), 100); err != nil {
					t.Fatal(err)
				}
			}
			computed := 0
			b := get(t, s, key, func(_ context.Context, dir string) error {
				computed++
				if got := content(t, filepath.Join(dir, "model")); got != "weights" {
					t.Errorf("the working folder has a model %q", got)
				}
				return nil
			})
			if computed != test.expect || content(t, b.Path("model")) != "weights" {
				t.Errorf("computed %d times, want %d", computed, test.expect)
			}
			if got := names(t, b.Dir); !reflect.DeepEqual(got, []string{"meta.json", "model"}) {
				t.Errorf("the artifact's folder holds %q", got)
			}
		})
	}
}

func TestGoroutinesComputeOnce(t *testing.T) {
	s, key := open(t), Key{Step: "train"}
	other, err := Open(s.Dir()) // what must not matter: a second Store of the same folder
	if err != nil {
		t.Fatal(err)
	}
	var computed, waiting atomic.Int32
	notify := func(string) { waiting.Add(1) }
	s.Notify, other.Notify = notify, notify
	const n = 8
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			a, err := []*Store{s, other}[i%2].Get(context.Background(), key, func(ctx context.Context, dir string) error {
				computed.Add(1)
				for waiting.Load() < n-1 { // until all the others wait
					time.Sleep(time.Millisecond)
				}
				return write("model", "weights")(ctx, dir)
			})
			if err != nil || a.Meta.Files[0].Name != "model" {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
	group.Wait()
	if computed.Load() != 1 {
		t.Errorf("computed %d times, want once", computed.Load())
	}
	if len(gates.byPath) != 0 {
		t.Errorf("%d gates are left", len(gates.byPath))
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	s, key := open(t), Key{Step: "train"}
	inside, release := make(chan bool), make(chan bool)
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := s.Get(context.Background(), key, func(ctx context.Context, dir string) error {
			close(inside)
			<-release
			return write("model", "weights")(ctx, dir)
		}); err != nil {
			t.Error(err)
		}
	})
	<-inside
	waiter, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	waiter.Notify = func(string) { cancel() }
	if _, err := waiter.Get(ctx, key, never); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "gave up waiting") {
		t.Errorf("Get gave %v, want that it gave up waiting", err)
	}
	if err := s.Remove(id(t, key)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d computes it", os.Getpid())) {
		t.Errorf("Remove of what is being computed gave %v", err)
	}
	infos, err := s.List(context.Background())
	if err != nil || len(infos) != 1 || infos[0].State != Computing || infos[0].Owner != fmt.Sprintf("process %d", os.Getpid()) || infos[0].Meta.Step != "train" {
		t.Errorf("List gave %+v, %v", infos, err)
	}
	close(release)
	group.Wait()
	get(t, s, key, never)
}

func TestCanceledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := open(t).Get(ctx, Key{Step: "train"}, never); !errors.Is(err, context.Canceled) {
		t.Errorf("Get gave %v, want context.Canceled", err)
	}
}

func TestOwnResult(t *testing.T) {
	s, key := open(t), Key{Step: "train"}
	_, err := s.Get(context.Background(), key, func(ctx context.Context, dir string) error {
		_, err := s.Get(ctx, Key{Step: "inner"}, func(ctx context.Context, dir string) error {
			_, err := s.Get(ctx, key, never)
			return err
		})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "asks for its own result") {
		t.Errorf("Get gave %v, want that a step asks for its own result", err)
	}
}

func TestPanicReleases(t *testing.T) {
	s, key := open(t), Key{Step: "train"}
	func() {
		defer func() { recover() }()
		s.Get(context.Background(), key, func(context.Context, string) error { panic("boom") })
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := s.Get(ctx, key, write("model", "weights")); err != nil {
		t.Errorf("after a panic Get gave %v", err)
	}
}
