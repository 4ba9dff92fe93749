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

	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
)

// childDir, when set, makes the test binary a process that trains probes in that folder.
const childDir = "PROBE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if _, err := killable(context.Background(), optimize.Options{Dir: dir, Every: time.Nanosecond}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killable trains three probes for 100 epochs.
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
	killed := 0
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		before := checkpoint(dir)
		for range 400 { // until it has taken steps of its own
			if now := checkpoint(dir); !now.Equal(before) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		cmd.Process.Kill()
		if err := <-done; err != nil {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("every process ended before it was killed: the test needs a longer training")
	}
	got, err := killable(t.Context(), optimize.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for s := range want {
		if !slices.Equal(got[s].Weight, want[s].Weight) || !slices.Equal(got[s].Bias, want[s].Bias) {
			t.Errorf("the probe of %s differs after %d kills", want[s].Place, killed)
		}
	}
}

// checkpoint returns when the newest was written.
func checkpoint(dir string) time.Time {
	if info, err := os.Stat(filepath.Join(dir, "checkpoint.safetensors")); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}
