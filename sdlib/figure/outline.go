package figure

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// outlined is a canvas that draws text as filled glyph outlines.
//
// The canvases of gonum/plot each write text in their own way: PDF knows only
// the characters of code page 1252 (a true minus comes out as three wrong
// letters), SVG names a font that the reader may not have, and the raster
// canvas blurs rotated text. As outlines text is the same in all of them.
type outlined struct {
	vg.Canvas
	missing map[rune]bool // what the font has no glyph for
}

func (c outlined) FillString(face plotfont.Face, at vg.Point, s string) {
	var buf sfnt.Buffer
	for _, r := range s {
		if glyph, err := face.Face.GlyphIndex(&buf, r); (err != nil || glyph == 0) && unicode.IsPrint(r) {
			c.missing[r] = true
		}
	}
	if path := textPath(face, at, s); len(path) > 0 {
		c.Fill(path)
	}
}

// textPath returns the outline of s with its baseline starting at a point.
// Advance and kerning are those that gonum/plot measures text with.
func textPath(face plotfont.Face, at vg.Point, s string) vg.Path {
	var (
		path  vg.Path
		buf   sfnt.Buffer
		units = fixed.Int26_6(face.Face.UnitsPerEm()) // so one 1/64 pixel is one font unit
		scale = face.Font.Size / vg.Length(units)
		prev  sfnt.GlyphIndex
		pen   fixed.Int26_6
	)
	for i, r := range s {
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			glyph = 0 // the font's own sign for a missing character
		}
		if i > 0 {
			if kern, err := face.Face.Kern(&buf, prev, glyph, units, font.HintingNone); err == nil {
				pen += kern
			}
		}
		segments, err := face.Face.LoadGlyph(&buf, glyph, units, nil)
		if err == nil {
			path = appendGlyph(path, segments, func(p fixed.Point26_6) vg.Point {
				return vg.Point{X: at.X + vg.Length(pen+p.X)*scale, Y: at.Y - vg.Length(p.Y)*scale}
			})
		}
		if advance, err := face.Face.GlyphAdvance(&buf, glyph, units, font.HintingNone); err == nil {
			pen += advance
		}
		prev = glyph
	}
	return path
}

// Warn is where the package says, once, that a figure has text in a script that its font lacks.
var Warn io.Writer = os.Stderr

var warned sync.Once

// warn says what a figure's font had no glyphs for.
func warn(missing map[rune]bool) {
	if len(missing) == 0 {
		return
	}
	warned.Do(func() {
		all := slices.Sorted(maps.Keys(missing))
		fmt.Fprintf(Warn, "samediff: the font of figures has no glyph for %q: such characters become boxes. It has the Latin, Greek, Cyrillic and Hebrew scripts; "+
			"captions in others, as Chinese, Japanese and Korean, belong in the text around the figure\n", string(all[:min(len(all), 10)]))
	})
}

// appendGlyph appends one glyph's contours, each closed.
func appendGlyph(path vg.Path, segments sfnt.Segments, place func(fixed.Point26_6) vg.Point) vg.Path {
	open := false
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if open {
				path.Close()
			}
			path.Move(place(s.Args[0]))
			open = true
		case sfnt.SegmentOpLineTo:
			path.Line(place(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(place(s.Args[0]), place(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(place(s.Args[0]), place(s.Args[1]), place(s.Args[2]))
		}
	}
	if open {
		path.Close()
	}
	return path
}
