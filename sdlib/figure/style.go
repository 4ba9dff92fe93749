package figure

import (
	"image/color"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Type sizes and lengths that read well at the 4 to 7 inches of a paper's column
// or page.
const (
	titleSize   = 10.5
	labelSize   = 9.5
	tickSize    = 8.5
	captionSize = 8.5
	letterSize  = 12

	lineWidth  = 1.4 // of a series
	axisWidth  = 0.6
	margin     = 4 // around every figure, so that nothing touches the border
	gap        = 8 // between the data and what stands beside it
	tickLength = 3.5
	leading    = 1.18 // line height over type size

	quarterTurn = math.Pi / 2
)

var (
	ink   = color.NRGBA{0x22, 0x22, 0x22, 0xff} // text and axes
	faint = color.NRGBA{0xe4, 0xe4, 0xe4, 0xff} // grid lines
	frame = color.NRGBA{0xb0, 0xb0, 0xb0, 0xff} // frames of images
	guide = color.NRGBA{0x77, 0x77, 0x77, 0xff} // reference lines
)

// seriesColors are those of Okabe and Ito, "Color universal design" (2008),
// without black and the yellow that is too light for a line on white. They stay
// apart for all common kinds of color blindness.
var seriesColors = []color.Color{
	color.NRGBA{0x00, 0x72, 0xb2, 0xff}, // blue
	color.NRGBA{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	color.NRGBA{0x00, 0x9e, 0x73, 0xff}, // bluish green
	color.NRGBA{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	color.NRGBA{0xe6, 0x9f, 0x00, 0xff}, // orange
	color.NRGBA{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	color.NRGBA{0x55, 0x55, 0x55, 0xff}, // gray
}

// SeriesColor returns the default color of series i, counted from 0; the colors
// repeat after seven. It lets two figures show one thing in one color.
func SeriesColor(i int) color.Color {
	n := len(seriesColors)
	return seriesColors[(i%n+n)%n]
}

// typeface returns the sans serif that comes embedded with gonum/plot.
func typeface(size float64, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return f
}

// style returns a text style in ink at a size in points.
func style(size float64) draw.TextStyle {
	return draw.TextStyle{
		Color:   ink,
		Font:    typeface(size, false),
		Handler: plot.DefaultTextHandler,
	}
}

// newPlot returns a plot in the package's style. gonum/plot's own defaults are
// package variables; they stay as they are for others in the same program.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.TextStyle = style(titleSize)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Width = ink, axisWidth
		axis.Padding = 0
		axis.Tick.Color, axis.Tick.Width, axis.Tick.Length = ink, axisWidth, tickLength
		axis.Tick.Label.Font, axis.Tick.Label.Color = typeface(tickSize, false), ink
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = typeface(labelSize, false), ink
		axis.Label.Padding = 3
	}
	return p
}

// wrap breaks s at spaces into lines no wider than width. A single word that is
// wider stays whole. Line breaks in s are kept.
func wrap(s string, sty draw.TextStyle, width vg.Length) string {
	var lines []string
	for _, paragraph := range strings.Split(s, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			longer := strings.TrimSpace(line + " " + word)
			if line != "" && sty.Width(longer) > width {
				lines = append(lines, line)
				longer = word
			}
			line = longer
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// textHeight returns the height that writeLines needs for s.
func textHeight(s string, sty draw.TextStyle) vg.Length {
	if s == "" {
		return 0
	}
	return vg.Length(1+strings.Count(s, "\n")) * sty.Font.Size * leading
}

// writeLines writes the lines of s below the point top, each aligned by the
// style's XAlign.
func writeLines(c draw.Canvas, s string, sty draw.TextStyle, top vg.Point) {
	if s == "" {
		return
	}
	sty.YAlign = draw.YBottom
	for i, line := range strings.Split(s, "\n") {
		// YBottom puts the baseline one descent above the point.
		baseline := top.Y - (vg.Length(i)*leading+0.92)*sty.Font.Size
		face := plot.DefaultTextHandler.Cache().Lookup(sty.Font, sty.Font.Size)
		c.SetColor(sty.Color)
		x := top.X + vg.Length(sty.XAlign)*face.Width(line)
		c.FillString(face, vg.Point{X: x, Y: baseline}, line)
	}
}

// stroke returns a solid line style.
func stroke(clr color.Color, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: clr, Width: width}
}

// outlineRect strokes a rectangle.
func outlineRect(c draw.Canvas, r vg.Rectangle, sty draw.LineStyle) {
	c.SetLineStyle(sty)
	var p vg.Path
	p.Move(r.Min)
	p.Line(vg.Point{X: r.Max.X, Y: r.Min.Y})
	p.Line(r.Max)
	p.Line(vg.Point{X: r.Min.X, Y: r.Max.Y})
	p.Close()
	c.Stroke(p)
}
