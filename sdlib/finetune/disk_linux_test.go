package finetune

import (
	"errors"
	"os/signal"
	"syscall"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// TestFullDisk: a checkpoint that can't be written whole stops the run with the disk's
// error, and the run goes on from the one before. The disk is a limit on the size of files.
func TestFullDisk(t *testing.T) {
	want, _ := train(t, smallRecipe, Options{})

	signal.Ignore(syscall.SIGXFSZ)
	var free syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &free); err != nil {
		t.Fatal(err)
	}
	full := free
	full.Cur = 4096
	dir := t.TempDir()
	_, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), open(t, stimuli.Val, 20), smallRecipe,
		Options{Dir: dir, OnEpoch: func([]Epoch) {
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
				t.Error(err)
			}
		}})
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &free); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("a run on a full disk returned %v, expected %v", err, syscall.EFBIG)
	}
	var warned string
	res, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), open(t, stimuli.Val, 20), smallRecipe,
		Options{Dir: dir, Warn: func(s string) { warned = s }})
	if err != nil {
		t.Fatal(err)
	}
	if got := hashOf(t, res.Model); got != want || warned != "" {
		t.Errorf("resumed: weights %.8s (warning %q), uninterrupted: %.8s", got, warned, want)
	}
	if len(res.History) != 2 || res.Times[0].Step <= 0 {
		t.Errorf("resumed: %d epochs, times %+v; expected 2, the first with the times of the run before", len(res.History), res.Times)
	}
}
