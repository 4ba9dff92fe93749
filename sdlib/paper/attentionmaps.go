package paper

import (
	"errors"
	"fmt"
	"image"
	"slices"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
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

// exampleRoles are what the heads of attention.Scores.Examples are examples of.
var exampleRoles = []string{"Most local\n", "Most within the pair\n", "Most global\n"}

// AttentionMaps shows one image of a set and where its first object looks, a panel for
// each head's map ([attention.Maps]), with a scale of its own (compare the paper's Figure
// 21). Heads that the scores name as examples ([attention.Scores.Examples]), the most
// local, the most global and the one that attends most within the pair, are called so.
func AttentionMaps(set *stimuli.Set, s *attention.Scores, maps ...attention.Map) (*figure.Figure, error) {
	examples, err := s.Examples()
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	if len(maps) == 0 {
		return nil, errors.New("paper: no attention maps to show: expected those of attention.Maps")
	}
	index := maps[0].Image
	var overlays []*figure.Figure
	for _, a := range maps {
		if a.Image != index {
			return nil, fmt.Errorf("paper: attention maps of image %d and of image %d: expected those of one image", index, a.Image)
		}
		role := "Chosen\n" // a line as well, so that all images stand at one height
		if i := slices.Index(examples, a.Head); i >= 0 {
			role = exampleRoles[i]
		}
		o, err := lookFrom(set, a, role+a.Head.String(), attention.Map.From)
		if err != nil {
			return nil, err
		}
		_, o.Size = enlargement(o.Image)
		overlays = append(overlays, o.Figure())
	}
	img := set.Image(index)
	scale, _ := enlargement(img)
	picture := figure.ImageGrid{Images: []image.Image{img}, Scale: scale, Title: fmt.Sprintf("Image %d\n%s", index, answer(set.Stimulus(index).Label))}.Figure()
	return checked(figure.Grid{Figures: append([]*figure.Figure{picture}, overlays...), NoLetters: true}.Figure())
}
