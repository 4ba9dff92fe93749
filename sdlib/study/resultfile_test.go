package study

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readAgain fails unless what can be read of a file of results is written, and read again, as the same.
func readAgain[T any](t *testing.T, f resultFile[T], text []byte) {
	t.Helper()
	all, err := f.parse(text)
	if err != nil {
		return
	}
	again, err := f.parse(f.text(all))
	if a, b := fmt.Sprintf("%+v", all), fmt.Sprintf("%+v", again); err != nil || a != b {
		t.Errorf("%q is read as %s, and written and read again as %s, %v", text, a, b, err)
	}
}

// A file of another kind never becomes one of results.
func TestResultFileOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "others.csv")
	const theirs = "date,price\n1,2\n"
	if err := os.WriteFile(path, []byte(theirs), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"seeds":           SaveSeeds(path, nil),
		"curves":          SaveCurves(path, nil),
		"pretrainings":    SavePretrainings(path, nil),
		"generalizations": SaveGeneralizations(path, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error is %v, expected one that names %s", name, err, path)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != theirs {
		t.Errorf("the file is now %q, %v", text, err)
	}
}
