package figure

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// HeatMap shows a matrix as colored cells with a color bar; row 0 is at the top.
// The paper's Figure 2 shows the local-global score of every head so, as H heads
// (rows) x L layers (columns).
type HeatMap struct {
	// Values is the matrix, [rows][columns], rows equally long and without NaN or
	// infinities.
	Values [][]float64

	// Min and Max are the ends of the color scale; values outside take the color
	// of the nearer end. Both zero: the smallest and the largest value.
	Min, Max float64

	// Map colors the cells; nil for [Coolwarm]. It is only read.
	Map palette.ColorMap

	Title, XLabel, YLabel string
	// BarLabel stands beside the color bar and reads upwards: "local → global".
	BarLabel string

	// XTicks and YTicks name the columns and the rows; nil for 0, 1, 2... Where
	// numbers do not fit, some are left out. Names are turned aside first.
	XTicks, YTicks []string

	// CellFormat writes each value into its cell, for example "%.2f". Empty: no
	// text.
	CellFormat string

	// Width and Height in inches; 0 for a size that makes cells about square.
	Width, Height float64

	// Alt is the alternative text; empty for one made of title, labels and range.
	Alt string
}

// Figure returns the heat map as a figure.
func (h HeatMap) Figure() *Figure {
	const kind = "heat map"
	low, high, err := matrixRange(h.Values)
	if err != nil {
		return failed(kind, err)
	}
	rows, cols := len(h.Values), len(h.Values[0])
	for _, ticks := range []struct {
		name string
		got  []string
		want int
	}{{"XTicks", h.XTicks, cols}, {"YTicks", h.YTicks, rows}} {
		if ticks.got != nil && len(ticks.got) != ticks.want {
			return failed(kind, fmt.Errorf("%s has %d names, expected %d for Values of %d rows x %d columns", ticks.name, len(ticks.got), ticks.want, rows, cols))
		}
	}
	if h.CellFormat != "" {
		if s := fmt.Sprintf(h.CellFormat, low); strings.Contains(s, "%!") {
			return failed(kind, fmt.Errorf("CellFormat %q does not format one float64; use for example \"%%.2f\"", h.CellFormat))
		}
	}
	alt := h.Alt
	if alt == "" {
		alt = fmt.Sprintf("%sHeat map of %d rows (%s) by %d columns (%s), values from %.3g to %.3g.",
			sentence(h.Title), rows, or(h.YLabel, "row"), cols, or(h.XLabel, "column"), low, high)
	}
	if h.Min != 0 || h.Max != 0 {
		low, high = h.Min, h.Max
	} else if low == high { // one value everywhere: the middle of the scale
		low, high = low-0.5, high+0.5
	}
	colors, err := newScale(low, high, h.Map, Coolwarm())
	if err != nil {
		return failed(kind, err)
	}

	// About 2.6 inches of data, the other side so that cells are square within
	// limits, and around it what axes, title and bar need.
	dataW := 2.6
	dataH := min(max(dataW*float64(rows)/float64(cols), 1.5), 3.4)
	if rows > 2*cols {
		dataW = 1.8
	}
	w, hgt := orSize(h.Width, dataW+1.4), orSize(h.Height, dataH+0.75)
	ch := chart{
		kind:  kind,
		title: h.Title,
		side:  colorBar{colors, h.BarLabel},
		plot:  func(size vg.Point) *plot.Plot { return h.plot(colors, size) },
	}
	return ch.figure(vg.Length(w)*vg.Inch, vg.Length(hgt)*vg.Inch, alt)
}

