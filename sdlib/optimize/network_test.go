package optimize

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
)

// The tests' problem is a network of 5 inputs, 7 hidden units and 3 outputs:
//
//	y = (w2·tanh(w1·x + b1) + b2) / T + shift
//
// with the mean squared error and a term .01·mean(sigmoid(b1/T)) as its loss. T is a scalar
// that falls, shift a constant. It has everything that a problem can have.
const inputs, hidden, outputs, rowsN = 5, 7, 3, 24

// onBackends runs a test on the best backend that there is, and on the pure Go one.
func onBackends(t *testing.T, test func(t *testing.T, be *backend.Backend)) {
	for _, name := range []string{"", backend.Go} {
		be := fixture.Backend(t, name)
		t.Run(be.Choice, func(t *testing.T) { test(t, be) })
	}
}

// random returns a tensor of numbers in ±1.
func random(seed uint64, dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := 1
	for _, d := range dims {
		n *= d
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(2*rng.Float64() - 1)
	}
	return tensors.FromFlatDataAndDimensions(x, dims...)
}

// network returns the problem for one set without an axis, or with some sets.
func network(seed uint64, sets int) Problem {
	var axis []int
	if sets > 0 {
		axis = []int{sets}
	}
	p := Problem{
		Sets: sets,
		Params: []Param{
			{Name: "w1", Start: random(seed, append(axis, hidden, inputs)...), Group: "deep"},
			{Name: "b1", Start: random(seed+1, append(axis, hidden)...), Group: "deep"},
			{Name: "w2", Start: random(seed+2, append(axis, outputs, hidden)...)},
			{Name: "b2", Start: random(seed+3, append(axis, outputs)...)},
		},
		Data:      Table(random(100, rowsN, inputs), random(101, rowsN, outputs)),
		Constants: []*tensors.Tensor{random(102, outputs)},
		Scalars:   map[string]func(Moment) float64{"temperature": Falling(1, .5)},
		Measures:  []string{"error", "open"},
		Key:       "network",
	}
	p.Loss = func(in Inputs) (*Node, map[string]*Node) {
		w1, b1, w2, b2 := in.Param("w1"), in.Param("b1"), in.Param("w2"), in.Param("b2")
		if sets == 0 { // the same graph, with one set
			w1, b1, w2, b2 = ExpandAxes(w1, 0), ExpandAxes(b1, 0), ExpandAxes(w2, 0), ExpandAxes(b2, 0)
		}
		T, shift := in.Scalars["temperature"], in.Constants[0]
		h := Tanh(Add(Einsum("bi,shi->sbh", in.Batch[0], w1), ExpandAxes(b1, 1)))
		y := Add(Div(Add(Einsum("sbh,soh->sbo", h, w2), ExpandAxes(b2, 1)), T), ExpandLeftToRank(shift, 3))
		wrong := ReduceMean(Square(Sub(y, ExpandAxes(in.Batch[1], 0))), 1, 2)
		open := ReduceMean(Sigmoid(Div(b1, T)), 1)
		if sets == 0 {
			wrong, open = Reshape(wrong), Reshape(open)
		}
		return Add(wrong, MulScalar(open, .01)), map[string]*Node{"error": wrong, "open": open}
	}
	x, y := random(103, rowsN, inputs), random(104, rowsN, outputs)
	p.Validate = func(_ context.Context, θ []*tensors.Tensor) (scores []float64, err error) {
		for set := range p.sets() {
			scores = append(scores, -plain(θ, set, p.sets(), x, y))
		}
		return scores, nil
	}
	return p
}

// plain computes the mean squared error of a set at T = 1 and without the shift.
func plain(θ []*tensors.Tensor, set, sets int, x, y *tensors.Tensor) (loss float64) {
	of := func(i int) []float32 {
		flat := tensors.MustCopyFlatData[float32](θ[i])
		size := len(flat) / sets
		return flat[set*size : (set+1)*size]
	}
	w1, b1, w2, b2 := of(0), of(1), of(2), of(3)
	xs, ys := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](y)
	for r := range rowsN {
		var h [hidden]float64
		for i := range h {
			h[i] = float64(b1[i])
			for j := range inputs {
				h[i] += float64(w1[i*inputs+j]) * float64(xs[r*inputs+j])
			}
			h[i] = math.Tanh(h[i])
		}
		for o := range outputs {
			out := float64(b2[o])
			for i := range h {
				out += float64(w2[o*hidden+i]) * h[i]
			}
			loss += math.Pow(out-float64(ys[r*outputs+o]), 2) / (rowsN * outputs)
		}
	}
	return loss
}

// everything turns on all that a run has to remember: 6 epochs of 3 steps.
var everything = Settings{Epochs: 6, Batch: 8, Accumulate: 2, Seed: 3, LR: .05, WeightDecay: .01,
	Groups: map[string]Group{"deep": {LR: .2, WeightDecay: .1}}, Clip: .5, Schedule: Plateau, Patience: 1, Factor: .5, Warmup: 2, Keep: Best}

// on solves a problem on the pure Go backend, which compiles nothing.
func on(ctx context.Context, p Problem, s Settings, o Options) (*Result, error) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		return nil, err
	}
	return Minimize(ctx, be, p, s, o)
}

func minimize(t *testing.T, p Problem, s Settings, o Options) *Result {
	t.Helper()
	res, err := on(t.Context(), p, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// flat returns all numbers of some tensors.
func flat(all []*tensors.Tensor) (numbers []float32) {
	for _, x := range all {
		numbers = append(numbers, tensors.MustCopyFlatData[float32](x)...)
	}
	return numbers
}

// equal reports whether two runs ended alike, to the bit.
func equal(a, b *Result) bool {
	if len(a.History) != len(b.History) {
		return false
	}
	for i := range a.History {
		if a.History[i].String() != b.History[i].String() || !slices.Equal(a.History[i].Validated, b.History[i].Validated) ||
			!slices.Equal(a.History[i].Means["loss"], b.History[i].Means["loss"]) {
			return false
		}
	}
	return slices.Equal(flat(a.Params), flat(b.Params)) && slices.Equal(flat(a.Last), flat(b.Last)) && slices.Equal(flat(a.Carried), flat(b.Carried)) && slices.Equal(a.Kept, b.Kept)
}
