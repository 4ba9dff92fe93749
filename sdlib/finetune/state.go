package finetune

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/vit"
)

// state is everything that a training step changes: the weights θ, AdamW's moments,
// and the epoch's running sums. It lives on the device; a checkpoint is its copy.
type state struct {
	names   []string // of the weights: the model's, then the probes'
	weights []*tensors.Tensor
	m, v    []*tensors.Tensor
	sums    *tensors.Tensor // [len(r.sumNames())], zeroed at the start of an epoch
	step    int             // steps done, in all epochs

	best []*tensors.Tensor // the model's weights after the best epoch, on the host; nil before there is one
}

// newState returns the state before the first step. The probes start as PyTorch's
// nn.Linear does: uniform in ±1/√inputs, weights and biases.
func newState(m *vit.Model, r Recipe) (*state, error) {
	s := &state{names: m.Config.Names()}
	for _, w := range m.Weights.Flatten(m.Config) {
		w, err := w.LocalClone() // the model that was handed in stays as it is
		if err != nil {
			return nil, fmt.Errorf("finetune: copy the model's weights: %w", err)
		}
		s.weights = append(s.weights, w)
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0x9e0be))
	for _, p := range r.probes(m.Config) {
		add := func(name string, dims ...int) {
			x := tensors.FromShape(shapes.Make(dtypes.Float32, dims...))
			tensors.MustMutableFlatData(x, func(values []float32) {
				for i := range values {
					values[i] = float32(2*rng.Float64()-1) / float32(math.Sqrt(float64(p.inputs)))
				}
			})
			s.names, s.weights = append(s.names, "probe."+p.name+"."+name), append(s.weights, x)
		}
		add("weight", p.values, p.inputs)
		add("bias", p.values)
	}
	for _, w := range s.weights {
		s.m = append(s.m, tensors.FromShape(w.Shape()))
		s.v = append(s.v, tensors.FromShape(w.Shape()))
	}
	s.sums = tensors.FromShape(shapes.Make(dtypes.Float32, len(r.sumNames())))
	return s, nil
}

func (s *state) resetSums() { s.sums = tensors.FromShape(s.sums.Shape()) }

// tensors returns all tensors of the state, in the order in which a step takes and returns them.
func (s *state) tensors() []*tensors.Tensor {
	all := append([]*tensors.Tensor{}, s.weights...)
	return append(append(append(all, s.m...), s.v...), s.sums)
}

// set is the inverse of tensors.
func (s *state) set(all []*tensors.Tensor) {
	n := len(s.weights)
	s.weights, s.m, s.v, s.sums = all[:n:n], all[n:2*n:2*n], all[2*n:3*n:3*n], all[3*n]
}

// keepBest takes down the weights of the model, the first n.
func (s *state) keepBest(n int) error {
	s.best = nil
	for i, w := range s.weights[:n] {
		w, err := w.LocalClone()
		if err != nil {
			return fmt.Errorf("finetune: step %d: fetch %s: %w", s.step, s.names[i], err)
		}
		s.best = append(s.best, w)
	}
	return nil
}
