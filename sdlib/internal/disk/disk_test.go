package disk

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestReplaceThenMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "", "second"} { // the empty file cannot be mapped
		if err := Replace(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		data, release, err := Map(path)
		if err != nil || string(data) != text {
			t.Fatalf("Map gave %q, %v, want %q", data, err, text)
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

func TestReplaceKeepsTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("failure")
	err := Replace(path, func(w io.Writer) error {
		io.WriteString(w, "half of the ne")
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("Replace gave %v, want %v", err, failure)
	}
	if text, _ := os.ReadFile(path); string(text) != "old" {
		t.Errorf("the file holds %q, want the old content", text)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("the folder holds %v, want the file alone", entries)
	}
}

// What a killed Replace leaves is removed; other files, hidden ones too, stay.
func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kept", ".kept.1234", filepath.Join("below", ".half.aside-1")} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	err := Replace(filepath.Join(dir, "half"), func(io.Writer) error { // what Replace itself leaves while it is at work
		return RemoveLeftovers(dir)
	})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Replace, whose own file was removed, gave %v", err)
	}
	var left []string
	for _, d := range []string{dir, filepath.Join(dir, "below")} {
		entries, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			left = append(left, e.Name())
		}
	}
	if want := []string{".kept.1234", "below", "kept"}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
}

func TestMapRefusesAFolder(t *testing.T) {
	if _, _, err := Map(t.TempDir()); err == nil {
		t.Error("a folder was mapped")
	}
}

// What is reserved reads as zeros; more than any disk has is refused at once, where the file system can tell.
func TestReserve(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, size := range []int64{0, 5000} {
		if err := Reserve(file, size); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file.Name())
		if err != nil || len(data) != int(size) || len(bytes.TrimLeft(data, "\x00")) != 0 {
			t.Errorf("%d bytes reserved, the file has %d (%v)", size, len(data), err)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	switch err := Reserve(file, 1<<45); {
	case err == nil:
		t.Skip("this file system reserves nothing")
	case !strings.Contains(err.Error(), "no room for 35184372088832 bytes"):
		t.Errorf("32 TiB: error %v", err)
	}
}

func TestReplaceFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "deep", "folder")
	write := func(name string) func(string) error {
		return func(aside string) error { return os.WriteFile(filepath.Join(aside, name), []byte(name), 0o644) }
	}
	holds := func(want ...string) {
		t.Helper()
		var got []string
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("the folder holds %v (%v), want %v", got, err, want)
		}
		if beside, _ := os.ReadDir(filepath.Dir(dir)); len(beside) != 1 {
			t.Errorf("beside the folder there is %v, want nothing", beside)
		}
	}
	patterns := []string{"a", "b-*"}
	for _, name := range []string{"a", "b-1", "a"} {
		if err := ReplaceFolder(dir, patterns, write(name)); err != nil {
			t.Fatal(err)
		}
		holds(name)
	}
	failure := errors.New("failure")
	if err := ReplaceFolder(dir, patterns, func(aside string) error { return errors.Join(write("b-2")(aside), failure) }); !errors.Is(err, failure) {
		t.Errorf("ReplaceFolder gave %v, want %v", err, failure)
	}
	holds("a")
	if err := write("thesis")(dir); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceFolder(dir, patterns, write("a")); err == nil || !strings.Contains(err.Error(), "thesis") {
		t.Errorf("a folder with another file: error %v", err)
	}
	holds("a", "thesis")
}
