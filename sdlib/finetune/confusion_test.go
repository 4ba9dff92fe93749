package finetune

import (
	"slices"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// TestConfuse gives a set answers that are wrong where, and only where, the shapes 2 and
// 5 meet in one color, and on equal objects of color 3.
func TestConfuse(t *testing.T) {
	set := open(t, stimuli.Test, 3200)
	logits := make([][]float32, set.Len())
	byShape, byColor := 0, 0
	for i := range logits {
		s := set.Stimulus(i)
		a, b := s.Objects[0], s.Objects[1]
		answer := s.Label
		switch {
		case s.Kind == stimuli.ShapeOnly && min(a.Shape, b.Shape) == 2 && max(a.Shape, b.Shape) == 5:
			answer = 1
			byShape++
		case s.Kind == stimuli.Same && a.Color == 3:
			answer = 0
			byColor++
		}
		logits[i] = []float32{float32(1 - answer), float32(answer)}
	}
	if byShape == 0 || byColor == 0 {
		t.Fatalf("the set has %d pairs of shapes 2 and 5, and %d equal pairs of color 3: choose others", byShape, byColor)
	}
	c := Confuse(set, logits)
	n := map[stimuli.Kind]int{}
	for i := range logits {
		n[set.Stimulus(i).Kind]++
	}
	check := func(name string, got []Confusion, different, same, wrong int, at func(Confusion) bool) {
		for _, x := range got {
			if x.First > x.Second || x.N == 0 {
				t.Errorf("%s: entry %+v", name, x)
			}
			if x.First == x.Second {
				same -= x.N
			} else {
				different -= x.N
			}
			if at(x) {
				wrong -= x.Errors
			}
		}
		if different != 0 || same != 0 || wrong != 0 {
			t.Errorf("%s: %d different pairs, %d equal ones and %d errors are missing", name, different, same, wrong)
		}
	}
	check("shapes", c.Shapes, n[stimuli.ShapeOnly], n[stimuli.Same], byShape, func(x Confusion) bool { return x.First == 2 && x.Second == 5 })
	check("colors", c.Colors, n[stimuli.ColorOnly], n[stimuli.Same], byColor, func(x Confusion) bool { return x.First == 3 && x.Second == 3 })
	if slices.ContainsFunc(c.Colors, func(x Confusion) bool { return x.First != 3 && x.Errors > 0 }) {
		t.Error("a color that was told right has errors")
	}

	rmts := fixture.Set(t, stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.CourseQuick, Size: 8})
	if c := Confuse(rmts, logits[:8]); c.Shapes != nil || c.Colors != nil {
		t.Errorf("in RMTS, whose answers are about two pairs: %+v", c)
	}
}
