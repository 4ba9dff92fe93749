package probe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"samediff/internal/halt"
	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
)

// childDir, when set, makes the test binary a process that trains in that folder and halts at its 20th step, in the middle of an epoch.
const childDir = "PROBE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if _, err := killable(halt.In(context.Background(), 20, halted(dir)), optimize.Options{Dir: dir, Every: time.Nanosecond}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func halted(dir string) string { return filepath.Join(dir, "halted") }

// killable trains three probes for 100 epochs of 3 steps.
func killable(ctx context.Context, o optimize.Options) ([]Probe, error) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		return nil, err
	}
	places, items := separable(192, 10, 3, 1)
	how := Paper
	how.Epochs = 100
	return Train(ctx, be, places, items, how, "test", o)
}

// A training that is killed three times goes on each time, and ends with the same bits.
func TestKilled(t *testing.T) {
	want, err := killable(t.Context(), optimize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const kills = 3
	for range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		halt.Kill(t, cmd, halted(dir))
		if _, err := os.Stat(filepath.Join(dir, "checkpoint.safetensors")); err != nil {
			t.Fatalf("killed in the middle of a training: %v", err)
		}
	}
	got, err := killable(t.Context(), optimize.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for s := range want {
		if !slices.Equal(got[s].Weight, want[s].Weight) || !slices.Equal(got[s].Bias, want[s].Bias) {
			t.Errorf("the probe of %s differs after %d kills", want[s].Place, kills)
		}
	}
}
