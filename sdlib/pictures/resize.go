package pictures

import (
	"fmt"
	"image"
	"math"
)

// A Filter says how an image is scaled: how much of each pixel around counts.
type Filter string

// The filters, which Pillow has under these names.
const (
	Nearest  Filter = "nearest"
	Bilinear Filter = "bilinear"
	Bicubic  Filter = "bicubic"
	Box      Filter = "box"
	Hamming  Filter = "hamming"
	Lanczos  Filter = "lanczos"
)

// Filters lists the filters by the numbers that Pillow, and so preprocessor_config.json, gives them.
var Filters = []Filter{Nearest, Lanczos, Bilinear, Bicubic, Box, Hamming}

// kernel is a filter's weight at a distance in pixels, 0 beyond support.
type kernel struct {
	support float64
	weight  func(x float64) float64
}

var kernels = map[Filter]kernel{
	Box: {.5, func(x float64) float64 { return inside(x > -.5 && x <= .5, 1) }},
	Bilinear: {1, func(x float64) float64 {
		x = math.Abs(x)
		return inside(x < 1, 1-x)
	}},
	Hamming: {1, func(x float64) float64 {
		x = math.Abs(x)
		if x == 0 {
			return 1
		}
		x *= math.Pi
		return inside(x < math.Pi, math.Sin(x)/x*(.54+.46*math.Cos(x)))
	}},
	Bicubic: {2, func(x float64) float64 { // Keys 1981 with a = -1/2
		const a = -.5
		x = math.Abs(x)
		if x < 1 {
			return ((a+2)*x-(a+3))*x*x + 1
		}
		return inside(x < 2, (((x-5)*x+8)*x-4)*a)
	}},
	Lanczos: {3, func(x float64) float64 { return inside(-3 <= x && x < 3, sinc(x)*sinc(x/3)) }},
}

func inside(in bool, y float64) float64 {
	if in {
		return y
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// Resize scales an opaque image to a width and a height as Pillow's Image.resize does, to the same bytes (libImaging/Resample.c): the
// filter is stretched where the image shrinks, rows are scaled before columns, and the sums in between are rounded to bytes.
func Resize(m *image.RGBA, width, height int, f Filter) (*image.RGBA, error) {
	if f == "" {
		f = Bilinear
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if width < 1 || height < 1 || w < 1 || h < 1 {
		return nil, fmt.Errorf("an image of %d x %d pixels cannot be scaled to %d x %d", w, h, width, height)
	}
	if f == Nearest {
		return nearest(m, width, height), nil
	}
	k, ok := kernels[f]
	if !ok {
		return nil, fmt.Errorf("there is no filter %q to scale images, expected one of %q", f, Filters)
	}
	if width != w {
		out := image.NewRGBA(image.Rect(0, 0, width, h))
		taps := k.taps(w, width)
		for y := range h {
			row := m.Pix[y*m.Stride:]
			for x, t := range taps {
				t.sum(out.Pix[y*out.Stride+4*x:], row[4*t.first:], 4)
			}
		}
		m = out
	}
	if height != h {
		out := image.NewRGBA(image.Rect(0, 0, width, height))
		for y, t := range k.taps(h, height) {
			for x := range width {
				t.sum(out.Pix[y*out.Stride+4*x:], m.Pix[t.first*m.Stride+4*x:], m.Stride)
			}
		}
		m = out
	}
	return m, nil
}

// tap is which pixels of a line make one of the scaled line, and how much each counts, in units of 2⁻²².
type tap struct {
	first   int
	weights []int32
}

const precision = 32 - 8 - 2 // bits, as Pillow's PRECISION_BITS

// taps returns those of all pixels of a line that is scaled from one length to another.
func (k kernel) taps(from, to int) []tap {
	scale := float64(from) / float64(to)
	stretch := max(scale, 1)
	support := k.support * stretch
	all := make([]tap, to)
	for i := range all {
		center := (float64(i) + .5) * scale
		first := max(int(center-support+.5), 0)
		end := min(int(center+support+.5), from)
		weights := make([]float64, end-first)
		total := 0.
		for j := range weights {
			weights[j] = k.weight((float64(first+j) - center + .5) * (1 / stretch))
			total += weights[j]
		}
		all[i] = tap{first, make([]int32, len(weights))}
		for j, w := range weights {
			if total != 0 {
				w *= 1 / total
			}
			all[i].weights[j] = int32(math.Trunc(w*(1<<precision) + math.Copysign(.5, w)))
		}
	}
	return all
}

// sum writes the weighted sum of pixels, some bytes apart, to one.
func (t tap) sum(dst, src []byte, apart int) {
	var r, g, b int32 = 1 << (precision - 1), 1 << (precision - 1), 1 << (precision - 1)
	for j, w := range t.weights {
		p := src[j*apart : j*apart+3]
		r += int32(p[0]) * w
		g += int32(p[1]) * w
		b += int32(p[2]) * w
	}
	dst[0], dst[1], dst[2], dst[3] = level(r), level(g), level(b), 255
}

func level(sum int32) byte { return byte(min(max(sum>>precision, 0), 255)) }

// nearest takes for each pixel the one that its center falls in.
func nearest(m *image.RGBA, width, height int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	dx, dy := float64(m.Rect.Dx())/float64(width), float64(m.Rect.Dy())/float64(height)
	for y := range height {
		for x := range width {
			u, v := int((float64(x)+.5)*dx), int((float64(y)+.5)*dy)
			copy(out.Pix[y*out.Stride+4*x:][:4], m.Pix[v*m.Stride+4*u:])
		}
	}
	return out
}
