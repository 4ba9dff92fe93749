package optimize

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// devices are those that a batch is split over. Each runs the same program (SPMD) on rows of its
// own, with a copy of the state that stays equal to the others': gradients and sums are averaged
// over the devices before anything is updated.
type devices struct {
	n      int
	copies map[*tensors.Tensor][]*tensors.Tensor // of resident tensors and constants, on devices 1, 2, ...
	others [][]*tensors.Tensor                   // the state on devices 1, 2, ...
}

func newDevices(n int) devices {
	return devices{n: max(n, 1), copies: map[*tensors.Tensor][]*tensors.Tensor{}}
}

// checkDevices reports, before anything is computed, why a batch cannot be split over devices.
func (p *Problem) checkDevices(s *Settings, be *backend.Backend, n int) error {
	each := s.plan(p.Data.Len()).batch / s.parts()
	switch there := be.Engine.NumDevices(); {
	case n < 0:
		return fmt.Errorf("optimize: %d devices, expected a positive number, or 0 for one", n)
	case n <= 1:
		return nil
	case n > there:
		return fmt.Errorf("optimize: a batch on %d devices, but the backend %s has %d", n, be.Choice, there)
	case each%n != 0:
		return fmt.Errorf("optimize: %d rows of a batch at a time on %d devices, expected a multiple", each, n)
	case len(p.Carried) > 0:
		return fmt.Errorf("optimize: a batch on %d devices, expected one: carried tensors may depend on the whole batch", n)
	}
	return nil
}

// spread makes an executable run on all devices.
func (k devices) spread(exec *Exec) *Exec {
	if k.n == 1 {
		return exec
	}
	mesh, err := distributed.NewDeviceMesh([]int{k.n}, []string{"batch"})
	if err != nil {
		panic(err) // a mesh of one axis
	}
	return exec.SPMD(mesh)
}

// mean builds the means over the devices inside a graph.
func (k devices) mean(xs ...*Node) []*Node {
	if k.n == 1 {
		return xs
	}
	sums := xs[0].Graph().Distributed().AllReduce(xs, compute.ReduceOpSum)
	for i, x := range sums {
		sums[i] = MulScalar(x, 1/float64(k.n))
	}
	return sums
}

// prepare copies to the other devices what a step reads there and is not there yet: the state, and tensors that stay.
func (k *devices) prepare(s *state, f *feed, constants []*tensors.Tensor, engine compute.Backend) error {
	if k.n == 1 {
		return nil
	}
	stay := slices.Concat(f.Resident, constants)
	for x, old := range k.copies {
		if !slices.Contains(stay, x) { // of an epoch that is over
			free(old)
			delete(k.copies, x)
		}
	}
	for _, x := range stay {
		for d := len(k.copies[x]) + 1; d < k.n; d++ {
			there, err := copyTo(x, engine, d)
			if err != nil {
				return err
			}
			k.copies[x] = append(k.copies[x], there)
		}
	}
	for d := len(k.others) + 1; d < k.n; d++ {
		var all []*tensors.Tensor
		for _, x := range s.tensors() {
			there, err := copyTo(x, engine, d)
			if err != nil {
				return err
			}
			all = append(all, there)
		}
		k.others = append(k.others, all)
	}
	return nil
}

func copyTo(x *tensors.Tensor, engine compute.Backend, device int) (*tensors.Tensor, error) {
	there, err := x.LocalClone()
	if err == nil {
		err = there.MaterializeOnDevice(engine, false, compute.DeviceNum(device))
	}
	if err != nil {
		return nil, fmt.Errorf("copy to device %d: %w", device, err)
	}
	there.FinalizeLocal()
	return there, nil
}

// copyOf returns a tensor that stays, as it lies on a device.
func (k *devices) copyOf(x *tensors.Tensor, device int) *tensors.Tensor {
	if device == 0 {
		return x
	}
	return k.copies[x][device-1]
}

// states returns the state's tensors on each device.
func (k *devices) states(s *state) [][]*tensors.Tensor {
	return append([][]*tensors.Tensor{s.tensors()}, k.others...)
}

// keep takes over what a step made of them. The running sums of the other devices are the first one's, and nobody reads them.
func (k *devices) keep(s *state, all [][]*tensors.Tensor) {
	s.set(all[0])
	k.others = all[1:]
}

func (k *devices) close() {
	for _, all := range k.others {
		free(all)
	}
	for _, all := range k.copies {
		free(all)
	}
}
