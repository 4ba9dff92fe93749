package optimize

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// streamed is data whose inputs are read on the host, while the outputs lie on the device.
type streamed struct {
	inputs, outputs *tensors.Tensor
	fail            int // at so many calls of Read; 0 never
	reads           int
}

func (d *streamed) Len() int { return rowsN }

func (d *streamed) Epoch(int) (Rows, error) {
	return Rows{Resident: []*tensors.Tensor{d.outputs}, Read: func(rows []int32) ([]*tensors.Tensor, error) {
		if d.reads++; d.reads == d.fail {
			return nil, errBroken
		}
		return []*tensors.Tensor{pick(d.inputs, rows)}, nil
	}}, nil
}

var errBroken = errors.New("broken")

func pick(x *tensors.Tensor, rows []int32) *tensors.Tensor {
	var picked []float32
	width := x.Shape().Dim(1)
	for _, row := range rows {
		picked = append(picked, tensors.MustCopyFlatData[float32](x)[int(row)*width:int(row+1)*width]...)
	}
	return tensors.FromFlatDataAndDimensions(picked, len(rows), width)
}

// TestStreamedEqualsResident: rows that are handed over train as those that the graph gathers, to the bit.
func TestStreamedEqualsResident(t *testing.T) {
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		s := everything
		for _, s.Accumulate = range []int{1, 2} {
			p := network(1, 0)
			want, err := Minimize(t.Context(), be, p, s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			loss := p.Loss
			data := &streamed{inputs: random(100, rowsN, inputs), outputs: random(101, rowsN, outputs)}
			p.Data = data
			p.Loss = func(in Inputs) (*Node, map[string]*Node) { // what was read comes behind what was gathered
				slices.Reverse(in.Batch)
				return loss(in)
			}
			got, err := Minimize(t.Context(), be, p, s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !equal(got, want) || data.reads != 6*3*s.Accumulate {
				t.Errorf("in %d parts, streamed rows ended with %v after %d reads, resident ones with %v", s.Accumulate, got.History, data.reads, want.History)
			}
			data.fail, data.reads = 3*s.Accumulate, 0
			if _, err := Minimize(t.Context(), be, p, s, Options{}); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "step 3") {
				t.Errorf("a read that fails: %v, expected %v at step 3", err, errBroken)
			}
		}
	})
}

// TestDrawn: an epoch's rows are drawn once, ahead of time, and those of other epochs are freed.
func TestDrawn(t *testing.T) {
	calls := make(chan int, 10)
	d := &Drawn{N: 2, Fresh: 3, Draw: func(epoch int) ([]*tensors.Tensor, error) {
		calls <- epoch
		if epoch == 2 {
			return nil, errBroken
		}
		return []*tensors.Tensor{tensors.FromValue([]int32{int32(epoch), 0})}, nil
	}}
	var before *tensors.Tensor
	for epoch := range 2 {
		for range 2 { // asked twice
			rows, err := d.Epoch(epoch)
			if err != nil {
				t.Fatal(err)
			}
			if got := tensors.MustCopyFlatData[int32](rows.Resident[0])[0]; int(got) != epoch {
				t.Errorf("epoch %d has the rows of %d", epoch, got)
			}
			if before != nil && rows.Resident[0] != before && before.Ok() {
				t.Errorf("the rows before epoch %d are not freed", epoch)
			}
			before = rows.Resident[0]
		}
	}
	if _, err := d.Epoch(2); !errors.Is(err, errBroken) {
		t.Errorf("an epoch that can't be drawn: %v, expected %v", err, errBroken)
	}
	d.Close()
	close(calls)
	if drawn := slices.Collect(values(calls)); !slices.Equal(drawn, []int{0, 1, 2}) {
		t.Errorf("epochs %v were drawn, expected 0, 1 and 2", drawn)
	}
}

func values(c chan int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for x := range c {
			if !yield(x) {
				return
			}
		}
	}
}

// TestOrder: an epoch's order is a permutation, and another epoch's or seed's is another.
func TestOrder(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(3) {
		for epoch := range 3 {
			rows := order(seed, epoch, 50)
			seen[fmt.Sprint(rows)] = true
			slices.Sort(rows)
			for i, row := range rows {
				if row != int32(i) {
					t.Fatalf("seed %d, epoch %d: row %d is missing or there twice", seed, epoch, i)
				}
			}
		}
	}
	if len(seen) != 9 {
		t.Errorf("9 epochs of 3 seeds have %d different orders", len(seen))
	}
}
