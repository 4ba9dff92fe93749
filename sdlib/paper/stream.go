package paper

import (
	"fmt"

	"samediff/sdlib/attribution"
	"samediff/sdlib/figure"
)

// StreamFigure follows one image through the residual stream ([attribution.Lens]). On the
// left, how long the vectors are at CLS, at each object and elsewhere, from the embedding
// on; on the right, what the answer would be if it were read after each block: the final
// norm and the head are put on the stream as it is there (the logit lens, nostalgebraist
// 2020). Above 0 the answer is same.
func StreamFigure(r attribution.Reading) (*figure.Figure, error) {
	norms := figure.Lines{Title: "Length of the vectors", XLabel: "blocks passed", YLabel: "norm"}
	for _, n := range r.Norms {
		norms.Series = append(norms.Series, figure.Series{Name: n.At, Values: n.Values})
	}
	lens := figure.Lines{
		Title: "Answer, if it were read here", XLabel: "blocks passed", YLabel: "logits: same − different",
		Series: []figure.Series{{}}, NoLegend: true, Guides: []figure.Guide{{}},
	}
	for _, logits := range r.Logits {
		if len(logits) != 2 {
			return nil, fmt.Errorf("paper: a reading of a model with %d classes, expected 2: different and same", len(logits))
		}
		lens.Series[0].Values = append(lens.Series[0].Values, logits[1]-logits[0])
	}
	return checked(figure.Grid{Figures: []*figure.Figure{norms.Figure(), lens.Figure()}, NoLetters: true}.Figure())
}
