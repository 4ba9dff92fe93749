package vit

import (
	"errors"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/blame"
)

// A Program is a function of a model's weights and some inputs, compiled for a backend.
// The weights are inputs too, so one program serves every model of a configuration. It is
// compiled at the first run, and again for inputs of other shapes. What is wrong with the
// function shows at the first run, as an error that names the caller's line.
//
// A Program's methods must not be called from several goroutines at the same time.
type Program struct {
	be     *backend.Backend
	config Config
	exec   *Exec

	given, weights []*tensors.Tensor // the last model's, as they were given and where the backend can read them
}

// Compile returns the program of fn for models of one configuration. fn is a graph function
// that is given a model's weights and the inputs of [Program.Run].
func Compile(be *backend.Backend, c Config, fn func(w *Weights[*Node], inputs []*Node) []*Node) (*Program, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, errors.New("vit: compile: the graph function is nil")
	}
	n := len(c.Names())
	exec, err := NewExec(be.Engine, func(in []*Node) []*Node {
		defer blame.Catch("vit", "ops")
		return fn(Unflatten(c, in[:n]), in[n:])
	})
	if err != nil {
		return nil, fmt.Errorf("vit: compile: %w", err)
	}
	return &Program{be: be, config: c, exec: exec.WithName("vit").SetMaxCache(-1)}, nil
}

// Run computes the program's outputs for a model and inputs: tensors, or Go slices and
// numbers. Weights and inputs that live on another backend are copied.
func (p *Program) Run(m *Model, inputs ...any) (out []*tensors.Tensor, err error) {
	if err := p.take(m); err != nil {
		return nil, err
	}
	args := make([]any, 0, len(p.weights)+len(inputs))
	for _, w := range p.weights {
		args = append(args, w)
	}
	for i, in := range inputs {
		x, err := p.input(in)
		if err != nil {
			return nil, fmt.Errorf("vit: input %d: %w", i, err)
		}
		args = append(args, x)
	}
	defer func() { // GoMLX returns errors; should it panic all the same, the user gets an error too
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("vit: %s", blame.Line(r))
		}
	}()
	if out, err = p.exec.Call(args...); err != nil {
		return nil, fmt.Errorf("vit: %w", blame.Of(err))
	}
	return out, nil
}

// take makes a model's weights the program's, where they are not that already.
func (p *Program) take(m *Model) error {
	if m == nil || m.Weights == nil || m.Config != p.config {
		if err := m.check(); err != nil {
			return err
		}
		return fmt.Errorf("vit: a model of another configuration than the program's: expected %+v, got %+v", p.config, m.Config)
	}
	given := m.Weights.Flatten(p.config)
	if slices.Equal(given, p.given) {
		return nil
	}
	if err := m.check(); err != nil {
		return err
	}
	weights, copied := make([]*tensors.Tensor, len(given)), false
	for i, w := range given {
		var err error
		if weights[i], err = p.here(w); err != nil {
			return fmt.Errorf("vit: %s can't be copied to %s: %w", p.config.Names()[i], p.be.Choice, err)
		}
		copied = copied || weights[i] != w
	}
	if p.given, p.weights = given, weights; copied {
		p.given = nil // the originals may change: copy again next time
	}
	return nil
}

// Close frees the compiled code. The models' weights stay.
func (p *Program) Close() { p.exec.Finalize() }

// input makes of what the user gave what GoMLX takes: a tensor, or for a Go value a
// buffer on the device that is freed after the run.
func (p *Program) input(in any) (x any, err error) {
	if x, ok := in.(*tensors.Tensor); ok {
		if err := x.CheckValid(); err != nil {
			return nil, fmt.Errorf("a tensor that is nil or was freed")
		}
		return p.here(x)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a %T makes no tensor (%s): expected a *tensors.Tensor, a number, or slices of numbers of equal lengths", in, blame.Line(r))
		}
	}()
	return DonateTensorBuffer(tensors.MustFromAnyValue(in), p.be.Engine, 0)
}

// here returns a tensor that the program's backend can read: x, or a copy when
// another backend holds x.
func (p *Program) here(x *tensors.Tensor) (*tensors.Tensor, error) {
	if other, err := x.Backend(); err != nil || other == p.be.Engine { // an error: on no backend yet
		return x, nil
	}
	return x.LocalClone()
}
