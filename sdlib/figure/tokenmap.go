package figure

import (
	"errors"
	"fmt"
	"image"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// TokenMap shows how much some patches read from each other: a matrix whose rows and columns
// are named by the patches themselves, drawn along both axes. The paper's Figure 21 shows
// attention between the tokens of two objects so.
type TokenMap struct {
	// Values is the matrix [N][N], query by key.
	Values [][]float64
	// Patches are the N patches' pixels, square.
	Patches []image.Image
	// Groups are the numbers of patches of each object, which add up to N; lines part them. Nil for one.
	Groups []int

	// Min and Max are the ends of the color scale; both zero for 0 and the largest value.
	Min, Max float64
	Map      palette.ColorMap // nil for [Sequential]

	Title    string
	BarLabel string
	Side     float64 // inches of a cell; 0 for cells that make the matrix about 1.8
	Alt      string
}

// Figure returns the matrix as a figure.
func (t TokenMap) Figure() *Figure {
	const kind = "token map"
	low, high, err := matrixRange(t.Values)
	if err != nil {
		return failed(kind, err)
	}
	n := len(t.Values)
	if len(t.Values[0]) != n || len(t.Patches) != n {
		return failed(kind, fmt.Errorf("a matrix of %d x %d and %d patches, expected as many rows as columns and patches", n, len(t.Values[0]), len(t.Patches)))
	}
	for i, p := range t.Patches {
		if err := checkImage(p); err != nil {
			return failed(kind, fmt.Errorf("patch %d: %w", i, err))
		}
		if b := p.Bounds(); b.Dx() != b.Dy() {
			return failed(kind, fmt.Errorf("patch %d has %d x %d pixels, expected a square", i, b.Dx(), b.Dy()))
		}
	}
	sum := 0
	for _, g := range t.Groups {
		if g < 1 {
			return failed(kind, errors.New("an object in Groups has no patches, expected one or more"))
		}
		sum += g
	}
	if t.Groups != nil && sum != n {
		return failed(kind, fmt.Errorf("the Groups have %d patches together, expected %d", sum, n))
	}
	top, row, col := high, 0, 0
	for q, keys := range t.Values {
		for k, v := range keys {
			if v > t.Values[row][col] {
				row, col = q, k
			}
		}
	}
	if t.Min != 0 || t.Max != 0 {
		low, high = t.Min, t.Max
	} else if low = min(0, low); high <= low {
		high = low + 1
	}
	colors, err := newScale(low, high, t.Map, Sequential())
	if err != nil {
		return failed(kind, err)
	}
	side := t.Side
	if side == 0 {
		side = min(.5, 1.8/float64(n))
	}
	l := tokenMap{TokenMap: t, bar: colorBar{colors, t.BarLabel}, cell: snap(vg.Length(side) * vg.Inch)}
	if l.cell < pixel {
		return failed(kind, fmt.Errorf("cells of %.3g inches, expected at least a screen pixel", side))
	}
	w := 2*margin + l.axis() + vg.Length(n)*l.cell + gap + l.bar.width(0)
	h := 2*margin + l.axis() + vg.Length(n)*l.cell
	if t.Title != "" {
		l.title = wrap(t.Title, titleStyle(), w-2*margin)
		h += textHeight(l.title, titleStyle()) + 4
	}
	alt := fmt.Sprintf("%sAttention between %d patches, query by key, the largest, %.3g, from patch %d to patch %d.", sentence(t.Title), n, top, row, col)
	return newFigure(w, h, or(t.Alt, alt), l.draw)
}

// tokenMap is a token map with its lengths.
type tokenMap struct {
	TokenMap
	title string
	cell  vg.Length
	bar   colorBar
}

const tokenGap = 3 // between the patches and the matrix

// axis is the room of the patches along an axis and of its name.
func (l tokenMap) axis() vg.Length { return labelSize*leading + 2 + l.cell + tokenGap }

func (l tokenMap) draw(c draw.Canvas) {
	n := vg.Length(len(l.Values))
	left, top := snap(c.Min.X+margin+l.axis()), c.Max.Y-margin
	if l.title != "" {
		height := textHeight(l.title, titleStyle())
		writeTitle(c, l.title, vg.Rectangle{Min: vg.Point{X: left}, Max: vg.Point{X: left + n*l.cell}}, top)
		top -= height + 4
	}
	top = snap(top - l.axis())
	data := vg.Rectangle{Min: vg.Point{X: left, Y: top - n*l.cell}, Max: vg.Point{X: left + n*l.cell, Y: top}}

	pixels := image.NewNRGBA(image.Rect(0, 0, len(l.Values), len(l.Values)))
	for q, keys := range l.Values {
		for k, v := range keys {
			pixels.SetNRGBA(k, q, l.bar.scale.color(v))
		}
	}
	c.DrawImage(data, repeat(pixels, 16, 16))
	outlineRect(c, data, stroke(ink, axisWidth))
	at := vg.Length(0)
	for _, g := range l.Groups[:max(0, len(l.Groups)-1)] {
		at += vg.Length(g) * l.cell
		c.StrokeLine2(stroke(ink, axisWidth), data.Min.X+at, data.Min.Y, data.Min.X+at, data.Max.Y)
		c.StrokeLine2(stroke(ink, axisWidth), data.Min.X, data.Max.Y-at, data.Max.X, data.Max.Y-at)
	}
	for i, p := range l.Patches {
		tile, per := vg.Point{X: l.cell, Y: l.cell}, (l.cell-pixel)/vg.Length(p.Bounds().Dx())
		along := vg.Length(i) * l.cell
		place(c, p, vg.Point{X: left - tokenGap - l.cell, Y: top - along}, tile, per, true) // query
		place(c, p, vg.Point{X: left + along, Y: top + tokenGap + l.cell}, tile, per, true) // key
	}
	sty := style(labelSize)
	sty.XAlign = draw.XCenter
	writeLines(c, "key", sty, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: top + l.axis()})
	sty.Rotation, sty.YAlign = quarterTurn, draw.YTop
	c.FillText(sty, vg.Point{X: left - l.axis(), Y: (data.Min.Y + data.Max.Y) / 2}, "query")
	l.bar.drawBeside(c, data.Max.X+gap, data)
}
