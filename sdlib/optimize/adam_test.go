package optimize

import (
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
)

// TestOptimizersEqualPyTorch repeats the steps of testdata/make_golden.py.
func TestOptimizersEqualPyTorch(t *testing.T) { onBackends(t, testOptimizers) }

func testOptimizers(t *testing.T, be *backend.Backend) {
	file, err := safetensors.Open("testdata/optimizers.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read := func(name string) *tensors.Tensor {
		x, ok := file.Tensor(name)
		values, err := x.Float32s()
		if !ok || err != nil {
			t.Fatalf("the golden file has no %s (%v)", name, err)
		}
		return tensors.FromFlatDataAndDimensions(values, x.Shape...)
	}
	order, _ := file.Tensor("order")
	steps, batch := order.Shape[0], order.Shape[1]
	groups := map[string]Group{"deep": {LR: .02, WeightDecay: .5}}
	for name, s := range map[string]Settings{
		"adamw":             {LR: .01, WeightDecay: .1},
		"adamw-groups-clip": {LR: .005, WeightDecay: .1, Groups: groups, Clip: 4},
		"adam":              {LR: .01, Optimizer: Adam},
		"adam-groups-clip":  {LR: .005, WeightDecay: .1, Groups: groups, Clip: 4, Optimizer: Adam, Beta1: .8, Beta2: .95},
	} {
		t.Run(name, func(t *testing.T) {
			p := Problem{
				Data: &Drawn{N: batch, Fresh: steps, Draw: func(step int) (rows []*tensors.Tensor, err error) {
					for _, name := range []string{"x", "y"} {
						x := read(name)
						var picked []float32
						for i := range batch {
							row, width := int(order.Data[4*(step*batch+i)]), x.Shape().Dim(1)
							picked = append(picked, tensors.MustCopyFlatData[float32](x)[row*width:(row+1)*width]...)
						}
						rows = append(rows, tensors.FromFlatDataAndDimensions(picked, batch, x.Shape().Dim(1)))
					}
					return rows, nil
				}},
				Loss: func(in Inputs) (*Node, map[string]*Node) {
					h := Tanh(Add(Einsum("bi,hi->bh", in.Batch[0], in.Param("w1")), ExpandLeftToRank(in.Param("b1"), 2)))
					y := Add(Einsum("bh,oh->bo", h, in.Param("w2")), ExpandLeftToRank(in.Param("b2"), 2))
					return ReduceAllMean(Square(Sub(y, in.Batch[1]))), nil
				},
			}
			for _, name := range []string{"w1", "b1", "w2", "b2"} {
				x := Param{Name: name, Start: read("start/" + name)}
				if s.Groups != nil && strings.HasSuffix(name, "1") {
					x.Group = "deep"
				}
				p.Params = append(p.Params, x)
			}
			s.Epochs, s.Batch = steps, batch // epochs of one step
			res, err := Minimize(t.Context(), be, p, s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			losses, worst := tensors.MustCopyFlatData[float32](read(name+"/losses")), 0.
			for i, e := range res.History {
				if diff := math.Abs(e.Mean("loss")/float64(losses[i]) - 1); diff > 1e-5 {
					t.Errorf("step %d: loss %g, PyTorch has %g", i+1, e.Mean("loss"), losses[i])
				}
			}
			for _, x := range p.Params {
				got, want := tensors.MustCopyFlatData[float32](res.Param(x.Name)), tensors.MustCopyFlatData[float32](read(name+"/"+x.Name))
				scale := float64(max(slices.Max(want), -slices.Min(want)))
				for i := range want {
					diff := math.Abs(float64(got[i]-want[i])) / scale
					if worst = max(worst, diff); diff > 1e-5 {
						t.Errorf("%s[%d] is %g, PyTorch's %g", x.Name, i, got[i], want[i])
					}
				}
			}
			t.Logf("parameters after %d steps agree to %.1e of their scale", steps, worst)
		})
	}
}
