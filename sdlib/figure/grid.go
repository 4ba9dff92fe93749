package figure

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Grid puts figures side by side as the panels of one: each in its own size, with
// a letter at its corner, under a common title. Charts in one row have their axes
// on one line.
type Grid struct {
	Figures []*Figure
	// Columns per row; 0 for all in one row.
	Columns int
	// NoLetters leaves the panel letters a, b, c... away.
	NoLetters bool
	Title     string
	Alt       string // alternative text; empty for that of the panels
}

// Row puts figures side by side, with panel letters when there are two or more.
func Row(figures ...*Figure) *Figure {
	return Grid{Figures: figures, NoLetters: len(figures) < 2}.Figure()
}

const (
	panelGap    = 10
	letterWidth = 12
)

// Figure returns the panels as one figure. The error of a panel becomes its own.
func (g Grid) Figure() *Figure {
	const kind = "grid"
	n := len(g.Figures)
	if n == 0 {
		return failed(kind, errors.New("no panels: Figures is empty"))
	}
	if g.Columns < 0 {
		return failed(kind, fmt.Errorf("number of Columns is %d, expected 0 for one row, or more", g.Columns))
	}
	columns := g.Columns
	if columns == 0 || columns > n {
		columns = n
	}
	l := panels{Grid: g, columns: columns, widths: make([]vg.Length, columns), heights: make([]vg.Length, (n+columns-1)/columns)}
	if !g.NoLetters {
		l.letter = letterWidth
	}
	var alts []string
	for i, f := range g.Figures {
		if err := f.Err(); err != nil {
			return failed(kind, fmt.Errorf("panel %s: %w", panelLetter(i), err))
		}
		l.widths[i%columns] = max(l.widths[i%columns], f.w+l.letter)
		alt := f.alt
		if !g.NoLetters {
			alt = panelLetter(i) + ": " + alt
		}
		alts = append(alts, alt)
	}
	for row := range l.heights {
		l.heights[row] = rowHeight(g.Figures[row*columns : min((row+1)*columns, n)])
	}
	w := vg.Length(columns-1) * panelGap
	for _, width := range l.widths {
		w += width
	}
	h := vg.Length(len(l.heights)-1) * panelGap
	for _, height := range l.heights {
		h += height
	}
	if g.Title != "" {
		l.title = wrap(g.Title, gridTitleStyle(), w-2*margin)
		h += margin + textHeight(l.title, gridTitleStyle())
	}
	return newFigure(w, h, or(g.Alt, sentence(g.Title)+strings.Join(alts, " ")), l.draw)
}

// panelLetter returns a, b, ... z, aa, ab...
func panelLetter(i int) string {
	s := string(rune('a' + i%26))
	if i < 26 {
		return s
	}
	return panelLetter(i/26-1) + s
}

func gridTitleStyle() draw.TextStyle {
	sty := style(titleSize + 0.5)
	sty.Font = typeface(titleSize+0.5, true)
	sty.XAlign = draw.XCenter
	return sty
}

// panels is a grid with its lengths.
type panels struct {
	Grid
	title           string
	columns         int
	letter          vg.Length
	widths, heights []vg.Length
}

func (l panels) draw(c draw.Canvas) {
	y := c.Max.Y
	if l.title != "" {
		y -= margin
		writeLines(c, l.title, gridTitleStyle(), vg.Point{X: c.Min.X + c.Size().X/2, Y: y})
		y -= textHeight(l.title, gridTitleStyle())
	}
	for row, height := range l.heights {
		l.drawRow(c, row*l.columns, y)
		y -= height + panelGap
	}
}

// drawRow draws the panels from first on, below top.
func (l panels) drawRow(c draw.Canvas, first int, top vg.Length) {
	figures := l.Figures[first:min(first+l.columns, len(l.Figures))]
	height := l.heights[first/l.columns]
	areas := make([]draw.Canvas, len(figures))
	x := c.Min.X
	for i, f := range figures {
		area := c
		area.Min = vg.Point{X: x + l.letter, Y: top - f.h}
		area.Max = vg.Point{X: x + l.letter + f.w, Y: top}
		if f.axes != nil { // charts stretch, images do not
			area.Min.Y = top - height
		}
		areas[i] = area
		if !l.NoLetters {
			sty := style(letterSize)
			sty.Font = typeface(letterSize, true)
			writeLines(c, panelLetter(first+i), sty, vg.Point{X: x + margin, Y: top - 2})
		}
		x += l.widths[i] + panelGap
	}
	align(figures, areas)
	for i, f := range figures {
		f.draw(areas[i])
	}
}

// rowHeight returns the height in which every figure of a row keeps its own: for
// charts that of the data, with the most that any of them needs above and below.
func rowHeight(figures []*Figure) vg.Length {
	var height, above, data, below vg.Length
	for _, f := range figures {
		height = max(height, f.h)
		if f.axes != nil {
			area := f.axes(f.canvas())
			above = max(above, f.h-area.Max.Y)
			data = max(data, area.Size().Y)
			below = max(below, area.Min.Y)
		}
	}
	return max(height, above+data+below)
}

// align shrinks the canvases of charts so that their data areas begin and end at
// the same height.
func align(figures []*Figure, areas []draw.Canvas) {
	var above, below vg.Length // the most that any chart needs around its data
	data := make([]vg.Rectangle, len(figures))
	for i, f := range figures {
		if f.axes != nil {
			data[i] = f.axes(areas[i])
			above = max(above, areas[i].Max.Y-data[i].Max.Y)
			below = max(below, data[i].Min.Y-areas[i].Min.Y)
		}
	}
	for i, f := range figures {
		if f.axes != nil {
			areas[i].Max.Y -= above - (areas[i].Max.Y - data[i].Max.Y)
			areas[i].Min.Y += below - (data[i].Min.Y - areas[i].Min.Y)
		}
	}
}
