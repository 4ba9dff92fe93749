package disk

import (
	"errors"
	"io"
	"os"
	"path/filepath"
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
