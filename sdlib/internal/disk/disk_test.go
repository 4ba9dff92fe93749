package disk

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
