package optimize

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/blame"
)

// A Problem says what is minimized: a loss, as a function of parameters and data.
type Problem struct {
	Params []Param
	// Data are the rows that the loss is averaged over.
	Data Data
	// Loss is a graph function. It returns the mean loss of a batch, a scalar, and each of
	// Measures, also as a scalar mean over the batch.
	Loss func(in Inputs) (loss *Node, measures map[string]*Node)
	// Measures names what Loss measures, in the order in which it is reported. Sums over an
	// epoch's steps are kept on the device; [Epoch] has the means.
	Measures []string

	// Constants are tensors that the loss reads whole and that no step changes, such as the
	// weights of a frozen model.
	Constants []*tensors.Tensor
	// Carried are tensors that change from step to step by a rule of their own and not by the
	// optimizer's, such as a moving average of the parameters. Carry returns their next values, in
	// order, given the parameters after the step; it is called after Loss, in the same graph, and may
	// use what Loss computed there. They are part of a checkpoint. A batch is then in one part (no
	// Accumulate).
	Carried []Param
	Carry   func(in Inputs, params []*Node) []*Node
	// Scalars are numbers that change from step to step, such as a temperature.
	Scalars map[string]func(Moment) float64

	// Sets is the number S of independent sets of parameters that are trained side by side in
	// one graph, such as starts from several seeds, learning rates or blocks; 0 is one set
	// without an axis of its own. With S sets each parameter, the loss and each measure have S
	// as their first axis, and the loss of a set must depend on its own parameters alone: then
	// each set is trained as if it were alone, with its own clipping, learning rate and best epoch.
	Sets int

	// Validate measures the parameters after an epoch; larger is better. It returns one number,
	// or one for each of the Sets, and must not keep or change the parameters. It is needed by
	// [Plateau] and [Best] alone; nil measures nothing.
	Validate func(ctx context.Context, parameters []*tensors.Tensor) ([]float64, error)

	// Key is a JSON value that says what the functions and the data above depend on: a run
	// resumes only from a checkpoint with an equal Key, equal starts and equal Settings.
	Key any
}

// A Param is a tensor that is trained.
type Param struct {
	Name  string
	Start *tensors.Tensor // float32; it stays as it is
	Group string          // one of Settings.Groups; "" has the learning rate and the decay of Settings
}

// Inputs are what a loss is a function of, inside the graph.
type Inputs struct {
	Params    []*Node          // in the order of Problem.Params
	Constants []*Node          // in the order of Problem.Constants
	Carried   []*Node          // in the order of Problem.Carried, as they are before the step
	Scalars   map[string]*Node // float32
	Batch     []*Node          // [B, ...] the batch's rows of Rows.Resident, then what Rows.Read returned

	named []Param
}

// Param returns the parameter of a name. It panics where there is none.
func (in Inputs) Param(name string) *Node {
	i := slices.IndexFunc(in.named, func(p Param) bool { return p.Name == name })
	if i < 0 {
		panic(fmt.Errorf("no parameter has the name %q, expected one of %q", name, names(in.named)))
	}
	return in.Params[i]
}

func names(parameters []Param) []string {
	var all []string
	for _, p := range parameters {
		all = append(all, p.Name)
	}
	return all
}

// sets is the number of sets, 1 where none has an axis.
func (p *Problem) sets() int { return max(p.Sets, 1) }

// sums names what a step adds up.
func (p *Problem) sums() []string { return append([]string{"loss"}, p.Measures...) }

