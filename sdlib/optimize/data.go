package optimize

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// Data are rows: images, or pairs of them, or cached activations. Their order in an epoch
// is drawn from Settings.Seed.
type Data interface {
	// Len is the number N of rows of an epoch.
	Len() int
	// Epoch returns the rows of an epoch, counted from 0. It is called when the epoch begins,
	// when the rows of the one before are no longer read. A resumed run begins with the epoch in
	// which it stopped, whose rows must be the same as before.
	Epoch(epoch int) (Rows, error)
}

// Rows are the rows of one epoch: on the device, on the host, or some columns on each.
type Rows struct {
	// Resident are tensors [N, ...] that stay on the device. The graph gathers a batch's rows, so
	// that a step sends nothing but indices.
	Resident []*tensors.Tensor
	// Read, where it is not nil, returns tensors [len(rows), ...] of the rows named, such as
	// those of a memory-mapped file that is larger than the device's memory. It is called on
	// another goroutine, a step ahead, while the device is busy. The tensors are taken over.
	Read func(rows []int32) ([]*tensors.Tensor, error)
}

// Table returns data that lie on the device throughout: tensors [N, ...].
func Table(columns ...*tensors.Tensor) Data { return table(columns) }

type table []*tensors.Tensor

func (t table) Len() int {
	if len(t) == 0 || t[0].Rank() == 0 {
		return 0
	}
	return t[0].Shape().Dim(0)
}

func (t table) Epoch(int) (Rows, error) { return Rows{Resident: t}, nil }

// Drawn is data that a function draws: once, or for every epoch anew while the device still
// learns the epoch before.
type Drawn struct {
	N     int // rows of an epoch
	Fresh int // how many epochs have rows of their own; 0 draws those of epoch 0 for all
	// Draw returns the rows of an epoch, tensors [N, ...], which Drawn takes over.
	Draw func(epoch int) ([]*tensors.Tensor, error)

	epoch int               // whose rows are in now
	now   []*tensors.Tensor // nil before the first
	next  chan drawn        // the epoch after it, nil when it is not under way
}

type drawn struct {
	rows []*tensors.Tensor
	err  error
}

func (d *Drawn) Len() int { return d.N }

// Epoch returns the rows of an epoch. Those of the epoch before are freed.
func (d *Drawn) Epoch(epoch int) (Rows, error) {
	if d.now != nil && (d.Fresh == 0 || epoch == d.epoch) {
		return Rows{Resident: d.now}, nil
	}
	if d.next == nil || epoch != d.epoch+1 {
		d.Close()
		if d.Fresh == 0 {
			epoch = 0
		}
		d.ahead(epoch)
	}
	got := <-d.next
	d.next = nil
	if got.err != nil {
		return Rows{}, got.err
	}
	free(d.now)
	d.now, d.epoch = got.rows, epoch
	if epoch+1 < d.Fresh {
		d.ahead(epoch + 1)
	}
	return Rows{Resident: d.now}, nil
}

// ahead starts to draw an epoch.
func (d *Drawn) ahead(epoch int) {
	next := make(chan drawn, 1)
	go func() {
		rows, err := d.Draw(epoch)
		next <- drawn{rows, err}
	}()
	d.next = next
}

// Close frees the rows, and waits for those that are being drawn.
func (d *Drawn) Close() {
	if d.next != nil {
		free((<-d.next).rows)
	}
	free(d.now)
	d.now, d.next = nil, nil
}

func free(all []*tensors.Tensor) {
	for _, x := range all {
		x.FinalizeAll()
	}
}

// check reports whether the resident rows are n.
func (r Rows) check(n int) error {
	for i, x := range r.Resident {
		if x.Rank() == 0 || x.Shape().Dim(0) != n {
			return fmt.Errorf("optimize: tensor %d of the data is %s, expected a first axis of %d rows", i, x.Shape(), n)
		}
	}
	return nil
}
