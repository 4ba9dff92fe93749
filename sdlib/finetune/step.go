package finetune

import (
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// stepper is one training step, compiled: in one piece, or for a recipe that accumulates
// as one part of a batch and the update that follows the last part.
type stepper struct {
	be    *backend.Backend
	parts int
	whole *Exec // θ, m, v, sums, lr, t, indices, data -> θ, m, v, sums
	part  *Exec // gradients, sums, θ, keep, indices, data -> gradients, sums
	last  *Exec // θ, m, v, gradients, lr, t -> θ, m, v

	gradients []*tensors.Tensor // sums over the parts of a batch; they stay on the device
}

// newStepper compiles the step of a recipe for a configuration.
func newStepper(be *backend.Backend, c vit.Config, r Recipe) (p *stepper, err error) {
	n := len(c.Names()) + 2*len(r.probes(c))
	p = &stepper{be: be, parts: r.parts()}
	compile := func(name string, graph func(in []*Node) []*Node) (exec *Exec) {
		if err == nil {
			if exec, err = NewExec(be.Engine, graph); err == nil {
				exec = exec.WithName(name)
			}
		}
		return exec
	}
	if p.parts == 1 {
		p.whole = compile("train", func(in []*Node) []*Node {
			θ, m, v, sums, rest := in[:n], in[n:2*n], in[2*n:3*n], in[3*n], in[3*n+1:]
			lr, t, indices := rest[0], rest[1], rest[2]
			total, sum := r.loss(c, θ, batch{rest[3:]}.pick(indices))
			return append(r.update(θ, m, v, Gradient(total, θ...), lr, t), Add(sums, Stack(sum, 0)))
		})
	} else {
		share := 1 / float64(p.parts) // of a part in the batch's mean
		p.part = compile("train part", func(in []*Node) []*Node {
			sofar, sums, θ, rest := in[:n], in[n], in[n+1:2*n+1], in[2*n+1:]
			keep, indices := rest[0], rest[1] // keep is 0 in the first part of a batch, then 1
			total, sum := r.loss(c, θ, batch{rest[2:]}.pick(indices))
			out := make([]*Node, n, n+1)
			for i, g := range Gradient(total, θ...) {
				out[i] = Add(Mul(sofar[i], keep), MulScalar(g, share))
			}
			return append(out, Add(sums, MulScalar(Stack(sum, 0), share)))
		})
		p.last = compile("train update", func(in []*Node) []*Node {
			return r.update(in[:n], in[n:2*n], in[2*n:3*n], in[3*n:4*n], in[4*n], in[4*n+1])
		})
	}
	if err != nil {
		return nil, fmt.Errorf("finetune: %s", firstLine(err))
	}
	return p, nil
}

// update returns the new weights, then both moments.
func (r Recipe) update(θ, m, v, g []*Node, lr, t *Node) []*Node {
	n := len(θ)
	if r.Clip > 0 {
		g = clip(g, r.Clip)
	}
	out := make([]*Node, 3*n, 3*n+1)
	for i := range θ {
		out[i], out[n+i], out[2*n+i] = adamW(θ[i], m[i], v[i], g[i], lr, t, r.WeightDecay)
	}
	return out
}

// clip scales all gradients by the same factor so that their norm together is at most
// limit. As in torch.nn.utils.clip_grad_norm_ the factor is min(1, limit/(‖g‖ + 10⁻⁶)).
func clip(g []*Node, limit float64) []*Node {
	squares := make([]*Node, len(g))
	for i := range g {
		squares[i] = ReduceAllSum(Square(g[i]))
	}
	norm := Sqrt(ReduceAllSum(Stack(squares, 0)))
	factor := MinScalar(Div(Scalar(norm.Graph(), norm.DType(), limit), AddScalar(norm, 1e-6)), 1)
	out := make([]*Node, len(g))
	for i := range g {
		out[i] = Mul(g[i], factor)
	}
	return out
}

// run does one step on those images of data that the indices name. The state's buffers are
// handed to the device for reuse.
func (p *stepper) run(s *state, data *deviceData, lr float64, indices []int32) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("finetune: step %d: %s", s.step+1, firstLine(err))
		}
	}()
	rate, t := float32(lr), float32(s.step+1)
	if p.parts == 1 {
		out, err := p.call(p.whole, s.tensors(), nil, append([]any{rate, t, indices}, data.args()...))
		if err != nil {
			return err
		}
		s.set(out)
		s.step++
		return nil
	}
	n := len(s.weights)
	if p.gradients == nil {
		for _, w := range s.weights {
			p.gradients = append(p.gradients, tensors.FromShape(w.Shape()))
		}
	}
	size, keep := len(indices)/p.parts, float32(0)
	for i := range p.parts {
		rest := append([]any{keep, indices[i*size : (i+1)*size]}, data.args()...)
		out, err := p.call(p.part, append(p.gradients[:n:n], s.sums), s.weights, rest)
		if err != nil {
			return err
		}
		p.gradients, s.sums, keep = out[:n], out[n], 1
	}
	out, err := p.call(p.last, s.tensors()[:3*n], p.gradients, []any{rate, t})
	if err != nil {
		return err
	}
	s.set(append(out, s.sums))
	s.step++
	return nil
}

// call runs an executable on tensors whose buffers it may take over, on tensors that
// stay, and on the rest.
func (p *stepper) call(exec *Exec, donated, kept []*tensors.Tensor, rest []any) ([]*tensors.Tensor, error) {
	args := make([]any, 0, len(donated)+len(kept)+len(rest))
	for _, x := range donated {
		a, err := DonateTensorBuffer(x, p.be.Engine, 0)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	for _, x := range kept {
		args = append(args, x)
	}
	return exec.Call(append(args, rest...)...)
}

// firstLine cuts off the stack trace that GoMLX's errors carry.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (p *stepper) close() {
	for _, exec := range []*Exec{p.whole, p.part, p.last} {
		if exec != nil {
			exec.Finalize()
		}
	}
	for _, x := range p.gradients {
		x.FinalizeAll()
	}
}
