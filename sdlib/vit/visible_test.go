package vit

import (
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
)

// TestVisible: a pass of some patches alone answers as one of all patches in which no token can attend to the others.
func TestVisible(t *testing.T) {
	for _, name := range []string{"other", "deit", "clip"} { // whose heads read CLS alone
		t.Run(name, func(t *testing.T) {
			m := golden(t, name)
			c := m.Config
			images, be := randomImages(c, 2, 1), open(t, backend.Go)
			n := c.Tokens() - c.Prefix()
			left := [][]int32{{2, 0, int32(n - 1)}, {1, 3, 0}} // of the two images
			hidden := make([][][][]float32, 2)
			for b := range hidden {
				keys := make([]float32, c.Tokens())
				for key := range keys {
					if key >= c.Prefix() && !slices.Contains(left[b], int32(key-c.Prefix())) {
						keys[key] = -1e9
					}
				}
				hidden[b] = [][][]float32{{keys}}
			}
			got := run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
				g := in[0].Graph()
				some, _ := Forward(c, w, in[0], Visible(Const(g, left)), LogitsOnly())
				cut, _ := Forward(c, w, in[0], Edit("block*/attn/scores", func(_ string, s *Node) *Node { return Add(s, Const(g, hidden)) }))
				all, _ := Forward(c, w, in[0])
				return []*Node{some, cut, all}
			}, images)
			if d, err := distance(got[0], got[1]); err != nil || d > 1e-5 {
				t.Errorf("three visible patches: logits are %.1e of their scale from those of a pass that cannot look at the others (%v)", d, err)
			}
			if d, err := distance(got[0], got[2]); err != nil || d < 1e-3 {
				t.Errorf("the patches left out change the logits by %.1e of their scale, expected much (%v)", d, err)
			}
		})
	}
}
