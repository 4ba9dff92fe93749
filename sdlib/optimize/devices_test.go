package optimize

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// twoDevices opens XLA with two devices on the CPU, or skips the test where XLA is not there.
func twoDevices(t *testing.T) *backend.Backend {
	t.Helper()
	be, err := backend.Open(backend.CPU + ",devices=2")
	if err != nil {
		t.Skip(err)
	}
	return be
}

// A batch that is split over two devices gives the losses and the parameters of one device, up to rounding: in whole
// steps and in parts, with clipping, a schedule, and an interruption in between.
func TestDevices(t *testing.T) {
	two := twoDevices(t)
	one, err := backend.Open(backend.CPU)
	if err != nil {
		t.Fatal(err)
	}
	for _, parts := range []int{0, 2} {
		s := Settings{Batch: 8, Epochs: 4, LR: .02, Clip: .05, WeightDecay: .01, Schedule: Cosine, Accumulate: parts, Groups: map[string]Group{"deep": {LR: .01}}, Seed: 3}
		want, err := Minimize(t.Context(), one, network(1, 0), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Minimize(t.Context(), two, network(1, 0), s, Options{Devices: 2, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range want.History {
			for _, name := range []string{"loss", "error", "open"} {
				if a, b := got.History[i].Mean(name), e.Mean(name); !(math.Abs(a-b) < 1e-6) {
					t.Errorf("%d parts, epoch %d: the %s is %g, on one device %g", parts, i+1, name, a, b)
				}
			}
		}
		worst := 0.
		for i, x := range want.Params {
			a, b := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](got.Params[i])
			for j := range a {
				worst = max(worst, math.Abs(float64(a[j]-b[j])))
			}
		}
		if worst > 1e-5 {
			t.Errorf("%d parts: parameters differ by %g", parts, worst)
		}
		t.Logf("%d parts: parameters differ by %.1g at most", parts, worst)
	}
}

func TestWrongDevices(t *testing.T) {
	two := twoDevices(t)
	for want, try := range map[string]struct{ batch, devices int }{"the backend xla:cpu,devices=2 has 2": {8, 4}, "expected a multiple": {3, 2}, "-1 devices": {8, -1}} {
		_, err := Minimize(t.Context(), two, network(1, 0), Settings{Batch: try.batch, Epochs: 1, LR: .1, Groups: map[string]Group{"deep": {LR: .1}}}, Options{Devices: try.devices})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a batch of %d on %d devices: %v, want an error with %q", try.batch, try.devices, err, want)
		}
	}
}
