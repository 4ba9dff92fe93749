package das

import (
	"math"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// An example is what the pair of its number gets: the vectors that are written to the edited object, which are
// made of the two objects that it names.
func TestNovelExample(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	from := objectsOf(t, be, m, course, stimuli.ColorProperty, 12)
	v := some(s, 1)
	const seed, draw, token = 4, 3, 2
	e, err := v.NovelExample(from, seed, draw, token)
	if err != nil {
		t.Fatal(err)
	}
	D := m.Config.Width
	for _, novelty := range Novelties {
		swap, err := v.novelSwap(s, from, Novel{Novelty: novelty, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float32, swap.K*D)
		swap.Source(draw, row)
		along, swapped, at := v.Coordinates(row[token*D : (token+1)*D])[0], v.Swapped(), 0
		for j, x := range along {
			if swapped[j] == 0 {
				continue
			}
			if math.Abs(float64(x-e.Vectors[novelty][at])) > 1e-6 {
				t.Errorf("%s: direction %d has %g, the pair gets %g", novelty, j, e.Vectors[novelty][at], x)
			}
			at++
		}
		if at != v.Dims() || len(e.Vectors[novelty]) != at {
			t.Errorf("%s: %d coordinates, expected %d", novelty, len(e.Vectors[novelty]), v.Dims())
		}
	}
	for j, added := range e.Vectors[Added] {
		sum := e.From[0][j] + e.From[1][j]
		if math.Abs(float64(added-sum)) > 1e-5 || math.Abs(float64(e.Vectors[Interpolated][j]-sum/2)) > 1e-5 {
			t.Errorf("direction %d: added %g and interpolated %g of %g and %g", j, added, e.Vectors[Interpolated][j], e.From[0][j], e.From[1][j])
		}
	}
	if e.Objects[0] == e.Objects[1] {
		t.Errorf("the objects are %v, expected two", e.Objects)
	}
}
