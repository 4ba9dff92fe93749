package vit

import (
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// TestHeads: a head that is off is one whose columns of the output layer's matrix are 0.
func TestHeads(t *testing.T) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Image: 8, Patch: 4, Width: 12, Blocks: 2, Heads: 3, MLP: 24, Classes: 2, NormEps: 1e-12, Mean: half, Std: half}
	p, err := Compile(be, c, func(w *Weights[*Node], in []*Node) []*Node {
		logits, _ := Forward(c, w, in[0], Heads(in[1]))
		return []*Node{logits}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	logits := func(m *Model, off ...Head) ([]float32, error) {
		mask, err := c.HeadMask(off...)
		if err != nil {
			return nil, err
		}
		x, err := c.Images([]uint8(strings.Repeat("pixel ", 2*c.Image*c.Image*3/6)))
		if err != nil {
			return nil, err
		}
		out, err := p.Run(m, x, mask)
		if err != nil {
			return nil, err
		}
		return tensors.CopyFlatData[float32](out[0])
	}
	m, err := New(c, 3)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := logits(m)
	if err != nil {
		t.Fatal(err)
	}
	off, err := logits(m, Head{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	tensors.MustMutableFlatData(m.Weights.Blocks[1].O.W, func(w []float32) {
		for out := range c.Width {
			clear(w[out*c.Width+2*c.HeadDim() : (out+1)*c.Width])
		}
	})
	want, err := logits(m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if diff := math.Abs(float64(off[i] - want[i])); diff > 1e-6 {
			t.Errorf("logit %d with the head off: %g, with its columns of O at 0: %g", i, off[i], want[i])
		}
		if off[i] == whole[i] {
			t.Errorf("logit %d is %g with and without the head", i, off[i])
		}
	}
	if _, err := logits(m, Head{1, 3}); err == nil || !strings.Contains(err.Error(), "no block 1, head 3") {
		t.Errorf("head 3 of 3: %v", err)
	}
}
