package optimize

import (
	"fmt"
	"maps"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/blame"
)

// stepper is one training step, compiled: in one piece, or for settings that accumulate
// as one part of a batch and the update that follows the last part. "Data" stands for
// scalars, indices, resident tensors, constants and tensors that were read.
type stepper struct {
	*Problem
	*Settings
	be       *backend.Backend
	groups   []string // of the parameters, sorted: one learning rate for each
	scalars  []string // names, sorted
	resident int      // tensors of Rows.Resident

	whole *Exec // θ, m, v, sums, carried, learning rates, t, data -> θ, m, v, sums, carried
	part  *Exec // gradients, sums, θ, keep, data -> gradients, sums
	last  *Exec // θ, m, v, gradients, learning rates, t -> θ, m, v

	gradients []*tensors.Tensor // sums over the parts of a batch; they stay on the device
}

func newStepper(be *backend.Backend, p *Problem, s *Settings) (*stepper, error) {
	k := &stepper{Problem: p, Settings: s, be: be, scalars: slices.Sorted(maps.Keys(p.Scalars))}
	for _, x := range p.Params {
		k.groups = append(k.groups, x.Group)
	}
	slices.Sort(k.groups)
	k.groups = slices.Compact(k.groups)
	n, groups := len(p.Params), len(k.groups)
	var err error
	compile := func(name string, graph func(in cursor) []*Node) (exec *Exec) {
		if err == nil {
			exec, err = NewExec(be.Engine, func(in []*Node) []*Node { return graph(cursor{in}) })
		}
		if err != nil {
			return nil
		}
		return exec.WithName(name)
	}
	if s.parts() == 1 {
		k.whole = compile("train", func(in cursor) []*Node {
			θ, m, v, sums := in.take(n), in.take(n), in.take(n), in.one()
			carried := in.take(len(p.Carried))
			lr, t := in.take(groups), in.one()
			total, terms, inputs := k.build(θ, carried, &in)
			next := k.update(θ, m, v, Gradient(total, θ...), lr, t)
			next = append(next, Add(sums, Stack(terms, 0)))
			return append(next, k.carry(inputs, next[:n:n])...)
		})
	} else {
		share := 1 / float64(s.parts()) // of a part in the batch's mean
		k.part = compile("train part", func(in cursor) []*Node {
			sofar, sums, θ := in.take(n), in.one(), in.take(n)
			keep := in.one() // 0 in the first part of a batch, then 1
			total, terms, _ := k.build(θ, nil, &in)
			out := make([]*Node, n, n+1)
			for i, g := range Gradient(total, θ...) {
				out[i] = Add(Mul(sofar[i], keep), MulScalar(g, share))
			}
			return append(out, Add(sums, MulScalar(Stack(terms, 0), share)))
		})
		k.last = compile("train update", func(in cursor) []*Node {
			return k.update(in.take(n), in.take(n), in.take(n), in.take(n), in.take(groups), in.one())
		})
	}
	if err != nil {
		return nil, fmt.Errorf("optimize: %w", blame.Of(err))
	}
	return k, nil
}

// A cursor hands out a graph's inputs one after the other.
type cursor struct{ rest []*Node }

func (c *cursor) take(n int) (some []*Node) {
	some, c.rest = c.rest[:n:n], c.rest[n:]
	return some
}

func (c *cursor) one() *Node { return c.take(1)[0] }

// build builds the loss of the parameters and of the data in c.
func (k *stepper) build(θ, carried []*Node, c *cursor) (total *Node, terms []*Node, in Inputs) {
	defer blame.Catch("optimize", "ops")
	in = Inputs{Params: θ, Carried: carried, Scalars: map[string]*Node{}, named: k.Params}
	for i, x := range c.take(len(k.scalars)) {
		in.Scalars[k.scalars[i]] = x
	}
	indices := c.one()
	for _, x := range c.take(k.resident) {
		in.Batch = append(in.Batch, Gather(x, ExpandAxes(indices, -1)))
	}
	in.Constants = c.take(len(k.Constants))
	in.Batch = append(in.Batch, c.rest...)
	total, terms = k.loss(in)
	return total, terms, in
}

