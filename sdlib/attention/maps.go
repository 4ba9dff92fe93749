package attention

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Map is the attention of one head on one image: [T, T], query by key.
type Map struct {
	Head
	Tokens  int       // T
	Prefix  int       // tokens in front of the patches: 1 where that is CLS alone
	Weights []float32 // T·T numbers, row by row; each row sums to 1
}

// At returns how much token query reads from token key; patch p is token Prefix + p, CLS is 0.
func (m Map) At(query, key int) float64 { return float64(m.Weights[query*m.Tokens+key]) }

// From averages the rows of some patches, for example an object's Tokens, and returns
// where they look: one number per patch in raster order [g·g], which figure.Overlay
// takes. What is missing to 1 goes to CLS and other tokens in front.
func (m Map) From(patches []int) ([]float64, error) {
	if len(patches) == 0 {
		return nil, fmt.Errorf("attention: no patches to look from: expected one or more of 0 to %d", m.Tokens-m.Prefix-1)
	}
	grid := make([]float64, m.Tokens-m.Prefix)
	for _, p := range patches {
		if p < 0 || p >= len(grid) {
			return nil, fmt.Errorf("attention: there is no patch %d: expected 0 to %d (patches count without CLS)", p, len(grid)-1)
		}
		for k := range grid {
			grid[k] += m.At(m.Prefix+p, m.Prefix+k) / float64(len(patches))
		}
	}
	return grid, nil
}

// Maps returns the full attention weights of chosen heads on one image of a set, in
// the order of heads.
func Maps(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, image int, heads ...Head) ([]Map, error) {
	if err := fits(m.Config, set); err != nil {
		return nil, err
	}
	if _, err := check([]int{image}, set); err != nil {
		return nil, err
	}
	if len(heads) == 0 {
		return nil, fmt.Errorf("attention: no heads named: expected one or more of %d blocks of %d heads", m.Config.Blocks, m.Config.Heads)
	}
	for _, h := range heads {
		if h.Block < 0 || h.Block >= m.Config.Blocks || h.Head < 0 || h.Head >= m.Config.Heads {
			return nil, fmt.Errorf("attention: there is no %s: the model has blocks 0 to %d with heads 0 to %d", h, m.Config.Blocks-1, m.Config.Heads-1)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := vit.Compile(be, m, func(w *vit.Weights[*Node], in []*Node) []*Node {
		_, trace := vit.Forward(m.Config, w, in[0], vit.Want("block*/attn/weights"))
		var chosen []*Node
		for _, h := range heads {
			A := trace.Get(vit.BlockNode(h.Block, "attn/weights")) // [1, H, T, T]
			chosen = append(chosen, Squeeze(Slice(A, AxisElem(0), AxisElem(h.Head)), 0, 1))
		}
		return []*Node{Stack(chosen, 0)} // [heads, T, T]
	})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	pixels, err := m.Config.Images(set.Images([]int{image}))
	if err != nil {
		return nil, err
	}
	flat, err := floats[float32](p, []*tensors.Tensor{pixels})
	if err != nil {
		return nil, err
	}
	T := m.Config.Tokens()
	maps := make([]Map, len(heads))
	for i, h := range heads {
		maps[i] = Map{Head: h, Tokens: T, Prefix: m.Config.Prefix(), Weights: flat[i*T*T : (i+1)*T*T]}
	}
	return maps, nil
}
