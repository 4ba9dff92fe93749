package vit

import (
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// A Program is a function of a model's weights and some inputs, compiled for a
// backend. It is compiled at the first run, and again for inputs of other shapes.
type Program struct {
	exec    *Exec
	weights []any
}

// Compile returns the program of fn, a graph function that is given the model's
// weights and the inputs of [Program.Run].
func Compile(be *backend.Backend, m *Model, fn func(w *Weights[*Node], inputs []*Node) []*Node) (*Program, error) {
	n := len(m.Config.Names())
	exec, err := NewExec(be.Engine, func(in []*Node) []*Node {
		return fn(Unflatten(m.Config, in[:n]), in[n:])
	})
	if err != nil {
		return nil, fmt.Errorf("vit: compile: %w", err)
	}
	p := &Program{exec: exec.WithName("vit").SetMaxCache(-1)}
	for _, w := range m.Weights.Flatten(m.Config) {
		p.weights = append(p.weights, w)
	}
	return p, nil
}

// Run computes the program's outputs for inputs: tensors, or Go slices and numbers.
func (p *Program) Run(inputs ...any) ([]*tensors.Tensor, error) {
	out, err := p.exec.Exec(append(p.weights[:len(p.weights):len(p.weights)], inputs...)...)
	if err != nil {
		return nil, fmt.Errorf("vit: %s", firstLine(err))
	}
	return out, nil
}

// Close frees the compiled code. The model's weights stay.
func (p *Program) Close() { p.exec.Finalize() }

// Images wraps pixels, n·height·width·3 bytes, as a tensor that programs take.
func (c Config) Images(pixels []uint8) (*tensors.Tensor, error) {
	each := c.Image * c.Image * 3
	if len(pixels) == 0 || len(pixels)%each != 0 {
		return nil, fmt.Errorf("vit: %d bytes of pixels, expected a multiple of %d (images of %dx%d, 3 channels)", len(pixels), each, c.Image, c.Image)
	}
	return tensors.FromFlatDataAndDimensions(pixels, len(pixels)/each, c.Image, c.Image, 3), nil
}

// firstLine cuts off the stack trace that GoMLX's errors carry.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
