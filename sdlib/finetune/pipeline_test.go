package finetune

import (
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

func TestChosenHeads(t *testing.T) {
	p := Pipeline{Heads: 4, Seed: 5}
	differ := false
	for l := range 12 {
		heads := p.Chosen(l, 12)
		if len(heads) != 4 || !slices.IsSorted(heads) || len(slices.Compact(slices.Clone(heads))) != 4 || heads[0] < 0 || heads[3] > 11 {
			t.Errorf("block %d: heads %v, expected 4 different ones of 0..11 in order", l, heads)
		}
		differ = differ || !slices.Equal(heads, p.Chosen(0, 12))
		shared := Pipeline{Heads: 4, Seed: 5, SharedHeads: true}
		if !slices.Equal(shared.Chosen(l, 12), shared.Chosen(0, 12)) {
			t.Errorf("block %d has other shared heads than block 0", l)
		}
	}
	if !differ {
		t.Error("all blocks drew the same heads")
	}
	if all := (Pipeline{}).Chosen(3, 3); !slices.Equal(all, []int{0, 1, 2}) {
		t.Errorf("heads %v, expected all of 3", all)
	}
}

// TestObjectTerms checks the terms of the scores: 2 or 4 objects to themselves, each to
// its partner, and in RMTS each to the two of the other pair.
func TestObjectTerms(t *testing.T) {
	be := fixture.Go(t)
	const o, p, x = .25, .25, .125 // own, partner, others
	for task, want := range map[stimuli.Task]map[string][]float32{
		stimuli.Discrimination: {"wo": {.5, 0, 0, .5}, "wp": {0, .5, .5, 0}, "bp": {0, 0, 0, 0}},
		stimuli.RMTS: {
			"wo": {o, 0, 0, 0, 0, o, 0, 0, 0, 0, o, 0, 0, 0, 0, o},
			"wp": {0, p, 0, 0, p, 0, 0, 0, 0, 0, 0, p, 0, 0, p, 0},
			"bp": {0, 0, x, x, 0, 0, x, x, x, x, 0, 0, x, x, 0, 0},
		},
	} {
		set := fixture.Set(t, stimuli.Config{Task: task, Geometry: stimuli.Course, Size: 4})
		c := small
		c.Patch = 8
		data, err := load(c, set)
		if err != nil {
			t.Fatal(err)
		}
		for kind, terms := range want {
			exec := MustNewExec(be.Engine, func(tokens, pairs *Node) *Node {
				rows := meanRows(tokens, c)
				return objectTerms(Sign(rows), pairs)[kind]
			})
			got := tensors.MustCopyFlatData[float32](exec.MustCall1(data.tokens, data.pairs))
			if first := got[:len(terms)]; !slices.Equal(first, terms) {
				t.Errorf("%s, %s: terms %v, expected %v", task, kind, first, terms)
			}
		}
	}
}
