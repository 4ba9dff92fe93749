package finetune

import (
	"fmt"
	"math/rand/v2"
	"strings"

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
	sums    *tensors.Tensor // [len(sumNames)], zeroed at the start of an epoch
	step    int             // steps done, in all epochs
}

// sumNames are the quantities that a step adds up, each already averaged over its batch.
var sumNames = []string{"loss", "task", "aux", "correct", "shape", "color"}

// probeShapes returns the names and shapes of the probes' weights that a recipe trains.
func (r Recipe) probeShapes(c vit.Config) (names []string, dims [][]int) {
	if !r.Disentangle.on() {
		return nil, nil
	}
	for _, p := range []string{"shape", "color"} {
		names = append(names, "probe."+p+".weight", "probe."+p+".bias")
		dims = append(dims, []int{attributeValues, c.Width / 2}, []int{attributeValues})
	}
	return names, dims
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
	names, dims := r.probeShapes(m.Config)
	for i, name := range names {
		n := 1
		for _, d := range dims[i] {
			n *= d
		}
		values := make([]float32, n)
		for j := range values {
			values[j] = float32(2*rng.Float64()-1) / sqrt32(m.Config.Width/2)
		}
		s.names = append(s.names, name)
		s.weights = append(s.weights, tensors.FromFlatDataAndDimensions(values, dims[i]...))
	}
	for _, w := range s.weights {
		s.m = append(s.m, tensors.FromShape(w.Shape()))
		s.v = append(s.v, tensors.FromShape(w.Shape()))
	}
	s.resetSums()
	return s, nil
}

func (s *state) resetSums() {
	s.sums = tensors.FromFlatDataAndDimensions(make([]float32, len(sumNames)), len(sumNames))
}

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
	probes, _ := r.probeShapes(c)
	n := len(c.Names()) + len(probes)
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

// loss returns what is minimized on one batch, and the quantities of sumNames.
// θ are the model's weights followed by the probes'.
func (r Recipe) loss(c vit.Config, θ []*Node, b batch) (total *Node, sums []*Node) {
	n := len(c.Names())
	w, probes := vit.Unflatten(c, θ[:n]), θ[n:]
	var opts []vit.Option
	after := vit.BlockNode(r.Disentangle.After, "resid_post")
	if r.Disentangle.on() {
		opts = append(opts, vit.Want(after))
	}
	logits, trace := vit.Forward(c, w, b.images(), opts...)
	task := crossEntropy(logits, b.labels())
	correct := DivScalar(hits(logits, b.labels()), float64(b.size()))

	aux := ZerosLike(task)
	shapeHits, colorHits := aux, aux
	if r.Disentangle.on() {
		shape, color := probe[*Node]{probes[0], probes[1]}, probe[*Node]{probes[2], probes[3]}
		aux, shapeHits, colorHits = r.Disentangle.loss(shape, color, trace.Get(after), b.tokens(), b.shapes(), b.colors())
	}
	total = Add(task, aux)
	return total, []*Node{total, task, aux, correct, shapeHits, colorHits}
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
