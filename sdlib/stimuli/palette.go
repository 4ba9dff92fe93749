package stimuli

import "image/color"

const (
	// BaseColors is the number of colors of the paper's sets: ids 0 to 15.
	BaseColors = 16
	// NumColors counts the held-out colors as well: ids 16 to 19, seen in the out-of-distribution sets only.
	NumColors = 20
)

// A Color is the mean of an object's pixels: noise is added to each channel of each pixel.
type Color struct {
	Name    string
	R, G, B uint8
}

// NRGBA is the color as image/color knows it, opaque.
func (c Color) NRGBA() color.NRGBA { return color.NRGBA{R: c.R, G: c.G, B: c.B, A: 255} }

// Colors are the 16 colors of the paper, then its 4 held-out colors (paper, appendix A; values from its code).
// The slice is read-only.
var Colors = []Color{
	{"pink", 233, 30, 99},
	{"purple", 156, 39, 176},
	{"violet", 103, 58, 183},
	{"indigo", 63, 81, 181},
	{"light blue", 3, 169, 244},
	{"cyan", 0, 188, 212},
	{"teal", 0, 150, 136},
	{"green", 76, 175, 80},
	{"light green", 139, 195, 74},
	{"lime", 205, 220, 57},
	{"yellow", 255, 235, 59},
	{"orange", 255, 152, 0},
	{"vermilion", 255, 87, 34},
	{"brown", 121, 85, 72},
	{"gray", 158, 158, 158},
	{"slate", 120, 144, 156},

	{"olive", 103, 110, 0},
	{"rose", 255, 155, 238},
	{"maroon", 145, 0, 0},
	{"lavender", 194, 188, 255},
}
