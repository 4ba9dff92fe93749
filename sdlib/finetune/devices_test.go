package finetune

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
)

// A transformer that is trained on two devices, each with half of every batch, has the losses of one on one device up to
// rounding: with fresh images, an auxiliary loss, and batches in parts.
func TestTwoDevices(t *testing.T) {
	two, err := backend.Open(backend.CPU + ",devices=2")
	if err != nil {
		t.Skip(err)
	}
	one, err := backend.Open(backend.CPU)
	if err != nil {
		t.Fatal(err)
	}
	set, r := open(t, stimuli.Train, 48), smallRecipe
	r.Fresh, r.Accumulate = true, 2
	want, err := Train(t.Context(), one, newSmall(t, 1), set, nil, r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Train(t.Context(), two, newSmall(t, 1), set, nil, r, Options{Devices: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range want.History {
		if d := math.Abs(e.Loss - got.History[i].Loss); !(d < 1e-5) {
			t.Errorf("epoch %d: the loss is %.7f, on one device %.7f", i+1, got.History[i].Loss, e.Loss)
		}
	}
	worst := 0.
	theirs := got.Last.Weights.Flatten(got.Last.Config)
	for i, x := range want.Last.Weights.Flatten(want.Last.Config) {
		a, b := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](theirs[i])
		for j := range a {
			worst = max(worst, math.Abs(float64(a[j]-b[j])))
		}
	}
	t.Logf("%d epochs: weights differ by %.1g at most", len(want.History), worst)
	if worst > 1e-4 {
		t.Errorf("weights differ by %g", worst)
	}
}
