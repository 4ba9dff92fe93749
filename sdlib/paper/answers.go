package paper

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// sameMinusDifferent is the difference of the logits [B, 2], which says the answer: [B, 1].
func sameMinusDifferent(logits *Node) *Node {
	answer := func(label int) *Node { return Slice(logits, AxisRange(), AxisElem(label)) }
	return Sub(answer(1), answer(0))
}

// suits tells whether a model answers same or different, and takes the images of a set.
func suits(c vit.Config, set *stimuli.Set, images ...int) error {
	if c.Classes != 2 {
		return fmt.Errorf("paper: a model with %d answers, expected 2: different and same", c.Classes)
	}
	if g := set.Geometry(); g.Image != c.Image || g.Patch != c.Patch {
		return fmt.Errorf("paper: the model takes images of %d pixels in patches of %d, the set has %d and %d (%s)", c.Image, c.Patch, g.Image, g.Patch, g.Name)
	}
	for _, i := range images {
		if i < 0 || i >= set.Len() {
			return fmt.Errorf("paper: there is no image %d: the set has 0 to %d", i, set.Len()-1)
		}
	}
	return nil
}

// rowsOf runs a program that makes a matrix of some images, and returns its rows.
func rowsOf(p *vit.Program, m *vit.Model, pixels []uint8) ([][]float32, error) {
	images, err := m.Config.Images(pixels)
	if err != nil {
		return nil, err
	}
	defer images.FinalizeAll()
	out, err := p.Run(m, images)
	if err != nil {
		return nil, err
	}
	defer out[0].FinalizeAll()
	flat, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return nil, fmt.Errorf("paper: read what the model computed: %w", err)
	}
	var rows [][]float32
	for width := out[0].Shape().Dim(1); len(flat) > 0; flat = flat[width:] {
		rows = append(rows, flat[:width])
	}
	return rows, nil
}
