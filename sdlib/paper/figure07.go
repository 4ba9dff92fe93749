package paper

import (
	"image"
	"image/color"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

const (
	sheetTile    = 64 // pixels
	sheetColumns = 8
)

// Figure7 shows the 16 shapes and the 16 colors of the stimuli (paper, Figure 7), and
// apart from them the 4 shapes and 4 colors that are held out for the
// out-of-distribution sets.
func Figure7() (*figure.Figure, error) {
	shapes, err := shapeSheet("Shapes", 0, stimuli.BaseShapes)
	if err != nil {
		return nil, err
	}
	heldOut, err := shapeSheet("Held out for the out-of-distribution sets", stimuli.BaseShapes, stimuli.NumShapes)
	if err != nil {
		return nil, err
	}
	colors := colorSheet("Colors", 0, stimuli.BaseColors)
	more := colorSheet("", stimuli.BaseColors, stimuli.NumColors)
	heldOut.Images, heldOut.Captions = append(heldOut.Images, more.Images...), append(heldOut.Captions, more.Captions...)
	f := figure.Grid{Figures: []*figure.Figure{shapes.Figure(), colors.Figure(), heldOut.Figure()}, Columns: 1}.Figure()
	return checked(f)
}

func sheet(title string) figure.ImageGrid {
	return figure.ImageGrid{Title: title, Columns: sheetColumns, Scale: 1, NoFrame: true}
}

// shapeSheet draws the shapes from..to-1.
func shapeSheet(title string, from, to int) (figure.ImageGrid, error) {
	g := sheet(title)
	for shape := from; shape < to; shape++ {
		mask, err := stimuli.ShapeMask(shape, sheetTile)
		if err != nil {
			return g, err
		}
		rows := make([][]bool, mask.Size)
		for y := range rows {
			rows[y] = mask.Bits[y*mask.Size : (y+1)*mask.Size]
		}
		img, err := figure.Silhouette(rows, color.Gray{0x30})
		if err != nil {
			return g, err
		}
		g.Images, g.Captions = append(g.Images, img), append(g.Captions, stimuli.ShapeName(shape))
	}
	return g, nil
}

// colorSheet draws the colors from..to-1.
func colorSheet(title string, from, to int) figure.ImageGrid {
	g := sheet(title)
	for _, c := range stimuli.Colors[from:to] {
		var swatch image.Image = figure.Swatch(c.NRGBA(), sheetTile)
		g.Images, g.Captions = append(g.Images, swatch), append(g.Captions, c.Name)
	}
	return g
}
