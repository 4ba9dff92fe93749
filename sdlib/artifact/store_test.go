package artifact

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDefaultDir(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repository, foreign, outside := filepath.Join(base, "repo"), filepath.Join(base, "repo", "sub", "foreign"), filepath.Join(base, "out")
	for _, dir := range []string{filepath.Join(repository, "notebooks"), foreign, outside} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for dir, module := range map[string]string{repository: "// comment\nmodule samediff // here", foreign: "module other", outside: "module samediff/sub"} {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module+"\n\ngo 1.26\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(base, "cache"))
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ store, root, wd, want string }{
		{"", "", filepath.Join(repository, "notebooks"), filepath.Join(repository, ".sd")},
		{"", "", foreign, filepath.Join(repository, ".sd")},
		{"", "", outside, filepath.Join(cache, "samediff")},
		{"", repository, outside, filepath.Join(repository, ".sd")},
		{filepath.Join(base, "mine"), repository, repository, filepath.Join(base, "mine")},
		{"relative", "", outside, filepath.Join(outside, "relative")},
	} {
		t.Setenv("SD_STORE", test.store)
		t.Setenv("SD_ROOT", test.root)
		t.Chdir(test.wd)
		if got, err := DefaultDir(); err != nil || got != test.want {
			t.Errorf("with SD_STORE=%q SD_ROOT=%q in %s: %s, %v, want %s", test.store, test.root, test.wd, got, err, test.want)
		}
	}
	t.Setenv("SD_STORE", "")
	t.Setenv("SD_ROOT", filepath.Join(base, "absent"))
	if _, err := Open(""); err == nil || !strings.Contains(err.Error(), "SD_ROOT is") {
		t.Errorf("with a wrong SD_ROOT Open gave %v", err)
	}
}

func TestPlacesThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "is no folder: move that file away") {
		t.Errorf("Open of a file gave %v", err)
	}
	if _, err := Open(filepath.Join(file, "store")); err == nil || !strings.Contains(err.Error(), "a file is in the way") {
		t.Errorf("Open below a file gave %v", err)
	}
	for _, folder := range []string{"artifacts", "unfinished", "locks"} {
		s := open(t)
		if err := errors.Join(os.Mkdir(s.Dir(), 0o777), os.WriteFile(filepath.Join(s.Dir(), folder), nil, 0o666)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(context.Background(), Key{Step: "train"}, write("a", "b")); err == nil || !strings.Contains(err.Error(), "a file is in the way") {
			t.Errorf("Get with a file called %s gave %v", folder, err)
		}
	}
}

func TestExplain(t *testing.T) {
	s := open(t)
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.ENOSPC, "is full"},
		{syscall.EDQUOT, "is full"},
		{syscall.EROFS, "cannot be written: set SD_STORE"},
		{syscall.EACCES, "may not be read or written: set SD_STORE"},
		{syscall.EPERM, "may not be read or written: set SD_STORE"},
		{syscall.ENOLCK, "cannot lock files: set SD_STORE"},
		{syscall.ENOTDIR, "a file is in the way"},
		{syscall.EIO, s.Dir()},
	} {
		err := s.explain(&os.PathError{Op: "mkdir", Path: "x", Err: test.err})
		if !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v is explained as %v, want %q", test.err, err, test.want)
		}
	}
	if err := s.explain(nil); err != nil {
		t.Errorf("no error is explained as %v", err)
	}
}

func TestHashFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	// FIPS 180-2, appendix B.1.
	if got, err := HashFile(path); err != nil || got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("the hash of abc is %s, %v", got, err)
	}
	if _, err := HashFile(path + "d"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the hash of no file gave %v", err)
	}
}