func (h HeatMap) plot(colors scale, size vg.Point) *plot.Plot {
	rows, cols := len(h.Values), len(h.Values[0])
	p := newPlot()
	p.X.Label.Text, p.Y.Label.Text = h.XLabel, h.YLabel
	p.X.Width, p.Y.Width = 0, 0 // the frame of the cells stands for the axes
	p.X.Min, p.X.Max = -0.5, float64(cols)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(rows)-0.5

	// Rows.
	lines := int((size.Y - 36) / (1.25 * tickSize))
	p.Y.Tick.Marker = nameTicks{
		names: orNumbers(h.YTicks, rows),
		every: thin(rows, lines),
		at:    func(i int) float64 { return float64(rows - 1 - i) }, // row 0 at the top
	}
	// Columns. Numbers are thinned out; names are turned when they would touch.
	names := slices.Clone(orNumbers(h.XTicks, cols))
	widest := vg.Length(0)
	for _, name := range names {
		widest = max(widest, p.X.Tick.Label.Width(name))
	}
	room := size.X - 40
	every := thin(cols, int(room/(widest+4)))
	if h.XTicks != nil && every > 1 {
		every = thin(cols, int(room/(1.25*tickSize)))
		p.X.Tick.Label.Rotation = math.Pi / 4
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
		for i := range names {
			names[i] += " " // keeps the turned text off the axis
		}
	}
	p.X.Tick.Marker = nameTicks{names: names, every: every, at: func(i int) float64 { return float64(i) }}
	p.Add(cells{h, colors})
	return p
}

// cells draws the matrix. It is a picture of one pixel per cell with the pixels
// repeated, since polygons leave hairlines between cells and a large file.
type cells struct {
	HeatMap
	scale scale
}

func (m cells) Plot(c draw.Canvas, p *plot.Plot) {
	rows, cols := len(m.Values), len(m.Values[0])
	img := image.NewNRGBA(image.Rect(0, 0, cols, rows))
	for r, row := range m.Values {
		for k, v := range row {
			img.SetNRGBA(k, r, m.scale.color(v))
		}
	}
	const wanted = 900 // pixels across or down, enough for print
	k := max(1, min(wanted/cols, wanted/rows))
	c.DrawImage(c.Rectangle, repeat(img, k, k))
	outlineRect(c, c.Rectangle, stroke(ink, axisWidth))
	if m.CellFormat == "" {
		return
	}
	x, y := p.Transforms(&c)
	sty := style(m.textSize(c.Size()))
	sty.XAlign, sty.YAlign = draw.XCenter, draw.YCenter
	for r, row := range m.Values {
		for k, v := range row {
			sty.Color = contrast(m.scale.color(v))
			c.FillText(sty, vg.Point{X: x(float64(k)), Y: y(float64(rows - 1 - r))}, m.cell(v))
		}
	}
}

func (m cells) cell(v float64) string {
	return strings.ReplaceAll(fmt.Sprintf(m.CellFormat, v), "-", minus)
}

// textSize returns the largest type size, up to that of ticks, at which every
// value fits into its cell.
func (m cells) textSize(data vg.Point) float64 {
	cellW := data.X / vg.Length(len(m.Values[0]))
	cellH := data.Y / vg.Length(len(m.Values))
	size := min(tickSize, float64(cellH)*0.8)
	for _, row := range m.Values {
		for _, v := range row {
			if w := style(tickSize).Width(m.cell(v)); w > 0 {
				size = min(size, tickSize*float64(0.9*cellW/w))
			}
		}
	}
	return size
}

// matrixRange checks a matrix and returns its smallest and largest value.
func matrixRange(values [][]float64) (low, high float64, err error) {
	if len(values) == 0 || len(values[0]) == 0 {
		return 0, 0, errors.New("no cells: Values is empty")
	}
	low, high = math.Inf(1), math.Inf(-1)
	for r, row := range values {
		if len(row) != len(values[0]) {
			return 0, 0, fmt.Errorf("row %d of Values has %d columns, expected %d as in row 0", r, len(row), len(values[0]))
		}
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, 0, fmt.Errorf("row %d, column %d of Values is %v, expected a finite number", r, k, v)
			}
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high, nil
}

// sentence returns a title as the start of an alternative text.
func sentence(title string) string {
	if title == "" {
		return ""
	}
	return strings.TrimRight(title, ".") + ". "
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// orSize returns a size given by the user, else the default. Only an exact zero
// means the default, so that a negative size is reported.
func orSize(inches, otherwise float64) float64 {
	if inches == 0 {
		return otherwise
	}
	return inches
}

// orNumbers returns the names, or 0, 1, 2... where there are none.
func orNumbers(names []string, n int) []string {
	if names != nil {
		return names
	}
	names = make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}
