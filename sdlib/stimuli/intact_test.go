package stimuli

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"samediff/sdlib/internal/flips"
	"slices"
	"strings"
	"testing"
)

// small is an exported set to damage.
func small(t *testing.T) (set *Set, dir string) {
	t.Helper()
	set = mustOpen(t, Config{Geometry: Course, Size: 12, Seed: 1})
	dir = filepath.Join(t.TempDir(), "set")
	if err := set.Export(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	return set, dir
}

// An export that was interrupted is gone on with, to the same bytes; other folders are refused.
func TestExportGoesOn(t *testing.T) {
	set, whole := small(t)
	dir := filepath.Join(t.TempDir(), "half")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := (manifest{Set: &set.config, Records: set.Len()}).begin(dir); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(whole, "000000.png"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "000000.png"), first, 0o666),
		os.WriteFile(filepath.Join(dir, "000001.png"), first[:100], 0o666), // cut by a power failure
		os.WriteFile(filepath.Join(dir, ".000002.png.aside-1"), nil, 0o666))
	if err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, Config{Geometry: Course, Size: 12, Seed: 2})
	if err := other.Export(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "unfinished export of another set") {
		t.Errorf("another set goes on with it: %v", err)
	}
	if _, err := ImportFolder(dir, Course); err == nil || !strings.Contains(err.Error(), "unfinished export") {
		t.Errorf("half a set is read as images of one's own: %v", err)
	}
	if err := set.Export(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	a, b := tree(t, whole), tree(t, dir)
	if len(a) != 14 || len(a) != len(b) {
		t.Fatalf("%d files, and gone on with %d, want 14", len(a), len(b))
	}
	for name, data := range a {
		if !bytes.Equal(b[name], data) {
			t.Errorf("%s differs", name)
		}
	}
	// A finished one, as it is left by a process that was killed at its very end, is the same again, what was damaged too.
	if err := os.WriteFile(filepath.Join(dir, imageName("", 1)), []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := set.Export(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if again := tree(t, dir); !maps.EqualFunc(a, again, bytes.Equal) {
		t.Error("exported over itself it is another set")
	}
	other = mustOpen(t, Config{Geometry: CourseQuick, Size: 12, Seed: 99})
	if err := other.Export(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "expected a new or empty folder") {
		t.Errorf("another set is exported over it: %v", err)
	}
}

// tree returns the files of a folder by name.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What was changed since the export is an error, and a bit that changes nothing is without effect.
func TestImportNoticesFlips(t *testing.T) {
	_, dir := small(t)
	meta := filepath.Join(dir, metadataFile)
	text, err := os.ReadFile(meta)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	cut := strings.Join(lines[:10], "")
	if err := os.WriteFile(meta, []byte(cut), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(dir); err == nil || !strings.Contains(err.Error(), "10 records, expected 12") {
		t.Errorf("metadata cut at a line's end: %v", err)
	}
	if err := os.WriteFile(meta, text, 0o666); err != nil {
		t.Fatal(err)
	}
	a, b, c := filepath.Join(dir, "000000.png"), filepath.Join(dir, "000001.png"), filepath.Join(dir, "x")
	swap := func() {
		if err := errors.Join(os.Rename(a, c), os.Rename(b, a), os.Rename(c, b)); err != nil {
			t.Fatal(err)
		}
	}
	swap()
	if _, err := Import(dir); err == nil || !strings.Contains(err.Error(), "changed or swapped") {
		t.Errorf("swapped images: %v", err)
	}
	swap()
	want, err := Import(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range tree(t, dir) {
		names = append(names, name)
	}
	slices.Sort(names)
	names = append(names, manifestFile, manifestFile, manifestFile, metadataFile) // more often than images
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	noticed := 0
	flips.Each(t, 100, names, func(which string) {
		if got, err := Import(dir); err != nil {
			noticed++
		} else if got.Config() != want.Config() {
			t.Errorf("not noticed: %s", which)
		} else {
			equalSets(t, which, want, got) // such as a space in set.json
		}
	})
	if noticed < 90 {
		t.Errorf("%d of 100 flipped bits are noticed, the others are spaces: expected 90 or more", noticed)
	}
}
