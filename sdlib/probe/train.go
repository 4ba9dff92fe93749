package probe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
)

// Paper are the settings of the paper's probe: AdamW with PyTorch's decay, 10 epochs in batches
// of 64 (docs/paper.md 7).
var Paper = optimize.Settings{LR: .01, WeightDecay: .01, Epochs: 10, Batch: 64}

// Train trains a probe at each place by gradient steps, all in one graph: probe s is set s of
// [optimize.Problem]. All start from the same weights, which depend on the settings' seed, and
// see the items in the same order, so that each is the probe that it would be alone, up to
// rounding. Key has to name what the features and answers depend on, for checkpoints.
func Train(ctx context.Context, be *backend.Backend, places []Place, s Items, how optimize.Settings, key any, o optimize.Options) ([]Probe, error) {
	y := s.Answers()
	if err := check(places, y, s.Classes); err != nil {
		return nil, err
	}
	F := places[0].Width()
	if o.Task == "" {
		o.Task, o.Unit = "probe", "items"
	}
	p := problem(places, y, s.Classes, start(len(places), s.Classes, F, how.Seed))
	p.Key = key
	res, err := optimize.Minimize(ctx, be, p, how, o)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	return unstack(places, res, s.Classes)
}

// start returns weights [S, C, F] and biases [S, C], the same for each set, as PyTorch's
// nn.Linear draws them: uniform in ±1/√F.
func start(S, C, F int, seed uint64) [2]*tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0x9e0be))
	draw := func(n int, dims ...int) *tensors.Tensor {
		one := make([]float32, n)
		for i := range one {
			one[i] = float32((2*rng.Float64() - 1) / math.Sqrt(float64(F)))
		}
		var all []float32
		for range S {
			all = append(all, one...)
		}
		return tensors.FromFlatDataAndDimensions(all, dims...)
	}
	return [2]*tensors.Tensor{draw(C*F, S, C, F), draw(C, S, C)}
}

// problem is that of S probes side by side. Features stay where they are and are read row by
// row, a step ahead: those of a ViT-B at all blocks take gigabytes.
func problem(places []Place, y []int, C int, start [2]*tensors.Tensor) optimize.Problem {
	S, F := len(places), places[0].Width()
	answers := make([]int32, len(y))
	for i, c := range y {
		answers[i] = int32(c)
	}
	return optimize.Problem{
		Params: []optimize.Param{{Name: "weight", Start: start[0]}, {Name: "bias", Start: start[1]}},
		Data:   rows{places, tensors.FromValue(answers), S, F},
		Sets:   S,
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			y, x := in.Batch[0], in.Batch[1] // [B], [B, S, F]
			z := Add(Einsum("bsf,scf->bsc", x, in.Param("weight")), ExpandAxes(in.Param("bias"), 0))
			right := ExpandAxes(OneHot(y, C, z.DType()), 1) // [B, 1, C]
			loss := Neg(ReduceMean(ReduceSum(Mul(LogSoftmax(z, -1), right), -1), 0))
			hit := Equal(ArgMax(z, -1, dtypes.Int32), ExpandAxes(y, -1))
			return loss, map[string]*Node{"correct": ReduceMean(ConvertDType(hit, dtypes.Float32), 0)}
		},
		Measures: []string{"correct"},
	}
}

// rows are the data of [problem]: answers on the device, features read.
type rows struct {
	places []Place
	y      *tensors.Tensor
	S, F   int
}

func (r rows) Len() int { return r.y.Size() }

func (r rows) Epoch(int) (optimize.Rows, error) {
	return optimize.Rows{Resident: []*tensors.Tensor{r.y}, Read: func(items []int32) ([]*tensors.Tensor, error) {
		x := make([]float32, len(items)*r.S*r.F)
		for b, i := range items {
			for s, p := range r.places {
				at := (b*r.S + s) * r.F
				p.Row(x[at:at+r.F], int(i))
			}
		}
		return []*tensors.Tensor{tensors.FromFlatDataAndDimensions(x, len(items), r.S, r.F)}, nil
	}}, nil
}

// unstack takes the sets apart.
func unstack(places []Place, res *optimize.Result, C int) ([]Probe, error) {
	w, err := tensors.CopyFlatData[float32](res.Param("weight"))
	if err != nil {
		return nil, fmt.Errorf("probe: fetch the weights: %w", err)
	}
	b, err := tensors.CopyFlatData[float32](res.Param("bias"))
	if err != nil {
		return nil, fmt.Errorf("probe: fetch the biases: %w", err)
	}
	var all []Probe
	n := len(w) / len(places)
	for s, p := range places {
		all = append(all, Probe{p.Name, w[s*n : (s+1)*n], b[s*C : (s+1)*C]})
	}
	return all, nil
}
