package pretrain

import (
	"math"
	"math/rand/v2"

	"samediff/sdlib/scenes"
)

// A photo is a scene, drawn larger than a model sees it, to cut views out of.
type photo struct {
	side   int
	pixels []uint8
}

func newPhoto(set *scenes.Set, i int) photo {
	p := photo{side: set.Config().Image * 3 / 2}
	p.pixels = make([]uint8, p.side*p.side*3)
	set.Draw(i, p.side, p.pixels)
	return p
}

// The parts of a photo's area that views show (Caron et al. 2021, section 3.1: global ones more than half, local ones less). Scenes
// have fewer and smaller things than photographs; a local view of a twentieth would mostly show none.
var globalPart, localPart = [2]float64{.5, 1}, [2]float64{.15, .5}

// view cuts a random part out of the photo and brings it to side x side pixels in dst, mirrored half of the time, with
// its colors changed most of the time (BYOL's augmentations, as DINO uses them, without blur and solarization).
func (p photo) view(part [2]float64, side int, rng *rand.Rand, dst []uint8) {
	area := part[0] + (part[1]-part[0])*rng.Float64()
	shape := math.Exp((2*rng.Float64() - 1) * math.Log(4./3)) // width over height
	w, h := min(math.Sqrt(area*shape), 1), min(math.Sqrt(area/shape), 1)
	x0, y0 := (1-w)*rng.Float64(), (1-h)*rng.Float64()
	mirrored := rng.IntN(2) == 1
	tint := newTint(rng)
	for y := range side {
		for x := range side {
			u := (float64(x) + .5) / float64(side)
			if mirrored {
				u = 1 - u
			}
			color := tint.of(p.at(x0+w*u, y0+h*(float64(y)+.5)/float64(side)))
			for c := range color {
				dst[(y*side+x)*3+c] = uint8(math.Round(min(max(color[c], 0), 255)))
			}
		}
	}
}

// at is the color at a point, between the four pixels around it.
func (p photo) at(u, v float64) (color [3]float64) {
	x, y := u*float64(p.side)-.5, v*float64(p.side)-.5
	i, j := int(math.Floor(x)), int(math.Floor(y))
	s, t := x-float64(i), y-float64(j)
	inside := func(k int) int { return min(max(k, 0), p.side-1) }
	for c := range color {
		level := func(i, j int) float64 { return float64(p.pixels[(inside(j)*p.side+inside(i))*3+c]) }
		color[c] = (1-t)*((1-s)*level(i, j)+s*level(i+1, j)) + t*((1-s)*level(i, j+1)+s*level(i+1, j+1))
	}
	return color
}

// A tint changes the colors of a view.
type tint struct{ brightness, contrast, saturation float64 }

func newTint(rng *rand.Rand) tint {
	around := func(by float64) float64 { return 1 + by*(2*rng.Float64()-1) }
	t := tint{around(.4), around(.4), around(.2)}
	if rng.Float64() > .8 {
		t = tint{1, 1, 1}
	}
	if rng.Float64() < .2 {
		t.saturation = 0 // gray
	}
	return t
}

func (t tint) of(c [3]float64) [3]float64 {
	gray := (.299*c[0] + .587*c[1] + .114*c[2]) * t.brightness
	for i := range c {
		level := gray + t.saturation*(c[i]*t.brightness-gray)
		c[i] = 127.5 + t.contrast*(level-127.5)
	}
	return c
}
