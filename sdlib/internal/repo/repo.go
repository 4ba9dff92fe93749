// Package repo finds the root folder of this repository, where the Python side
// (.venv) and the store of results (.sd) live by default.
package repo

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// Module is the path of the Go module that marks the root folder.
const Module = "samediff"

// Root returns the repository's root: $SD_ROOT when set, else the nearest folder
// at or above the working directory, or else above the running program, whose
// go.mod names this module. ok is false when there is none, as in a program that
// uses this library from elsewhere.
func Root() (dir string, ok bool) {
	if dir := os.Getenv("SD_ROOT"); dir != "" {
		return dir, true
	}
	if wd, err := os.Getwd(); err == nil {
		if dir, ok := above(wd); ok {
			return dir, true
		}
	}
	if exe, err := os.Executable(); err == nil {
		return above(filepath.Dir(exe))
	}
	return "", false
}

func above(dir string) (string, bool) {
	for {
		if moduleOf(filepath.Join(dir, "go.mod")) == Module {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// moduleOf returns the module path that a go.mod file declares, or "".
func moduleOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) >= 2 && fields[0] == "module" {
			return fields[1]
		}
	}
	return ""
}
