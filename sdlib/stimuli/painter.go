package stimuli

import "math"

// background is the level of all three channels where there is no object.
const background = 255

// A painter knows how the objects of a set look at its size. It is read-only after newPainter.
type painter struct {
	geometry   Geometry
	outlines   [NumShapes][]int32 // for each shape, where its pixels lie in an image when its box is at (0, 0): byte offsets
	noise      *noise             // what each channel of an object's pixel gets
	top        int16              // highest level of an object's channel
	turning    bool               // objects are turned, so all are drawn smaller
	background *noise             // nil: plain white
}

func newPainter(cfg Config) *painter {
	g := cfg.Geometry
	p := &painter{geometry: g, noise: newNoise(max(cfg.NoiseSD, 0)), top: int16(cfg.Clip), turning: cfg.Factors.Turn != Range{}}
	if sd := cfg.Factors.BackgroundNoise; sd > 0 {
		p.background = newNoise(sd)
	}
	for shape := range p.outlines {
		p.setOutline(shape, sample(silhouettes[shape].inside, g.Object))
	}
	return p
}

// setOutline makes a mask of Geometry.Object pixels the look of a shape.
func (p *painter) setOutline(shape int, mask Mask) {
	p.outlines[shape] = nil
	for i, object := range mask.Bits {
		if object {
			p.outlines[shape] = append(p.outlines[shape], int32((i/mask.Size*p.geometry.Image+i%mask.Size)*3))
		}
	}
}

// clear paints the background.
func (p *painter) clear(dst []uint8, random stream) {
	fill(dst, background)
	if p.background == nil {
		return
	}
	for at := 0; at+3 <= len(dst); at += 3 {
		draw := random.next()
		for c := range 3 {
			n := int(p.background[draw>>(50-14*c)&(normalSlices-1)])
			dst[at+c] = uint8(max(background-abs(n), 0))
		}
	}
}

// paint draws an object over what dst holds.
func (p *painter) paint(dst []uint8, o Object, random stream) {
	mean := contrasted(Colors[o.Color], o.Contrast)
	corner := (o.Box.Min.Y*p.geometry.Image + o.Box.Min.X) * 3
	if o.Box.Dx() != p.geometry.Object || p.turning || o.Texture != Plain {
		p.paintVaried(dst[corner:], o, mean, random)
		return
	}
	for _, offset := range p.outlines[o.Shape] {
		at := corner + int(offset)
		p.noise.pixel(dst[at:at+3:at+3], mean, random.next(), p.top)
	}
}

// paintVaried draws an object whose silhouette is not among the outlines: of another size, turned or textured. It asks
// for each pixel where its center lies on the silhouette. dst begins at the box's corner.
func (p *painter) paintVaried(dst []uint8, o Object, mean [3]int16, random stream) {
	inside, size := silhouettes[o.Shape].inside, o.Box.Dx()
	dark := [3]int16{shade(mean[0]), shade(mean[1]), shade(mean[2])}
	sine, cosine := turned(o.Turn)
	for row := range size {
		for col := range size {
			x, y := (2*col+1-size)*1000/size, (2*row+1-size)*1000/size
			if p.turning {
				x, y = (x*cosine+y*sine)/turnUnit*7/5, (y*cosine-x*sine)/turnUnit*7/5
			}
			if !inside(x, y) {
				continue
			}
			level := mean
			if o.Texture.dark(x, y) {
				level = dark
			}
			at := (row*p.geometry.Image + col) * 3
			p.noise.pixel(dst[at:at+3:at+3], level, random.next(), p.top)
		}
	}
}

// contrasted moves a color toward white: 100 percent leaves it as it is.
func contrasted(c Color, percent int) [3]int16 {
	mean := [3]int16{int16(c.R), int16(c.G), int16(c.B)}
	for i, level := range mean {
		mean[i] = background - int16((background-int(level))*percent/100)
	}
	return mean
}

// turnUnit stands for 1 in sines and cosines.
const turnUnit = 1 << 14

// turned gives sine and cosine of whole degrees in units of 1/turnUnit, the same on every processor: a test checks that
// none is so near a rounding boundary that the last bit of math.Sincos could matter.
func turned(degrees int) (sine, cosine int) {
	s, c := math.Sincos(float64(degrees) * math.Pi / 180)
	return int(math.Round(s * turnUnit)), int(math.Round(c * turnUnit))
}