// check reports, before anything is computed, what the problem lacks for these settings.
func (p *Problem) check(s *Settings) error {
	switch {
	case len(p.Params) == 0 || p.Data == nil || p.Loss == nil:
		return errors.New("optimize: a problem needs Params, Data and Loss")
	case p.Sets < 0:
		return fmt.Errorf("optimize: %d sets, expected a positive number, or 0 for one without an axis", p.Sets)
	}
	if err := s.Validate(p.Data.Len()); err != nil {
		return err
	}
	if reason := s.needsValidation(); reason != "" && p.Validate == nil {
		return fmt.Errorf("optimize: %s looks at a measure of validation, but Problem.Validate is nil", reason)
	}
	for i, name := range p.Measures {
		if name == "loss" || slices.Contains(p.Measures[:i], name) {
			return fmt.Errorf("optimize: two measures have the name %q", name)
		}
	}
	if err := p.checkCarried(s); err != nil {
		return err
	}
	used := map[string]bool{}
	for i, x := range p.Params {
		g, known := s.group(x.Group)
		switch {
		case x.Name == "" || slices.Contains(names(p.Params[:i]), x.Name):
			return fmt.Errorf("optimize: parameter %d has the name %q, expected one of its own", i, x.Name)
		case x.Start == nil || x.Start.DType() != dtypes.Float32:
			return fmt.Errorf("optimize: parameter %s has no start, or one that is not float32", x.Name)
		case p.Sets > 0 && (x.Start.Rank() == 0 || x.Start.Shape().Dim(0) != p.Sets):
			return fmt.Errorf("optimize: parameter %s starts as %s, expected a first axis of %d, the number of sets", x.Name, x.Start.Shape(), p.Sets)
		case !known:
			return fmt.Errorf("optimize: parameter %s is of group %q, which Settings.Groups lacks", x.Name, x.Group)
		case g.LRs != nil && len(g.LRs) != p.Sets:
			return fmt.Errorf("optimize: %d learning rates for %d sets", len(g.LRs), p.Sets)
		}
		if err := g.validate(); err != nil {
			return fmt.Errorf("%w (parameter %s)", err, x.Name)
		}
		used[x.Group] = true
	}
	for name := range s.Groups {
		if !used[name] {
			return fmt.Errorf("optimize: no parameter is of group %q", name)
		}
	}
	return nil
}

// checkCarried is the part of check about Carried.
func (p *Problem) checkCarried(s *Settings) error {
	switch {
	case (len(p.Carried) == 0) != (p.Carry == nil):
		return fmt.Errorf("optimize: %d carried tensors, and Carry is %v: expected both or none", len(p.Carried), p.Carry != nil)
	case len(p.Carried) > 0 && s.parts() > 1:
		return fmt.Errorf("optimize: batches in %d parts, expected whole ones: carried tensors change once in a step, and its parts are computed apart", s.parts())
	}
	for i, x := range p.Carried {
		switch {
		case x.Name == "" || slices.Contains(names(p.Carried[:i]), x.Name):
			return fmt.Errorf("optimize: carried tensor %d has the name %q, expected one of its own", i, x.Name)
		case x.Start == nil || x.Start.DType() != dtypes.Float32:
			return fmt.Errorf("optimize: carried tensor %s has no start, or one that is not float32", x.Name)
		}
	}
	return nil
}

// carry builds the next values of Carried inside a graph.
func (p *Problem) carry(in Inputs, params []*Node) []*Node {
	if p.Carry == nil {
		return nil
	}
	defer blame.Catch("optimize", "ops")
	next := p.Carry(in, params)
	if len(next) != len(p.Carried) {
		panic(fmt.Errorf("the function Carry returned %d tensors, expected one for each of Problem.Carried, %d", len(next), len(p.Carried)))
	}
	for i, x := range next {
		if want := p.Carried[i].Start.Shape(); !x.Shape().Equal(want) {
			panic(fmt.Errorf("the function Carry returned %s as %s, expected %s", p.Carried[i].Name, x.Shape(), want))
		}
	}
	return next
}

// loss builds the loss inside a graph. It returns the total over the sets, whose gradient
// is each set's own, and the terms of the sums: the loss and the measures.
func (p *Problem) loss(in Inputs) (total *Node, terms []*Node) {
	loss, measures := p.Loss(in)
	for _, name := range slices.Sorted(maps.Keys(measures)) {
		if !slices.Contains(p.Measures, name) {
			panic(fmt.Errorf("the loss function returned a measure %q, which is none of Problem.Measures %q: name it there", name, p.Measures))
		}
	}
	for _, name := range p.sums() {
		x := measures[name]
		if name == "loss" {
			x = loss
		}
		if x == nil {
			panic(fmt.Errorf("the loss function returned no %q", name))
		}
		if !slices.Equal(x.Shape().Dimensions, p.axis()) {
			panic(fmt.Errorf("the loss function returned %q as %s, expected dimensions %v", name, x.Shape(), p.axis()))
		}
		terms = append(terms, ConvertDType(x, dtypes.Float32))
	}
	if p.Sets > 0 {
		return ReduceAllSum(loss), terms
	}
	return loss, terms
}

// axis is the shape of a number that each set has: [S], or [] without sets.
func (p *Problem) axis() []int {
	if p.Sets > 0 {
		return []int{p.Sets}
	}
	return nil
}
