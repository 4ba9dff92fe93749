package optimize

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/internal/halt"
)

// childDir, when set, makes the test binary a process that trains in that folder and halts at the step that childHalts says.
const (
	childDir   = "OPTIMIZE_TEST_DIR"
	childHalts = "OPTIMIZE_TEST_HALTS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if _, err := killable(context.Background(), Options{Dir: dir, Every: time.Nanosecond}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killable is a run of two sets whose rows are drawn anew for each of 40 epochs, and which
// has everything else that a run has to remember, a teacher among it.
func killable(ctx context.Context, o Options) (*Result, error) {
	p, s := network(1, 2), everything
	s.Epochs, s.Batch = 40, 1
	s.Accumulate = 0
	follow(&p, .9)
	p.Data = &Drawn{N: rowsN, Fresh: s.Epochs, Draw: func(epoch int) ([]*tensors.Tensor, error) {
		seed := 200 + 2*uint64(epoch)
		return []*tensors.Tensor{random(seed, rowsN, inputs), random(seed+1, rowsN, outputs)}, nil
	}}
	if o.Dir != "" {
		o.Watch = recording(o.Dir, 0, 7, 24, 100, 300, 700, 960)
		if step, err := strconv.Atoi(os.Getenv(childHalts)); err == nil {
			o.Watch = halting(o.Watch, step, halted(o.Dir))
		}
	}
	return on(ctx, p, s, o)
}

func halted(dir string) string { return filepath.Join(dir, "halted") }

// halting is a watch that halts the process at a step.
func halting(w Watch, at int, file string) Watch {
	see := w.See
	w.Steps = append(w.Steps, at)
	w.See = func(ctx context.Context, step int, θ []*tensors.Tensor) error {
		if step == at {
			halt.Here(file)
		}
		return see(ctx, step, θ)
	}
	return w
}

// TestEightKills ends a run with SIGKILL once in the middle of an epoch and at seven moments more, which depend on the clock: on a fast
// machine the process halts before, so that all have something left to do.
// Resumed each time, it must end as a run that was left alone, to the bit, and have shown the same on the way.
func TestEightKills(t *testing.T) {
	want, err := killable(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	moments := rand.New(rand.NewPCG(1, 2))
	last := 0
	const middle = rowsN + rowsN/2 // a step
	for kill := range 8 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprint(childHalts, "=", middle+120*kill)) // of 960 steps
		if kill == 0 {
			halt.Kill(t, child, halted(dir))
		} else {
			killAt(t, child, dir, time.Duration(moments.IntN(30000))*time.Microsecond)
		}
		step := -1
		for _, name := range []string{previous, newest} {
			if h, err := new(checkpoints).read(filepath.Join(dir, name), nil); errors.Is(err, errOtherRun) { // whole
				step = h.Step
			}
		}
		t.Logf("kill %d: the last checkpoint is that of step %d", kill+1, step)
		if want := rowsN + syncEvery; kill == 0 && step != want {
			t.Errorf("killed at step %d, the checkpoint is of step %d, expected %d", middle, step, want)
		}
		if step < last {
			t.Errorf("after kill %d the checkpoint is of step %d, before of step %d", kill+1, step, last)
		}
		last = step
	}
	got, err := killable(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if !equal(got, want) {
		t.Errorf("after eight kills the run ended with %v, without with %v", got.History[len(got.History)-1], want.History[len(want.History)-1])
	}
	calm := t.TempDir()
	if _, err := killable(t.Context(), Options{Dir: calm}); err != nil {
		t.Fatal(err)
	}
	if a, b := recorded(t, dir), recorded(t, calm); len(b) != 7 || !maps.Equal(a, b) {
		t.Errorf("after eight kills %d steps were shown, without %d, expected 7 with the same values", len(a), len(b))
	}
}

// killAt starts a run in dir and kills it some time after its next checkpoint.
func killAt(t *testing.T, child *exec.Cmd, dir string, after time.Duration) {
	t.Helper()
	var errs strings.Builder
	child.Stderr = &errs
	modified := func() (at time.Time) {
		if info, err := os.Stat(filepath.Join(dir, newest)); err == nil {
			at = info.ModTime()
		}
		return at
	}
	before := modified()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for now := before; now.IsZero() || now.Equal(before); now = modified() {
		select {
		case err := <-ended:
			t.Fatalf("the run ended before it was killed: %v\n%s", err, errs.String())
		case <-time.After(time.Millisecond):
		}
	}
	time.Sleep(after)
	child.Process.Kill()
	if err := <-ended; err == nil || errs.Len() > 0 {
		t.Fatalf("the run was not killed but ended with %v: %s", err, errs.String())
	}
}
