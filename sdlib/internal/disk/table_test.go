package disk

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A table takes the place of one with the same columns, and of nothing else.
func TestReplaceTable(t *testing.T) {
	const table = "n,correct\n4,3\n"
	for old, replaced := range map[string]bool{"": true, "\n": true, "n,correct\r\n1,1\r\n": true, "\ufeffn,correct\n": true, "n,correct,low\n": false, "My thesis": false, "\x89PNG\r\n": false} {
		path := filepath.Join(t.TempDir(), "t.csv")
		if err := os.WriteFile(path, []byte(old), 0o666); err != nil {
			t.Fatal(err)
		}
		err := ReplaceTable(path, func(w io.Writer) error { _, err := io.WriteString(w, table); return err })
		now, readErr := os.ReadFile(path)
		if readErr != nil {
			t.Fatal(readErr)
		}
		switch {
		case replaced && (err != nil || string(now) != table):
			t.Errorf("in the place of %q (%v) there is %q", old, err, now)
		case !replaced && (err == nil || !strings.Contains(err.Error(), "columns n,correct; choose another name") || string(now) != old):
			t.Errorf("in the place of %q (%v) there is %q, expected it to stay", old, err, now)
		}
	}
	path := filepath.Join(t.TempDir(), "new.csv")
	if err := ReplaceTable(path, func(w io.Writer) error { _, err := io.WriteString(w, table); return err }); err != nil {
		t.Error(err)
	}
}

// Renaming onto a device would put a file in its place.
func TestReplaceNoDevice(t *testing.T) {
	link := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if err := Replace(link, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("onto a device: %v", err)
	}
	if info, err := os.Stat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device is gone: %v, %v", info, err)
	}
}
