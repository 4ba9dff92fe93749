package vit

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// HeadOff switches head h of block l off: what the head hands on, its weighted
// values before the output layer, becomes 0 at every token (zero ablation). What the
// output layer adds by itself, its bias, stays.
func HeadOff(l, h int) Option {
	return func(c Config, t *Trace) {
		if l < 0 || l >= c.Blocks || h < 0 || h >= c.Heads {
			panic(fmt.Errorf("vit: there is no head %d in block %d: the model has blocks 0 to %d with heads 0 to %d", h, l, c.Blocks-1, c.Heads-1))
		}
		Edit(BlockNode(l, "attn/heads"), func(_ string, z *Node) *Node { // [B, T, H, D/H]
			keep := make([]float32, c.Heads)
			for i := range keep {
				if i != h {
					keep[i] = 1
				}
			}
			return Mul(z, Reshape(ConstAsDType(z.Graph(), z.DType(), keep), 1, 1, c.Heads, 1))
		})(c, t)
	}
}