// update returns the new parameters, then both moments.
func (k *stepper) update(θ, m, v, g, lr []*Node, t *Node) []*Node {
	n := len(θ)
	if k.Clip > 0 {
		g = clip(g, k.Clip, k.Sets)
	}
	out := make([]*Node, 3*n, 3*n+1)
	for i, x := range k.Params {
		group, _ := k.group(x.Group)
		rate := lr[slices.Index(k.groups, x.Group)]
		out[i], out[n+i], out[2*n+i] = k.adam(θ[i], m[i], v[i], g[i], rate, t, group.WeightDecay)
	}
	return out
}

// run does one step on the rows that come next. The state's buffers are handed to the
// device for reuse.
func (k *stepper) run(s *state, at Moment, rates map[string][]float64, f *feed) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("optimize: step %d: %w", s.step+1, err)
		}
	}()
	k.resident = len(f.Resident)
	var update []any
	for _, group := range k.groups {
		update = append(update, k.input(rates[group]))
	}
	update = append(update, float32(s.step+1))
	if k.whole != nil {
		data, err := k.data(at, f)
		if err != nil {
			return err
		}
		out, err := k.call(k.whole, s.tensors(), nil, append(update, data...))
		if err != nil {
			return err
		}
		s.set(out)
		s.step++
		return nil
	}
	n := len(s.θ)
	if k.gradients == nil {
		for _, x := range s.θ {
			k.gradients = append(k.gradients, tensors.FromShape(x.Shape()))
		}
	}
	for i := range k.parts() {
		data, err := k.data(at, f)
		if err != nil {
			return err
		}
		out, err := k.call(k.part, append(k.gradients[:n:n], s.sums), s.θ, append([]any{float32(min(i, 1))}, data...))
		if err != nil {
			return err
		}
		k.gradients, s.sums = out[:n], out[n]
	}
	out, err := k.call(k.last, s.tensors()[:3*n], k.gradients, update)
	if err != nil {
		return err
	}
	s.set(append(out, s.sums))
	s.step++
	return nil
}

// input is a learning rate as a graph's input: a number, or one for each set.
func (k *stepper) input(of []float64) any {
	if k.Sets == 0 {
		return float32(of[0])
	}
	each := make([]float32, len(of))
	for i := range of {
		each[i] = float32(of[i])
	}
	return each
}

// data returns the inputs that [stepper.build] reads.
func (k *stepper) data(at Moment, f *feed) (args []any, err error) {
	for _, name := range k.scalars {
		args = append(args, float32(k.Scalars[name](at)))
	}
	rows, read, err := f.next()
	if err != nil {
		return nil, err
	}
	args = append(args, rows)
	for _, x := range slices.Concat(f.Resident, k.Constants) {
		args = append(args, x)
	}
	for _, x := range read {
		given, err := DonateTensorBuffer(x, k.be.Engine, 0)
		if err != nil {
			return nil, err
		}
		args = append(args, given)
	}
	return args, nil
}

// call runs an executable on tensors whose buffers it may take over, on tensors that
// stay, and on the rest.
func (k *stepper) call(exec *Exec, donated, kept []*tensors.Tensor, rest []any) ([]*tensors.Tensor, error) {
	args := make([]any, 0, len(donated)+len(kept)+len(rest))
	for _, x := range donated {
		given, err := DonateTensorBuffer(x, k.be.Engine, 0)
		if err != nil {
			return nil, err
		}
		args = append(args, given)
	}
	for _, x := range kept {
		args = append(args, x)
	}
	out, err := exec.Call(append(args, rest...)...)
	if err != nil {
		return nil, blame.Of(err)
	}
	return out, nil
}

func (k *stepper) close() {
	for _, exec := range []*Exec{k.whole, k.part, k.last} {
		if exec != nil {
			exec.Finalize()
		}
	}
	free(k.gradients)
}
