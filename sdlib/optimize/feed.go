package optimize

import (
	"math/rand/v2"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
)

// order returns the rows of an epoch in the order in which they are learned: a
// permutation that depends on the seed and the epoch alone.
func order(seed uint64, epoch, n int) []int32 {
	rng := rand.New(rand.NewPCG(seed, 0x0bde5+uint64(epoch)<<20))
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// A feed hands out the rows of an epoch, one part of a batch after the other, to the devices in
// turn. What is read on the host is read, and sent to the device, while the part before is computed.
type feed struct {
	Rows
	engine compute.Backend
	turns  int       // devices
	done   int       // parts that were handed out
	parts  [][]int32 // those that are left
	ahead  chan read // of the first of them, nil when it is not under way
	waited time.Duration
}

type read struct {
	tensors []*tensors.Tensor
	err     error
}

// next returns the indices of the next part's rows, and what was read of them.
func (f *feed) next() (rows []int32, tensors []*tensors.Tensor, err error) {
	rows = f.parts[0]
	if f.Read == nil {
		f.parts, f.done = f.parts[1:], f.done+1
		return rows, nil, nil
	}
	begin := time.Now()
	if f.ahead == nil {
		f.start()
	}
	got := <-f.ahead
	f.waited += time.Since(begin)
	f.parts, f.ahead, f.done = f.parts[1:], nil, f.done+1
	if got.err != nil {
		free(got.tensors)
		return nil, nil, got.err
	}
	if len(f.parts) > 0 {
		f.start()
	}
	return rows, got.tensors, nil
}

func (f *feed) start() {
	rows, ahead, device := f.parts[0], make(chan read, 1), compute.DeviceNum(f.done%f.turns)
	f.ahead = ahead
	go func() {
		tensors, err := f.Read(rows)
		for _, x := range tensors {
			if err == nil {
				err = x.MaterializeOnDevice(f.engine, false, device)
			}
		}
		ahead <- read{tensors, err}
	}()
}

// close waits for what is being read, and frees it.
func (f *feed) close() {
	if f.ahead != nil {
		free((<-f.ahead).tensors)
		f.ahead = nil
	}
}
