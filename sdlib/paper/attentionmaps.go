package paper

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// enlargement returns how many screen pixels (1/96 inch) an image pixel takes where
// four images stand side by side, 0 for the grid's own size, and the image's side in inches.
func enlargement(img image.Image) (scale int, inches float64) {
	const side = 1.4 // inches, of images that need no enlargement
	pixels := img.Bounds().Dx()
	if scale = int(side * 96 / float64(pixels)); scale == 0 {
		return 0, side
	}
	return scale, float64(scale*pixels) / 96
}

// AttentionMaps shows one image of a set and where its first object looks, for three
// heads: the most local one, the one that attends most within the pair, and the most
// global one by the scores of [attention.Analyze] (compare the paper's Figure 21). Each
// map has a scale of its own.
func AttentionMaps(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, index int, s *attention.Scores) (*figure.Figure, error) {
	chosen, err := speakingHeads(s)
	if err != nil {
		return nil, err
	}
	var heads []attention.Head
	for _, c := range chosen {
		heads = append(heads, c.Head)
	}
	maps, err := attention.Maps(ctx, be, m, set, index, heads...)
	if err != nil {
		return nil, err
	}
	img, stimulus := set.Image(index), set.Stimulus(index)
	scale, _ := enlargement(img)
	answer := map[int]string{0: "different", 1: "same"}[stimulus.Label]
	panels := []*figure.Figure{figure.ImageGrid{Images: []image.Image{img}, Scale: scale, Title: fmt.Sprintf("Image %d\n%s", index, answer)}.Figure()}
	for i, a := range maps {
		f, err := overlay(img, stimulus, a, chosen[i].role+"\n"+a.Head.String())
		if err != nil {
			return nil, err
		}
		panels = append(panels, f)
	}
	f := figure.Grid{Figures: panels, NoLetters: true}.Figure()
	return checked(f)
}

// A speakingHead is a head with what it is an example of.
type speakingHead struct {
	attention.Head
	role string
}

// speakingHeads chooses up to three heads, none twice.
func speakingHeads(s *attention.Scores) ([]speakingHead, error) {
	if s == nil || len(s.Local) == 0 || len(s.Pair) == 0 {
		return nil, errors.New("paper: attention maps were given no scores to choose heads by: expected those of attention.Analyze")
	}
	global, pair := attention.Highest(s.Local), attention.Highest(s.Pair)
	local := slices.Clone(global)
	slices.Reverse(local)
	var chosen []speakingHead
	for _, c := range []struct {
		role    string
		ranking []attention.Head
	}{{"Most local", local}, {"Most within the pair", pair}, {"Most global", global}} {
		for _, h := range c.ranking {
			if !slices.ContainsFunc(chosen, func(o speakingHead) bool { return o.Head == h }) {
				chosen = append(chosen, speakingHead{h, c.role})
				break
			}
		}
	}
	return chosen, nil
}

// overlay lays a head's attention from object 1 over the image.
func overlay(img image.Image, s stimuli.Stimulus, a attention.Map, title string) (*figure.Figure, error) {
	first, second := s.Objects[s.Pairs[0].First], s.Objects[s.Pairs[0].Second]
	weights, err := a.From(first.Tokens)
	if err != nil {
		return nil, err
	}
	_, inches := enlargement(img)
	return figure.Overlay{
		Image: img, Weights: weights, Size: inches, Title: title,
		Boxes: []figure.Box{
			{Name: "from " + string(first.Role), Patches: first.Tokens},
			{Name: string(second.Role), Patches: second.Tokens, Color: figure.SeriesColor(2), Dashed: true},
		},
	}.Figure(), nil
}
