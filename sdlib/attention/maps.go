package attention

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Map is the attention of one head on one image: [T, T], query by key.
type Map struct {
	Head
	Tokens  int       // T
	Prefix  int       // tokens in front of the patches: 1 where that is CLS alone, 0 in SigLIP
	Weights []float32 // T·T numbers, row by row; each row sums to 1
}

// At returns how much token query reads from token key; patch p is token Prefix + p, and
// CLS, in families that have it, is token 0.
func (m Map) At(query, key int) float64 { return float64(m.Weights[query*m.Tokens+key]) }

// From averages the rows of some patches, for example an object's Tokens, and returns
// where they look: one number per patch in raster order [g·g], which figure.Overlay
// takes. They sum to 1 less what goes to CLS and other tokens in front.
func (m Map) From(patches []int) ([]float64, error) {
	if len(patches) == 0 {
		return nil, fmt.Errorf("attention: no patches to look from: expected one or more of 0 to %d", m.Tokens-m.Prefix-1)
	}
	grid := make([]float64, m.Tokens-m.Prefix)
	for _, p := range patches {
		if p < 0 || p >= len(grid) {
			return nil, fmt.Errorf("attention: there is no patch %d: expected 0 to %d (patches count without the tokens in front)", p, len(grid)-1)
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
	if len(heads) == 0 {
		return nil, fmt.Errorf("attention: no heads named: expected one or more of %d blocks of %d heads", m.Config.Blocks, m.Config.Heads)
	}
	if _, err := m.Config.HeadMask(heads...); err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	var nodes []string
	for l := range m.Config.Blocks {
		nodes = append(nodes, vit.BlockNode(l, "attn/weights"))
	}
	T := m.Config.Tokens()
	maps := make([]Map, len(heads))
	err := runner.Nodes(ctx, be, m, set, []int{image}, nodes, nil, func(_ []int, values []*tensors.Tensor) error {
		for i, h := range heads {
			rows, err := runner.Rows[float32](values[h.Block], 1) // [1, H, T, T]
			if err != nil {
				return err
			}
			maps[i] = Map{Head: h, Tokens: T, Prefix: m.Config.Prefix(), Weights: slices.Clone(rows[0][h.Head*T*T : (h.Head+1)*T*T])}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	return maps, nil
}
