package attention

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// inFront is how many tokens the tiny model of each family has in front of its patches, by
// the families' papers: none; CLS; CLS and a distillation token; CLS and 3 registers.
var inFront = map[vit.Family]int{
	vit.SigLIP: 0, vit.ViT: 1, vit.CLIP: 1, vit.DINOv2: 1, vit.DeiT: 2, vit.DINOv2Registers: 4,
}

// tiny is a small model of a family for images of 64 pixels in patches of 16. DINOv2's
// positions are those of another grid.
func tiny(f vit.Family) vit.Config {
	traits, g := f.Traits(), stimuli.CourseQuick
	c := vit.Config{Family: f, Image: g.Image, Patch: g.Patch, Width: 12, Blocks: 2, Heads: 2, MLP: 24, Classes: 2,
		NormEps: traits.NormEps, Mean: traits.Mean, Std: traits.Std}
	if traits.Registers {
		c.Registers = 3
	}
	if traits.LayerScale {
		c.PosGrid = 3
	}
	return c
}

// TestFamilies compares scores and maps with the plain computation for a model of every
// family: wherever the patches begin, objects are found at their own patches.
func TestFamilies(t *testing.T) {
	own, err := stimuli.ImportFolder("../stimuli/testdata/boxes", stimuli.CourseQuick)
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]*stimuli.Set{
		"discrimination": fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 6}),
		"rmts":           fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Task: stimuli.RMTS, Size: 8, Factors: stimuli.Factors{OffGrid: true}}),
		"own images":     own,
	}
	be := fixture.Go(t) // the graph is that of TestAnalyzeAgainstPlainGo, which runs on XLA too
	for _, f := range vit.Families {
		m := sharp(t, tiny(f))
		for name, set := range sets {
			t.Run(f.String()+"/"+name, func(t *testing.T) {
				images := make([]int, set.Len())
				for i := range images {
					images[i] = i
				}
				got, err := Analyze(t.Context(), be, m, set, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, got, plainScores(t, be, m, set, images), 2e-6)
				compareMaps(t, be, m, set, inFront[f])
			})
		}
	}
}

// compareMaps compares the maps of two heads with the whole attention, for a model with so
// many tokens in front of the patches.
func compareMaps(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, front int) {
	t.Helper()
	const image = 1
	heads, patches := []Head{{Block: 1, Head: 0}, {Block: 0, Head: 1}}, set.Geometry().Patches()
	maps, err := Maps(t.Context(), be, m, set, image, heads...)
	if err != nil {
		t.Fatal(err)
	}
	blocks, T := attentionOf(t, be, m, set, []int{image})
	if T != front+patches {
		t.Fatalf("%d tokens, expected %d in front of %d patches", T, front, patches)
	}
	from := set.Stimulus(image).Objects[0].Tokens
	for i, h := range heads {
		at := func(query, key int) float64 { return float64(blocks[h.Block][(h.Head*T+query)*T+key]) }
		if maps[i].Tokens != T || maps[i].Prefix != front {
			t.Errorf("the map of %s says %d tokens, %d of them in front, expected %d and %d", h, maps[i].Tokens, maps[i].Prefix, T, front)
		}
		grid, err := maps[i].From(from)
		if err != nil {
			t.Fatal(err)
		}
		if len(grid) != patches {
			t.Fatalf("%s looks at %d patches, expected %d", h, len(grid), patches)
		}
		for k := range grid {
			want := 0.
			for _, p := range from {
				want += at(front+p, front+k) / float64(len(from))
			}
			if math.Abs(grid[k]-want) > 1e-6 {
				t.Errorf("%s looks from patches %v at patch %d with %v, expected %v", h, from, k, grid[k], want)
			}
		}
	}
	for _, bad := range [][]int{nil, {-1}, {patches}} {
		want := fmt.Sprintf("expected 0 to %d", patches-1)
		if len(bad) == 0 {
			want = fmt.Sprintf("one or more of 0 to %d", patches-1)
		}
		if _, err := maps[0].From(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("from patches %v: the error is %v, expected it to speak of %q", bad, err, want)
		}
	}
}
