package paper

import (
	"fmt"
	"math"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// Figure1 shows the two tasks with an example of each answer (paper, Figure 1), drawn
// in any geometry; the paper's is stimuli.B16. In relational match-to-sample (RMTS) the
// question is whether the two pairs agree, so "same" may be two pairs that both differ.
func Figure1(g stimuli.Geometry) (*figure.Figure, error) {
	discrimination, err := examples("Discrimination", stimuli.Config{Geometry: g}, []example{
		{"same", "equal in shape and color", func(s stimuli.Stimulus) bool { return s.Kind == stimuli.Same }},
		{"different", "in shape, color or both", func(s stimuli.Stimulus) bool { return s.Kind == stimuli.Both }},
	})
	if err != nil {
		return nil, err
	}
	rmts, err := examples("Relational match-to-sample", stimuli.Config{Task: stimuli.RMTS, Geometry: g}, []example{
		{"same", "both pairs differ", func(s stimuli.Stimulus) bool { return s.Kind == stimuli.Both && s.Pairs[1].Label == 0 }},
		{"different", "only one pair is equal", func(s stimuli.Stimulus) bool { return s.Kind == stimuli.Both && s.Pairs[1].Label == 1 }},
	})
	if err != nil {
		return nil, err
	}
	f := figure.Row(discrimination, rmts).WithAlt("Examples of the two tasks, same and different. Discrimination: two colored shapes on white. " +
		"Relational match-to-sample: two pairs of them, one at the top left, the other anywhere.")
	return checked(f)
}

// An example is one picture of Figure 1: the first stimulus that shows it.
type example struct {
	answer, why string
	shows       func(stimuli.Stimulus) bool
}

const exampleSeed = 1

// examples draws a row of examples from one set.
func examples(title string, c stimuli.Config, wanted []example) (*figure.Figure, error) {
	c.Split, c.Size, c.Seed = stimuli.Test, 400, exampleSeed
	set, err := stimuli.Open(c)
	if err != nil {
		return nil, err
	}
	grid := figure.ImageGrid{Title: title, Columns: len(wanted)}
	for _, w := range wanted {
		i, err := firstApart(set, w.shows)
		if err != nil {
			return nil, fmt.Errorf("paper: an example of %s (%s): %w", w.answer, w.why, err)
		}
		grid.Images, grid.Captions = append(grid.Images, set.Image(i)), append(grid.Captions, w.answer+"\n"+w.why)
	}
	return grid.Figure(), nil
}

// firstApart finds the first stimulus that a reader takes in at a glance: one with room
// for an object between any two, but for the display pair.
func firstApart(set *stimuli.Set, shows func(stimuli.Stimulus) bool) (int, error) {
	for i := range set.Len() {
		if s := set.Stimulus(i); shows(s) && apart(s) >= room(set.Geometry()) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("none of %d stimuli shows it with its objects apart", set.Len())
}

// room is the distance in patches that objects have in examples: one of them fits between
// two, or on a small grid a patch.
func room(g stimuli.Geometry) int {
	if g.Grid() < 4*g.CellPatches() {
		return g.CellPatches() + 1
	}
	return 2 * g.CellPatches()
}

// apart is the distance in patches, along an axis, from the objects that may lie
// anywhere, the first two, to the nearest other one.
func apart(s stimuli.Stimulus) int {
	nearest := math.MaxInt
	for i, a := range s.Objects[:2] {
		for _, b := range s.Objects[i+1:] {
			nearest = min(nearest, max(a.Row-b.Row, b.Row-a.Row, a.Col-b.Col, b.Col-a.Col))
		}
	}
	return nearest
}
