package viewer

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/vit"
)

// frameColors mark the objects. They are series colors that stand out from the oranges of
// the weights and from each other, for color-blind readers too.
var frameColors = []color.Color{figure.SeriesColor(0), figure.SeriesColor(2), figure.SeriesColor(3), figure.SeriesColor(6)}

func frameColor(object int) color.Color { return frameColors[object%len(frameColors)] }

// picture shows what stands in for the page where scripts do not run: the first image, and
// where its first object (or, without objects, the first token) looks in every head.
func (p Page) picture() (*figure.Figure, error) {
	d := p.Data
	w, err := d.Weights(0)
	if err != nil {
		return nil, err
	}
	im := d.Images[0]
	img, err := png.Decode(bytes.NewReader(im.PNG))
	if err != nil {
		return nil, fmt.Errorf("viewer: image %d: %w", im.Index, err)
	}
	name, tokens := d.first(0)
	var tiles []image.Image
	var weights []float64 // of the head that the page shows at first
	for l := range d.Blocks {
		for h := range d.Heads {
			head := vit.Head{Block: l, Head: h}
			seen, err := d.look(w, head, tokens)
			if err != nil {
				return nil, err
			}
			if head == p.start() {
				weights = seen
			}
			tile, err := d.tile(seen)
			if err != nil {
				return nil, err
			}
			tiles = append(tiles, tile)
		}
	}
	boxes := make([]figure.Box, len(im.Objects))
	for i, o := range im.Objects {
		boxes[i] = figure.Box{Patches: o.Patches, Name: o.Role, Color: frameColor(i), Dashed: o.Pair > 0}
	}
	const side = 400 // screen pixels, of all maps together
	one := figure.Overlay{Image: img, Weights: weights, Boxes: boxes, Title: fmt.Sprintf("Image %d\n%s", im.Index, p.start()), Size: 1.8}
	all := figure.ImageGrid{Images: tiles, Columns: d.Heads, Scale: max(1, side/(d.Grid*max(d.Heads, d.Blocks))),
		Title: fmt.Sprintf("All heads\n%d blocks (rows)", d.Blocks)}
	return figure.Grid{Figures: []*figure.Figure{one.Figure(), all.Figure()}, NoLetters: true,
		Title: fmt.Sprintf("%s: where %s looks", p.title(), name), Alt: p.Alt()}.Figure(), nil
}

// first returns the tokens that the page looks from at first, and their name.
func (d *Data) first(image int) (name string, tokens []int) {
	switch im := d.Images[image]; {
	case len(im.Objects) > 0:
		for _, patch := range im.Objects[0].Patches {
			tokens = append(tokens, len(d.Front)+patch)
		}
		return im.Objects[0].Role, tokens
	case len(d.Front) > 0:
		return d.Front[0], []int{0}
	}
	return "the patch at the top left", []int{0}
}

// look returns where some tokens of a head look: the mean of their weights for each patch, [P].
func (d *Data) look(w *Weights, h vit.Head, tokens []int) ([]float64, error) {
	mean := make([]float64, d.Grid*d.Grid)
	for _, q := range tokens {
		row, err := w.Row(h, q)
		if err != nil {
			return nil, err
		}
		for p := range mean {
			mean[p] += row[len(d.Front)+p] / float64(len(tokens))
		}
	}
	return mean, nil
}

// tile colors weights, a pixel for each patch; the largest takes the last color.
func (d *Data) tile(weights []float64) (image.Image, error) {
	g, colors := d.Grid, figure.Sequential()
	colors.SetMax(max(slices.Max(weights), 1e-30))
	tile := image.NewNRGBA(image.Rect(0, 0, g, g))
	for p, weight := range weights {
		c, err := colors.At(weight)
		if err != nil {
			return nil, err
		}
		tile.Set(p%g, p/g, c)
	}
	return tile, nil
}
