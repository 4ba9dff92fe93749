package optimize

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// state is everything that a step changes: the parameters θ, Adam's moments, the
// epoch's running sums, and what is carried. It lives on the device; a checkpoint is its copy.
type state struct {
	names []string // of the parameters
	θ     []*tensors.Tensor
	m, v  []*tensors.Tensor
	sums  *tensors.Tensor // [1 + measures], or [1 + measures, S]; zeroed at the start of an epoch
	step  int             // steps done, in all epochs

	carriedNames []string
	carried      []*tensors.Tensor

	best []*tensors.Tensor // the parameters after the best epoch, on the host; none before there is one
}

// newState returns the state before the first step.
func newState(p *Problem) (*state, error) {
	s := &state{names: names(p.Params), carriedNames: names(p.Carried)}
	for _, x := range p.Params {
		θ, err := x.Start.LocalClone() // the tensor that was handed in stays as it is
		if err != nil {
			return nil, fmt.Errorf("optimize: copy the start of %s: %w", x.Name, err)
		}
		s.θ = append(s.θ, θ)
		s.m = append(s.m, tensors.FromShape(θ.Shape()))
		s.v = append(s.v, tensors.FromShape(θ.Shape()))
	}
	for _, x := range p.Carried {
		now, err := x.Start.LocalClone()
		if err != nil {
			return nil, fmt.Errorf("optimize: copy the start of %s: %w", x.Name, err)
		}
		s.carried = append(s.carried, now)
	}
	s.sums = tensors.FromShape(shapes.Make(dtypes.Float32, append([]int{len(p.sums())}, p.axis()...)...))
	return s, nil
}

// toDevice sends what the host has of the state to the device, and frees it here: nothing reads it
// again, and for a ViT-B it is a gigabyte.
func (s *state) toDevice(engine compute.Backend) error {
	for _, x := range s.tensors() {
		if err := x.MaterializeOnDevice(engine, false, 0); err != nil { // not shared: a step takes it over
			return fmt.Errorf("optimize: send the state to the device: %w", err)
		}
		x.FinalizeLocal()
	}
	return nil
}

// size returns the bytes of the state.
func (s *state) size() (n int64) {
	for _, x := range s.tensors() {
		n += x.ByteSize()
	}
	return n
}

// freeMoments frees what only a further step would need.
func (s *state) freeMoments() {
	free(s.m)
	free(s.v)
}

func (s *state) resetSums() { s.sums = tensors.FromShape(s.sums.Shape()) }

// tensors returns all tensors of the state, in the order in which a step takes and returns them.
func (s *state) tensors() []*tensors.Tensor {
	return slices.Concat(s.θ, s.m, s.v, []*tensors.Tensor{s.sums}, s.carried)
}

// set is the inverse of tensors.
func (s *state) set(all []*tensors.Tensor) {
	n := len(s.θ)
	s.θ, s.m, s.v, s.sums, s.carried = all[:n:n], all[n:2*n:2*n], all[2*n:3*n:3*n], all[3*n], all[3*n+1:]
}

// keepBest copies the parameters of the sets that have become better to the host.
func (s *state) keepBest(better []bool) error {
	before := s.best
	s.best = nil
	for i, x := range s.θ {
		now, err := x.LocalClone()
		if err != nil {
			return fmt.Errorf("optimize: step %d: fetch %s: %w", s.step, s.names[i], err)
		}
		s.best = append(s.best, now)
		if len(before) == 0 {
			continue
		}
		size := now.Size() / len(better)
		tensors.MustMutableFlatData(now, func(values []float32) {
			tensors.MustConstFlatData(before[i], func(old []float32) {
				for set, better := range better {
					if !better {
						copy(values[set*size:(set+1)*size], old[set*size:])
					}
				}
			})
		})
	}
	return nil
}
