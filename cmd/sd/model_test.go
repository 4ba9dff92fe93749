package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/delta"
	"samediff/sdlib/study"
)

// ls says which models of the course have their weights in the repository; a command that needs them says how to get them.
func TestModelWeights(t *testing.T) {
	t.Setenv("HF_HUB_CACHE", t.TempDir()) // as where nothing was fetched
	t.Setenv("HF_ASSETS_CACHE", t.TempDir())
	store := t.TempDir()
	lines := strings.Split(sd("model", "ls", "--store", store).want(t, exitOK).out, "\n")
	for _, c := range study.CourseModels() {
		dir, err := study.CourseModelDir(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, c.Name+" ") })
		if i < 0 {
			t.Errorf("ls lacks %s:\n%s", c.Name, strings.Join(lines, "\n"))
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err == nil {
			if !strings.Contains(lines[i], " here ") {
				t.Errorf("%s has weights, ls says %q", c.Name, lines[i])
			}
			continue
		}
		if delta.Packed(dir) {
			if !strings.Contains(lines[i], " needs "+c.Training.Base()+" ") {
				t.Errorf("%s needs its base, ls says %q", c.Name, lines[i])
			}
			sd("eval", c.Name, "--store", store).want(t, exitFailure).says(t, c.Name, "`sd model fetch "+c.Training.Base())
			continue
		}
		if !strings.Contains(lines[i], " none ") {
			t.Errorf("%s has no weights, ls says %q", c.Name, lines[i])
		}
		sd("eval", c.Name, "--store", store).want(t, exitFailure).says(t, "`sd model build "+c.Name+"` trains it")
	}
}
