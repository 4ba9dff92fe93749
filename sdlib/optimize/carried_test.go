package optimize

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// follow gives a problem a teacher: the moving average of its parameters after each step.
func follow(p *Problem, momentum float64) {
	p.Carried = append([]Param{}, p.Params...)
	p.Carry = func(in Inputs, params []*Node) (next []*Node) {
		for i, x := range params {
			next = append(next, Add(MulScalar(in.Carried[i], momentum), MulScalar(x, 1-momentum)))
		}
		return next
	}
}

// TestCarried: the carried value follows the parameter as it is after each step, and the loss sees it as it was before.
func TestCarried(t *testing.T) {
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		p := Problem{
			Params:   []Param{{Name: "p", Start: tensors.FromValue(float32(10))}},
			Data:     Table(tensors.FromValue([]float32{0, 0})),
			Measures: []string{"teacher"},
			Loss: func(in Inputs) (*Node, map[string]*Node) {
				return Add(in.Params[0], MulScalar(ReduceAllSum(in.Batch[0]), 0)), map[string]*Node{"teacher": in.Carried[0]}
			},
		}
		follow(&p, .5)
		res, err := Minimize(t.Context(), be, p, Settings{Epochs: 3, LR: 1}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		// Adam's first steps on a constant gradient are of length LR: p is 9, 8, 7 after them, and the average follows from 10.
		for i, want := range []float64{10, 9.5, 8.75} {
			if got := res.History[i].Mean("teacher"); math.Abs(got-want) > 1e-4 {
				t.Errorf("in step %d the loss saw %g, expected %g", i+1, got, want)
			}
		}
		if got := tensors.ToScalar[float32](res.Carried[0]); math.Abs(float64(got)-7.875) > 1e-4 {
			t.Errorf("the average ended at %g, expected 7.875", got)
		}
	})
}
