package stimuli

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

const exporterEnv = "SD_TEST_EXPORT"

var killed = Config{Geometry: CourseQuick, Size: 600, Seed: 3}

// TestExporter is the process that TestExportKilled kills.
func TestExporter(t *testing.T) {
	dir := os.Getenv(exporterEnv)
	if dir == "" {
		t.Skip("for TestExportKilled")
	}
	if err := mustOpen(t, killed).Export(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
}

// An export that is killed at any time, any number of times, goes on with the same call, and ends as one that was not. $SD_KILLS sets the
// number of kills.
func TestExportKilled(t *testing.T) {
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("SD_KILLS")); err == nil {
		kills = n
	}
	whole, dir := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "killed")
	if err := mustOpen(t, killed).Export(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	for range kills {
		p := exec.Command(os.Args[0], "-test.run", "^TestExporter$")
		p.Env = append(os.Environ(), exporterEnv+"="+dir)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+rand.IntN(120)) * time.Millisecond)
		p.Process.Kill()
		p.Wait()
		if _, err := Import(dir); err == nil {
			t.Log("it was done before it was killed")
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := mustOpen(t, killed).Export(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	want, got := tree(t, whole), tree(t, dir)
	if len(want) != len(got) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s differs from that of an export without kills", name)
		}
	}
}
