package goldenimage

import (
	"image"
	"image/color"
	"strings"
	"testing"
)

// A few pixels may differ, and all by a little; more is an error that says where.
func TestCompare(t *testing.T) {
	paint := func(side int, pixel func(x, y int) uint8) image.Image {
		m := image.NewGray(image.Rect(0, 0, side, side))
		for i := range side * side {
			m.SetGray(i%side, i/side, color.Gray{pixel(i%side, i/side)})
		}
		return m
	}
	flat := func(v uint8) image.Image { return paint(100, func(int, int) uint8 { return v }) }
	dotted := func(dots int) image.Image {
		return paint(100, func(x, y int) uint8 {
			if 100*y+x < dots {
				return 200
			}
			return 100
		})
	}
	for name, c := range map[string]struct {
		got  image.Image
		want string // in the error; "" for none
	}{
		"equal":      {flat(100), ""},
		"lighter":    {flat(106), ""},
		"too light":  {flat(107), "10000 pixels differ by more than 6 levels (at most 5 may), the worst by 7"},
		"five dots":  {dotted(5), ""},
		"six dots":   {dotted(6), "6 pixels differ by more than 6 levels (at most 5 may), the worst by 100 at (0,0)"},
		"other size": {paint(99, func(int, int) uint8 { return 100 }), "expected (0,0)-(100,100)"},
	} {
		err := Compare(c.got, flat(100))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected %q", name, err, c.want)
		}
	}
}
