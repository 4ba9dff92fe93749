package optimize

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute"
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

	gradients [][]*tensors.Tensor // by device: sums over the parts of a batch; they stay there

	devices
}

func newStepper(be *backend.Backend, p *Problem, s *Settings, on int) (*stepper, error) {
	k := &stepper{Problem: p, Settings: s, be: be, scalars: slices.Sorted(maps.Keys(p.Scalars)), devices: newDevices(on)}
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
		return k.spread(exec.WithName(name))
	}
	if s.parts() == 1 {
		k.whole = compile("train", func(in cursor) []*Node {
			θ, m, v, sums := in.take(n), in.take(n), in.take(n), in.one()
			carried := in.take(len(p.Carried))
			lr, t := in.take(groups), in.one()
			total, terms, inputs := k.build(θ, carried, &in)
			next := k.update(θ, m, v, k.mean(Gradient(total, θ...)...), lr, t)
			next = append(next, Add(sums, k.mean(Stack(terms, 0))[0]))
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
			return append(out, Add(sums, MulScalar(k.mean(Stack(terms, 0))[0], share)))
		})
		k.last = compile("train update", func(in cursor) []*Node {
			θ, m, v, g := in.take(n), in.take(n), in.take(n), in.take(n)
			return k.update(θ, m, v, k.mean(g...), in.take(groups), in.one())
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
// devices for reuse.
func (k *stepper) run(s *state, at Moment, rates map[string][]float64, f *feed) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("optimize: step %d: %w", s.step+1, err)
		}
	}()
	k.resident = len(f.Resident)
	if err := k.prepare(s, f, k.Constants, k.be.Engine); err != nil {
		return err
	}
	var update []any
	for _, group := range k.groups {
		update = append(update, k.input(rates[group]))
	}
	update = append(update, float32(s.step+1))
	all := k.states(s) // by device
	if k.whole != nil {
		data, err := k.data(at, f)
		if err != nil {
			return err
		}
		out, err := k.call(k.whole, func(d int) arguments { return arguments{all[d], nil, slices.Concat(update, data[d])} })
		if err != nil {
			return err
		}
		k.keep(s, out)
		s.step++
		return nil
	}
	n := len(s.θ)
	if k.gradients == nil {
		for range k.n {
			var zero []*tensors.Tensor
			for _, x := range s.θ {
				zero = append(zero, tensors.FromShape(x.Shape()))
			}
			k.gradients = append(k.gradients, zero)
		}
	}
	for i := range k.parts() {
		data, err := k.data(at, f)
		if err != nil {
			return err
		}
		out, err := k.call(k.part, func(d int) arguments {
			return arguments{append(k.gradients[d][:n:n], all[d][3*n]), all[d][:n], append([]any{float32(min(i, 1))}, data[d]...)}
		})
		if err != nil {
			return err
		}
		for d := range out {
			k.gradients[d], all[d][3*n] = out[d][:n], out[d][n]
		}
	}
	out, err := k.call(k.last, func(d int) arguments { return arguments{all[d][:3*n], k.gradients[d], update} })
	if err != nil {
		return err
	}
	for d := range out {
		out[d] = append(out[d], all[d][3*n:]...)
	}
	k.keep(s, out)
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

// data returns the inputs that [stepper.build] reads, for each device.
func (k *stepper) data(at Moment, f *feed) (all [][]any, err error) {
	for d := range k.n {
		var args []any
		for _, name := range k.scalars {
			args = append(args, float32(k.Scalars[name](at)))
		}
		rows, read, err := f.next()
		if err != nil {
			return nil, err
		}
		args = append(args, rows)
		for _, x := range slices.Concat(f.Resident, k.Constants) {
			args = append(args, k.copyOf(x, d))
		}
		for _, x := range read {
			given, err := DonateTensorBuffer(x, k.be.Engine, compute.DeviceNum(d))
			if err != nil {
				return nil, err
			}
			args = append(args, given)
		}
		all = append(all, args)
	}
	return all, nil
}

// arguments are what a device runs an executable on: tensors whose buffers it may take over, tensors
// that stay, and the rest.
type arguments struct {
	donated, kept []*tensors.Tensor
	rest          []any
}

// call runs an executable, and returns what comes out of it on each device.
func (k *stepper) call(exec *Exec, in func(d int) arguments) (out [][]*tensors.Tensor, err error) {
	var args []any
	for d := range k.n {
		in := in(d)
		for _, x := range in.donated {
			given, err := DonateTensorBuffer(x, k.be.Engine, compute.DeviceNum(d))
			if err != nil {
				return nil, err
			}
			args = append(args, given)
		}
		for _, x := range in.kept {
			args = append(args, x)
		}
		args = append(args, in.rest...)
	}
	all, err := exec.Call(args...)
	if err != nil {
		return nil, blame.Of(err)
	}
	return slices.Collect(slices.Chunk(all, len(all)/k.n)), nil
}

func (k *stepper) close() {
	for _, exec := range []*Exec{k.whole, k.part, k.last} {
		if exec != nil {
			exec.Finalize()
		}
	}
	for _, g := range k.gradients {
		free(g)
	}
	k.devices.close()
}
