package paper

import (
	"fmt"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// Figure8 shows more stimuli of both tasks (paper, Figure 8), drawn in any geometry; the
// paper's is stimuli.B16. A column holds two stimuli of one kind: in discrimination how
// the two objects differ, in relational match-to-sample (RMTS) which of the pairs are
// equal. The captions name the answer and the difference of each pair.
func Figure8(g stimuli.Geometry) (*figure.Figure, error) {
	kind := func(k stimuli.Kind) func(stimuli.Stimulus) bool {
		return func(s stimuli.Stimulus) bool { return s.Kind == k }
	}
	discrimination, err := moreExamples("Discrimination", stimuli.Config{Geometry: g},
		kind(stimuli.Same), kind(stimuli.ShapeOnly), kind(stimuli.ColorOnly), kind(stimuli.Both))
	if err != nil {
		return nil, err
	}
	pairs := func(sample, display int) func(stimuli.Stimulus) bool {
		return func(s stimuli.Stimulus) bool { return s.Pairs[0].Label == sample && s.Pairs[1].Label == display }
	}
	rmts, err := moreExamples("Relational match-to-sample", stimuli.Config{Task: stimuli.RMTS, Geometry: g},
		pairs(1, 1), pairs(0, 0), pairs(1, 0), pairs(0, 1))
	if err != nil {
		return nil, err
	}
	return checked(figure.Grid{Figures: []*figure.Figure{discrimination, rmts}, Columns: 1}.Figure())
}

// moreRows is the number of stimuli per column of Figure 8.
const moreRows = 2

// moreExamples draws a column of stimuli for each condition, every row from another seed.
func moreExamples(title string, c stimuli.Config, columns ...func(stimuli.Stimulus) bool) (*figure.Figure, error) {
	grid := figure.ImageGrid{Title: title, Columns: len(columns)}
	for row := range moreRows {
		c.Split, c.Size, c.Seed = stimuli.Test, 400, uint64(exampleSeed+1+row)
		set, err := stimuli.Open(c)
		if err != nil {
			return nil, err
		}
		for _, shows := range columns {
			i, err := firstApart(set, shows)
			if err != nil {
				return nil, fmt.Errorf("paper: more examples of %s: %w", title, err)
			}
			grid.Images, grid.Captions = append(grid.Images, set.Image(i)), append(grid.Captions, caption(set.Stimulus(i)))
		}
	}
	return grid.Figure(), nil
}

// caption names a stimulus's answer and how the objects of its pairs differ.
func caption(s stimuli.Stimulus) string {
	pair := func(i int) string {
		p := s.Pairs[i]
		return difference(s.Objects[p.First], s.Objects[p.Second])
	}
	if isRMTS(s) {
		return answer(s.Label) + "\nsample: " + pair(0) + "\ndisplay: " + pair(1)
	}
	return answer(s.Label) + "\n" + pair(0)
}

// isRMTS recognizes a stimulus of relational match-to-sample, which has a sample pair and a
// display pair.
func isRMTS(s stimuli.Stimulus) bool { return s.Objects[0].Role == stimuli.Sample1 }

// answer is a label in words.
func answer(label int) string {
	if label == 1 {
		return "same"
	}
	return "different"
}

// difference says how two objects differ.
func difference(a, b stimuli.Object) string {
	switch shape, color := a.Shape != b.Shape, a.Color != b.Color; {
	case shape && color:
		return "shape and color"
	case shape:
		return "shape only"
	case color:
		return "color only"
	}
	return "equal"
}
