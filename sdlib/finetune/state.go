package finetune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
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

// stepper is one training step, compiled.
type stepper struct {
	be   *backend.Backend
	exec *Exec
	data *deviceData
}

// newStepper compiles the step of a recipe for a configuration.
func newStepper(be *backend.Backend, c vit.Config, r Recipe, data *deviceData) (*stepper, error) {
	n := len(c.Names()) + 2*len(r.probes(c))
	exec, err := NewExec(be.Engine, func(in []*Node) []*Node {
		θ, m, v, sums, rest := in[:n], in[n:2*n], in[2*n:3*n], in[3*n], in[3*n+1:]
		lr, t, indices := rest[0], rest[1], rest[2]
		total, sum := r.loss(c, θ, batch{rest[3:]}.pick(indices))
		out := make([]*Node, 3*n, 3*n+1)
		for i, g := range Gradient(total, θ...) {
			out[i], out[n+i], out[2*n+i] = adamW(θ[i], m[i], v[i], g, lr, t, r.WeightDecay)
		}
		return append(out, Add(sums, Stack(sum, 0)))
	})
	if err != nil {
		return nil, fmt.Errorf("finetune: %s", firstLine(err))
	}
	return &stepper{be: be, exec: exec.WithName("train"), data: data}, nil
}

// run does one step on the images of the given indices. The state's buffers are
// handed to the device for reuse.
func (p *stepper) run(s *state, lr float64, indices []int32) error {
	var args []any
	for _, t := range s.tensors() {
		a, err := DonateTensorBuffer(t, p.be.Engine, 0)
		if err != nil {
			return fmt.Errorf("finetune: step %d: %w", s.step+1, err)
		}
		args = append(args, a)
	}
	args = append(args, float32(lr), float32(s.step+1), indices)
	for _, t := range p.data.all() {
		args = append(args, t)
	}
	out, err := p.exec.Call(args...)
	if err != nil {
		return fmt.Errorf("finetune: step %d: %s", s.step+1, firstLine(err))
	}
	s.set(out)
	s.step++
	return nil
}

// firstLine cuts off the stack trace that GoMLX's errors carry.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (p *stepper) close() {
	p.exec.Finalize()
	for _, t := range p.data.all() {
		t.FinalizeAll()
	}
}
