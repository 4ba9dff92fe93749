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
	Image   int       `json:"image"`   // index in the set
	Tokens  int       `json:"tokens"`  // T
	Prefix  int       `json:"prefix"`  // tokens in front of the patches: 1 where that is CLS alone, 0 in SigLIP
	Scores  []float32 `json:"scores"`  // q·k/√d, T·T numbers, row by row
	Weights []float32 `json:"weights"` // their softmax: each row sums to 1
}

// At returns how much token query reads from token key; patch p is token Prefix + p, and
// CLS, in families that have it, is token 0.
func (m Map) At(query, key int) float64 { return float64(m.Weights[query*m.Tokens+key]) }

// From averages the rows of some patches, for example an object's Tokens, and returns
// where they look: one weight per patch in raster order [g·g], which figure.Overlay takes.
// They sum to 1 less what goes to CLS and other tokens in front.
func (m Map) From(patches []int) ([]float64, error) { return m.rows(m.Weights, patches) }

// ScoresFrom is From for the scores, of which the softmax makes the weights.
func (m Map) ScoresFrom(patches []int) ([]float64, error) { return m.rows(m.Scores, patches) }

// rows averages the rows of some patches, from which CLS and other tokens in front are left out.
func (m Map) rows(values []float32, patches []int) ([]float64, error) {
	if m.Prefix >= m.Tokens || len(values) != m.Tokens*m.Tokens {
		return nil, fmt.Errorf("attention: a map of %d tokens, %d of them in front of the patches, has %d numbers: expected one that Maps made", m.Tokens, m.Prefix, len(values))
	}
	if len(patches) == 0 {
		return nil, fmt.Errorf("attention: no patches to look from: expected one or more of 0 to %d", m.Tokens-m.Prefix-1)
	}
	grid := make([]float64, m.Tokens-m.Prefix)
	for _, p := range patches {
		if p < 0 || p >= len(grid) {
			return nil, fmt.Errorf("attention: there is no patch %d: expected 0 to %d (patches count without the tokens in front)", p, len(grid)-1)
		}
		for k := range grid {
			grid[k] += float64(values[(m.Prefix+p)*m.Tokens+m.Prefix+k]) / float64(len(patches))
		}
	}
	return grid, nil
}

// Maps returns the full attention of chosen heads on one image of a set, in the order of heads.
func Maps(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, image int, heads ...Head) ([]Map, error) {
	if len(heads) == 0 {
		return nil, fmt.Errorf("attention: no heads named: expected one or more of %d blocks of %d heads", m.Config.Blocks, m.Config.Heads)
	}
	if _, err := m.Config.HeadMask(heads...); err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	var nodes []string // of all blocks, so that one program serves all choices of heads
	for l := range m.Config.Blocks {
		nodes = append(nodes, vit.BlockNode(l, "attn/scores"), vit.BlockNode(l, "attn/weights"))
	}
	T := m.Config.Tokens()
	maps := make([]Map, len(heads))
	err := runner.Nodes(ctx, be, m, set, []int{image}, nodes, nil, func(_ []int, values []*tensors.Tensor) error {
		for i, h := range heads {
			maps[i] = Map{Head: h, Image: image, Tokens: T, Prefix: m.Config.Prefix()}
			for k, to := range []*[]float32{&maps[i].Scores, &maps[i].Weights} {
				rows, err := runner.Rows[float32](values[2*h.Block+k], 1) // [1, H, T, T]
				if err != nil {
					return err
				}
				*to = slices.Clone(rows[0][h.Head*T*T : (h.Head+1)*T*T])
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	return maps, nil
}

// Between returns the weights with which some patches read from each other, [N][N], query by key.
func (m Map) Between(patches []int) ([][]float64, error) {
	var rows [][]float64
	for _, q := range patches {
		row, err := m.From([]int{q})
		if err != nil {
			return nil, err
		}
		var keys []float64
		for _, k := range patches {
			if k < 0 || k >= len(row) {
				return nil, fmt.Errorf("attention: there is no patch %d: expected 0 to %d (patches count without the tokens in front)", k, len(row)-1)
			}
			keys = append(keys, row[k])
		}
		rows = append(rows, keys)
	}
	return rows, nil
}
