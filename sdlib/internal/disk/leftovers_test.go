//go:build unix

package disk

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// beside lists what lies in a folder.
func beside(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// The next call for a path removes what killed ones left; what a live one writes, and other files, stay.
func TestReplaceRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table.csv")
	for _, name := range []string{".table.csv.aside-1", ".table.csv.1", ".other.aside-1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	err := Replace(path, func(w io.Writer) error { return errors.Join(Replace(path, text("inner")), text("outer")(w)) })
	if err != nil {
		t.Fatal(err)
	}
	if got := beside(t, dir); got != ".other.aside-1 .table.csv.1 table.csv" {
		t.Errorf("the folder holds %s", got)
	}
	if got, _ := os.ReadFile(path); string(got) != "outer" {
		t.Errorf("the file holds %q, want what was written last", got)
	}
}

// Killed between the two renames of a system without an exchange: the old folder is moved back.
func TestReplaceFolderRecovers(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	old := filepath.Join(parent, ".model.aside-1", "old")
	if err := errors.Join(os.MkdirAll(old, 0o777), os.WriteFile(filepath.Join(old, "a"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("failure")
	if err := ReplaceFolder(dir, []string{"a"}, func(string) error { return failure }); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if got := beside(t, parent) + ": " + beside(t, dir); got != "model: a" {
		t.Errorf("there is %s, want the old folder back and nothing beside it", got)
	}
}

// Devices, pipes and folders are errors at once, and a file is read up to a bound.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "file")
	if err := errors.Join(unix.Mkfifo(pipe, 0o666), os.WriteFile(file, []byte("\xef\xbb\xbftext"), 0o666)); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		for _, path := range []string{pipe, dir, "/dev/zero"} {
			if _, err := ReadFile(path, 10); err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("%s: error %v", path, err)
			}
			if _, _, err := Map(path); err == nil {
				t.Errorf("%s was mapped", path)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a read hangs")
	}
	if _, err := ReadFile(file, 6); err == nil || !strings.Contains(err.Error(), "more than 6 bytes") {
		t.Errorf("a file of 7 bytes, bound 6: %v", err)
	}
	if text, err := ReadText(file); err != nil || string(text) != "text" {
		t.Errorf("read %q, %v, want it without the byte order mark", text, err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none"), 10); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
