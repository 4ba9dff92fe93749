package vit

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Heads multiplies what every head hands on, its weighted values before the output layer,
// by the head's entry of mask, float32 [L, H], at every token. 1 leaves a head as it is, 0
// switches it off (zero ablation); what the output layer adds by itself, its bias, stays.
//
// The mask is an input of the graph, so one compiled program serves every choice of heads.
// [Config.HeadMask] makes its values.
func Heads(mask *Node) Option {
	return func(p *pass) {
		if s := mask.Shape(); s.DType != dtypes.Float32 || s.Rank() != 2 || s.Dim(0) != p.c.Blocks || s.Dim(1) != p.c.Heads {
			exceptions.Panicf("vit: a mask of heads of shape %s, expected (Float32)[%d, %d], blocks by heads", s, p.c.Blocks, p.c.Heads)
		}
		p.headMask = mask
	}
}

// keepHeads applies the mask of [Heads], where there is one, to block l's z [B, N, H, d].
func (p *pass) keepHeads(z *Node, l int) *Node {
	if p.headMask == nil {
		return z
	}
	return Mul(z, Reshape(Slice(p.headMask, AxisElem(l)), 1, 1, p.c.Heads, 1))
}

// A Head is one attention head, counted from 0 in a block counted from 0.
type Head struct {
	Block int `json:"block"`
	Head  int `json:"head"`
}

// String returns "block 3, head 1".
func (h Head) String() string { return fmt.Sprintf("block %d, head %d", h.Block, h.Head) }

// Of returns the head's entry of a matrix [L][H].
func (h Head) Of(values [][]float64) float64 { return values[h.Block][h.Head] }

// HeadMask returns the mask for [Heads], [L][H], that switches the given heads off and
// leaves all others as they are. It fails for a head that the model does not have.
func (c Config) HeadMask(off ...Head) ([][]float32, error) {
	mask := make([][]float32, c.Blocks)
	for l := range mask {
		mask[l] = make([]float32, c.Heads)
		for h := range mask[l] {
			mask[l][h] = 1
		}
	}
	for _, h := range off {
		if h.Block < 0 || h.Block >= c.Blocks || h.Head < 0 || h.Head >= c.Heads {
			return nil, fmt.Errorf("vit: there is no %s: the model has blocks 0 to %d with heads 0 to %d", h, c.Blocks-1, c.Heads-1)
		}
		mask[h.Block][h.Head] = 0
	}
	return mask, nil
}
