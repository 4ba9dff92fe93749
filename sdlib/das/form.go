package das

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/optimize"
)

// A form is how a method writes a subspace in numbers that are learned.
type form interface {
	// params are the numbers, at their start, for a width D.
	params(D int) []optimize.Param
	// swapped returns how much of each direction is swapped at a temperature, s [J]: of the first
	// J of the rotation's directions. No others are swapped.
	swapped(in optimize.Inputs, D int) *Node
	// mask returns m [D] from the learned numbers.
	mask(got *optimize.Result, D int) ([]float32, error)
}

// Names of what is learned.
const (
	skewParam     = "skew"     // X, see [rotation]
	maskParam     = "mask"     // m
	boundaryParam = "boundary" // β
)

// form is that of the search's method, for a width D.
func (q Search) form(D int) (form, error) {
	switch q.Method {
	case Trained:
		return masked{}, nil
	case LowRank:
		if q.Rank < 1 || q.Rank >= D {
			return nil, fmt.Errorf("das: %d directions by %s, expected 1 to %d", q.Rank, q.Method, D-1)
		}
		return lowRank(q.Rank), nil
	case Boundless:
		return bounded{}, nil
	}
	return nil, fmt.Errorf("das: nothing is learned by the method %s: use das.Baseline", q.Method)
}

// zeros are numbers at 0.
func zeros(dims ...int) *tensors.Tensor {
	return tensors.FromShape(shapes.Make(dtypes.Float32, dims...))
}

// masked is distributed alignment search: s = σ(m/T), with an m for each direction.
type masked struct{}

func (masked) params(D int) []optimize.Param {
	return []optimize.Param{{Name: skewParam, Start: zeros(D, D)}, {Name: maskParam, Start: zeros(D), Group: maskGroup}}
}

func (masked) swapped(in optimize.Inputs, D int) *Node {
	return Sigmoid(Div(in.Param(maskParam), in.Scalars["temperature"]))
}

func (masked) mask(got *optimize.Result, D int) ([]float32, error) {
	return tensors.CopyFlatData[float32](got.Param(maskParam))
}
