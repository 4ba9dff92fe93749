package figure

import (
	"fmt"
	"image"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart is one set of axes and what stands around it: a title above, a note
// between title and data, and a side piece (legend or color bar) to the right.
//
//	title
//	                 note
//	┌──────────────────┐ ┌──────┐
//	│       plot       │ │ side │
//	└──────────────────┘ └──────┘
type chart struct {
	kind        string // names the figure in errors
	title, note string
	plot        func(size vg.Point) *plot.Plot // size of the canvas it will get, axes included
	side        side                           // nil for none
}

// side is what stands right of the data.
type side interface {
	// width returns the room it takes out of a canvas, without the gap.
	width(whole vg.Length) vg.Length
	// drawBeside draws it left-aligned at x beside a data area.
	drawBeside(c draw.Canvas, x vg.Length, data vg.Rectangle)
}

// figure wraps the chart as a figure of w x h points.
func (ch chart) figure(w, h vg.Length, alt string) *Figure {
	f := newFigure(w, h, alt, ch.draw)
	if f.err != nil {
		return f
	}
	f.axes = func(c draw.Canvas) vg.Rectangle {
		_, area := ch.layout(c)
		p := ch.plotFor(area)
		return p.DataCanvas(area).Rectangle
	}
	const least = 18 // points that are left for the data on either side
	_, area := ch.layout(f.canvas())
	if room := area.Size(); room.X < least || room.Y < least {
		return failed(ch.kind, ch.tooSmall(f))
	}
	if data := f.axes(f.canvas()).Size(); data.X < least || data.Y < least {
		return failed(ch.kind, ch.tooSmall(f))
	}
	return f
}

func (ch chart) tooSmall(f *Figure) error {
	return fmt.Errorf("%.3g x %.3g inches leave no room for the data beside title, labels and legend: make the figure larger or the texts shorter",
		float64(f.w/vg.Inch), float64(f.h/vg.Inch))
}

// layout returns the wrapped title and the canvas of the plot with its axes.
func (ch chart) layout(c draw.Canvas) (title string, area draw.Canvas) {
	area = draw.Crop(c, margin, -margin, margin, -margin)
	if ch.title != "" {
		title = wrap(ch.title, titleStyle(), area.Size().X)
		area.Max.Y -= textHeight(title, titleStyle()) + 3
	}
	if ch.note != "" {
		area.Max.Y -= textHeight(ch.note, style(tickSize)) + 2
	}
	if ch.side != nil {
		area.Max.X -= ch.side.width(area.Size().X) + gap
	}
	return title, area
}

// plotFor returns the plot with its axis labels wrapped to the room there is.
func (ch chart) plotFor(area draw.Canvas) *plot.Plot {
	p := ch.plot(area.Size())
	p.X.Label.Text = wrap(p.X.Label.Text, p.X.Label.TextStyle, 0.9*area.Size().X)
	p.Y.Label.Text = wrap(p.Y.Label.Text, p.Y.Label.TextStyle, 0.9*area.Size().Y)
	return p
}

func (ch chart) draw(c draw.Canvas) {
	title, area := ch.layout(c)
	p := ch.plotFor(area)
	data := p.DataCanvas(area).Rectangle
	p.Draw(area)

	top := area.Max.Y
	if ch.note != "" {
		sty := style(tickSize)
		sty.XAlign = draw.XRight
		top += textHeight(ch.note, sty) + 2
		writeLines(c, ch.note, sty, vg.Point{X: data.Max.X, Y: top})
	}
	if title != "" {
		writeTitle(c, title, data, top+3+textHeight(title, titleStyle()))
	}
	if ch.side != nil {
		ch.side.drawBeside(c, data.Max.X+gap, data)
	}
}

func titleStyle() draw.TextStyle {
	sty := style(titleSize)
	sty.XAlign = draw.XCenter
	return sty
}

// writeTitle centers a title over the data, moved aside where it would leave the
// canvas.
func writeTitle(c draw.Canvas, title string, data vg.Rectangle, top vg.Length) {
	half := titleStyle().Width(title) / 2
	x := (data.Min.X + data.Max.X) / 2
	x = min(x, c.Max.X-margin-half)
	x = max(x, c.Min.X+margin+half)
	writeLines(c, title, titleStyle(), vg.Point{X: x, Y: top})
}

// legend is a column of samples with names.
type legend []legendEntry

type legendEntry struct {
	name   string
	sample func(c draw.Canvas, middle vg.Point) // drawn around a point, within sampleWidth
}

const (
	sampleWidth = 22
	legendShare = 0.4 // of the canvas, at most
)

func (l legend) texts(whole vg.Length) ([]string, vg.Length) {
	sty := style(tickSize)
	room := legendShare*whole - sampleWidth - 5
	widest := vg.Length(0)
	texts := make([]string, len(l))
	for i, e := range l {
		texts[i] = wrap(e.name, sty, room)
		widest = max(widest, sty.Width(texts[i]))
	}
	return texts, widest
}

func (l legend) width(whole vg.Length) vg.Length {
	_, widest := l.texts(whole)
	return sampleWidth + 5 + widest
}

func (l legend) drawBeside(c draw.Canvas, x vg.Length, data vg.Rectangle) {
	sty := style(tickSize)
	texts, _ := l.texts(c.Size().X - 2*margin)
	y := data.Max.Y
	for i, e := range l {
		e.sample(c, vg.Point{X: x + sampleWidth/2, Y: y - 0.6*tickSize})
		writeLines(c, texts[i], sty, vg.Point{X: x + sampleWidth + 5, Y: y})
		y -= textHeight(texts[i], sty) + 4
	}
}

// colorBar shows a scale beside the data, as tall as they are.
type colorBar struct {
	scale scale
	label string
}

const barWidth = 11

func (b colorBar) ticks(height vg.Length) []plot.Tick {
	return numberTicks{count: max(3, int(height/26))}.Ticks(b.scale.low, b.scale.high)
}

func (b colorBar) width(vg.Length) vg.Length {
	w := vg.Length(barWidth + 5)
	widest := vg.Length(0)
	for height := vg.Length(1); height <= 8; height++ { // the height is not known yet
		for _, t := range b.ticks(height * vg.Inch) {
			widest = max(widest, style(tickSize).Width(t.Label))
		}
	}
	w += widest
	if b.label != "" {
		w += 4 + labelSize*leading
	}
	return w
}

func (b colorBar) drawBeside(c draw.Canvas, x vg.Length, data vg.Rectangle) {
	const steps = 256
	strip := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for i := range steps {
		t := 1 - float64(i)/(steps-1) // row 0 is the top
		strip.SetNRGBA(0, i, b.scale.color(b.scale.low+t*(b.scale.high-b.scale.low)))
	}
	bar := vg.Rectangle{Min: vg.Point{X: x, Y: data.Min.Y}, Max: vg.Point{X: x + barWidth, Y: data.Max.Y}}
	c.DrawImage(bar, repeat(strip, 16, 2))
	outlineRect(c, bar, stroke(ink, axisWidth))

	sty := style(tickSize)
	height := data.Size().Y
	widest := vg.Length(0)
	for _, t := range b.ticks(height) {
		widest = max(widest, sty.Width(t.Label))
		y := data.Min.Y + height*vg.Length((t.Value-b.scale.low)/(b.scale.high-b.scale.low))
		c.StrokeLine2(stroke(ink, axisWidth), bar.Max.X, y, bar.Max.X+2.5, y)
		writeLines(c, t.Label, sty, vg.Point{X: bar.Max.X + 5, Y: y + 0.56*tickSize})
	}
	if b.label != "" {
		sty := style(labelSize)
		sty.Rotation = quarterTurn
		sty.XAlign, sty.YAlign = draw.XCenter, draw.YTop
		c.FillText(sty, vg.Point{X: bar.Max.X + 5 + widest + 5, Y: (data.Min.Y + data.Max.Y) / 2}, wrap(b.label, sty, height))
	}
}

// contrast returns black or white, whichever reads better on a background.
func contrast(background color.NRGBA) color.Color {
	luminance := 0.299*float64(background.R) + 0.587*float64(background.G) + 0.114*float64(background.B)
	if luminance < 140 {
		return color.White
	}
	return ink
}
