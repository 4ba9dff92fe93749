package optimize

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
)

// recording watches steps and writes a hash of the parameters of each to a file of dir.
func recording(dir string, steps ...int) Watch {
	return Watch{Steps: steps, See: func(_ context.Context, step int, θ []*tensors.Tensor) error {
		sum := sha256.Sum256(fmt.Append(nil, flat(θ)))
		return os.WriteFile(filepath.Join(dir, fmt.Sprintf("watched-%04d", step)), sum[:], 0o644)
	}}
}

// recorded reads what recording wrote.
func recorded(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "watched-*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = string(text)
	}
	return all
}

// TestWatch: a run that is watched ends as one that is not, and shows the start, the end and what lies between in this
// order. Stopped while it is watched it goes on, and shows the same again.
func TestWatch(t *testing.T) {
	p := network(1, 0)
	calm := minimize(t, p, everything, Options{}) // 6 epochs of 3 steps
	var seen []int
	values := map[int][]float32{}
	w := Watch{Steps: []int{18, 0, 7, 3}, See: func(_ context.Context, step int, θ []*tensors.Tensor) error {
		seen = append(seen, step)
		if known, now := values[step], flat(θ); known != nil && !slices.Equal(known, now) {
			t.Errorf("step %d is shown twice, with other values", step)
		}
		values[step] = flat(θ)
		return nil
	}}
	if watched := minimize(t, p, everything, Options{Watch: w}); !equal(watched, calm) {
		t.Error("a run that is watched ends with other values")
	}
	var start []*tensors.Tensor
	for _, x := range p.Params {
		start = append(start, x.Start)
	}
	if !slices.Equal(seen, []int{0, 3, 7, 18}) || !slices.Equal(values[0], flat(start)) || !slices.Equal(values[18], flat(calm.Last)) || slices.Equal(values[3], values[7]) {
		t.Errorf("steps %v were shown: expected 0, 3, 7 and 18, the first with the start and the last with the result", seen)
	}

	dir, see := t.TempDir(), w.See
	for _, at := range []int{0, 3, 7, 18} { // each time it is interrupted in See
		ctx, cancel := context.WithCancel(t.Context())
		w.See = func(ctx context.Context, step int, θ []*tensors.Tensor) error {
			if step == at {
				cancel()
				return ctx.Err()
			}
			return see(ctx, step, θ)
		}
		if _, err := on(ctx, p, everything, Options{Dir: dir, Watch: w}); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted at step %d the run returned %v", at, err)
		}
	}
	seen, w.See = nil, see
	if again := minimize(t, p, everything, Options{Dir: dir, Watch: w}); !equal(again, calm) || !slices.Equal(seen, []int{18}) {
		t.Errorf("resumed at the last step, the run shows steps %v and ends with %v", seen, again.History)
	}
}

func TestWatchErrors(t *testing.T) {
	broken := errors.New("broken")
	w := Watch{Steps: []int{2}, See: func(context.Context, int, []*tensors.Tensor) error { return broken }}
	if _, err := on(t.Context(), network(1, 0), everything, Options{Watch: w}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("an error at step 2 gives %v", err)
	}
	for want, w := range map[string]Watch{"step 19 is to be watched, expected 0 to 18": {Steps: []int{19}, See: w.See}, "step -1": {Steps: []int{-1}, See: w.See}, "See is nil": {Steps: []int{1}}} {
		if _, err := on(t.Context(), network(1, 0), everything, Options{Watch: w}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
