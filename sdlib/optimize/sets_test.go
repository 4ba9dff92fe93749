package optimize

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// TestSetsEqualSeparateRuns trains three sets in one graph, and each alone: with learning
// rates of their own, in groups, clipped, in parts of a batch, and with a best epoch and
// plateaus of their own.
func TestSetsEqualSeparateRuns(t *testing.T) { onBackends(t, testSets) }

func testSets(t *testing.T, be *backend.Backend) {
	const S = 3
	minimize := func(p Problem, s Settings) *Result {
		res, err := Minimize(t.Context(), be, p, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	s := everything
	s.Epochs, s.LRs = 12, []float64{.05, .4, .9}
	s.Groups = map[string]Group{"deep": {LRs: []float64{.2, .3, .8}, WeightDecay: .1}}
	stacked := network(20, S)
	together := minimize(stacked, s)

	worst, lowered := 0., map[float64]bool{}
	near := func(what string, got, want float64) {
		diff := math.Abs(got-want) / max(1, math.Abs(want))
		if worst = max(worst, diff); diff > 2e-5 {
			t.Errorf("%s is %g in a stack, %g alone", what, got, want)
		}
	}
	for set := range S {
		alone, one := network(20, 0), s
		part := func(x *tensors.Tensor) []float32 {
			size := x.Size() / S
			return tensors.MustCopyFlatData[float32](x)[set*size : (set+1)*size]
		}
		for i, x := range stacked.Params {
			alone.Params[i].Start = tensors.FromFlatDataAndDimensions(part(x.Start), x.Start.Shape().Dimensions[1:]...)
		}
		one.LR, one.LRs = s.LRs[set], nil
		one.Groups = map[string]Group{"deep": {LR: s.Groups["deep"].LRs[set], WeightDecay: .1}}
		want := minimize(alone, one)
		for i, x := range want.Params {
			for j, number := range tensors.MustCopyFlatData[float32](x) {
				near(alone.Params[i].Name, float64(part(together.Params[i])[j]), float64(number))
			}
			for j, number := range tensors.MustCopyFlatData[float32](want.Last[i]) {
				near("last "+alone.Params[i].Name, float64(part(together.Last[i])[j]), float64(number))
			}
		}
		if together.Kept[set] != want.Kept[0] {
			t.Errorf("the best epoch of set %d is %d in a stack, %d alone", set, together.Kept[set], want.Kept[0])
		}
		for i, e := range want.History {
			got := together.History[i]
			for name, mean := range e.Means {
				near(name, got.Means[name][set], mean[0])
			}
			near("validation", got.Validated[set], e.Validated[0])
			for group, lr := range e.LR {
				if got.LR[group][set] != lr[0] {
					t.Errorf("epoch %d: learning rate %g in a stack, %g alone", i+1, got.LR[group][set], lr[0])
				}
			}
			lowered[e.LR[""][0]/one.LR] = true
		}
	}
	if len(lowered) < 2 || len(slices.Compact(slices.Sorted(slices.Values(together.Kept)))) < 2 {
		t.Fatalf("learning rates came to %v of their start, best epochs are %v: the test needs a plateau and different ones", lowered, together.Kept)
	}
	t.Logf("sets in a stack equal separate runs to %.1e; best epochs %v", worst, together.Kept)
}
