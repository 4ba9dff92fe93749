package optimize_test

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
)

// points lie on the line y = 3x - 1.
var points = optimize.Table(
	tensors.FromValue([]float32{-1, -.5, 0, .5, 1, 1.5, 2, 2.5}),
	tensors.FromValue([]float32{-4, -2.5, -1, .5, 2, 3.5, 5, 6.5}),
)

// A line through points: two parameters and their mean squared error.
func Example() {
	be, err := backend.Open(backend.Go)
	if err != nil {
		fmt.Println(err)
		return
	}
	line := optimize.Problem{
		Params: []optimize.Param{
			{Name: "slope", Start: tensors.FromValue(float32(0))},
			{Name: "offset", Start: tensors.FromValue(float32(0))},
		},
		Data: points,
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			x, y := in.Batch[0], in.Batch[1] // [B]
			wrong := Sub(Add(Mul(in.Param("slope"), x), in.Param("offset")), y)
			return ReduceAllMean(Square(wrong)), map[string]*Node{"distance": ReduceAllMean(Abs(wrong))}
		},
		Measures: []string{"distance"},
	}
	res, err := optimize.Minimize(context.Background(), be, line,
		optimize.Settings{LR: .1, Schedule: optimize.Cosine, Epochs: 100, Batch: 4}, optimize.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("y = %.2f x %+.2f\n", tensors.ToScalar[float32](res.Param("slope")), tensors.ToScalar[float32](res.Param("offset")))
	fmt.Println(res.History[0])
	fmt.Println(res.History[99])
	// Output:
	// y = 3.00 x -1.00
	// loss 12.711  distance 3.038
	// loss 0.000  distance 0.004
}

// Three learning rates at once: every parameter, the loss and the learning rate have an
// axis of three sets.
func ExampleProblem_sets() {
	be, err := backend.Open(backend.Go)
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := optimize.Problem{
		Sets: 3,
		Params: []optimize.Param{
			{Name: "slope", Start: tensors.FromValue([]float32{0, 0, 0})},
			{Name: "offset", Start: tensors.FromValue([]float32{0, 0, 0})},
		},
		Data: points,
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			x, y := ExpandAxes(in.Batch[0], 0), ExpandAxes(in.Batch[1], 0)                       // [1, B]
			slope, offset := ExpandAxes(in.Param("slope"), 1), ExpandAxes(in.Param("offset"), 1) // [S, 1]
			return ReduceMean(Square(Sub(Add(Mul(slope, x), offset), y)), 1), nil                // [S]
		},
	}
	res, err := optimize.Minimize(context.Background(), be, lines,
		optimize.Settings{LRs: []float64{.001, .01, .1}, Epochs: 100}, optimize.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f\n", res.History[99].Means["loss"])
	// Output:
	// [12.22 5.83 0.00]
}
