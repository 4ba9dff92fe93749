package paper

import (
	"fmt"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// ScoreFigure shows how a head comes to look where it looks, on the image of a set that
// the map is of ([attention.Maps]): on the left the scores q·k/√d of the first object's
// tokens (their mean) with every patch, on the right the attention weights that the
// softmax makes of them. CLS and other tokens in front have scores too, but no place in
// the image.
func ScoreFigure(set *stimuli.Set, a attention.Map) (*figure.Figure, error) {
	before, err := lookFrom(set, a, "Scores\n"+a.Head.String(), attention.Map.ScoresFrom)
	if err != nil {
		return nil, err
	}
	after, err := lookFrom(set, a, "Weights\n"+a.Head.String(), attention.Map.From)
	if err != nil {
		return nil, err
	}
	before.Size, after.Size = 2, 2
	for _, v := range before.Weights {
		before.Max = max(before.Max, v, -v)
	}
	before.Min, before.Map = -before.Max, figure.RdBu()
	return checked(figure.Grid{Figures: []*figure.Figure{before.Figure(), after.Figure()}, NoLetters: true}.Figure())
}

// lookFrom lays what a head's map has for the first object of its image over the image.
func lookFrom(set *stimuli.Set, a attention.Map, title string, from func(a attention.Map, patches []int) ([]float64, error)) (figure.Overlay, error) {
	if a.Image < 0 || a.Image >= set.Len() {
		return figure.Overlay{}, noStimulus(set, a.Image)
	}
	s := set.Stimulus(a.Image)
	if len(s.Pairs) == 0 {
		return figure.Overlay{}, fmt.Errorf("paper: image %d has no pair of objects: a map is shown from one object of a pair", a.Image)
	}
	first, second := s.Objects[s.Pairs[0].First], s.Objects[s.Pairs[0].Second]
	weights, err := from(a, first.Tokens)
	return figure.Overlay{
		Image: set.Image(a.Image), Weights: weights, Title: title,
		Boxes: []figure.Box{
			{Name: "from " + string(first.Role), Patches: first.Tokens},
			{Name: string(second.Role), Patches: second.Tokens, Color: figure.SeriesColor(2), Dashed: true},
		},
	}, err
}
