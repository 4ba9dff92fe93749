package scenes

import (
	"math"
	"math/rand/v2"

	"samediff/sdlib/stimuli"
)

// rgb is a color, 0 to 255 in each channel.
type rgb [3]float64

// A Color is a color of things. A thing's own is near its mean.
type Color struct {
	Name string
	mean rgb
}

// Colors are those of things with a random outline; none is near a color of the same-different tasks.
var Colors = []Color{
	{"crimson", rgb{190, 10, 40}},
	{"navy", rgb{20, 30, 100}},
	{"forest", rgb{20, 90, 40}},
	{"sky", rgb{150, 215, 255}},
	{"gold", rgb{225, 175, 40}},
	{"plum", rgb{100, 20, 90}},
	{"mint", rgb{150, 240, 190}},
	{"black", rgb{25, 25, 25}},
	{"ivory", rgb{250, 245, 225}},
	{"chocolate", rgb{60, 30, 15}},
	{"salmon", rgb{255, 170, 140}},
	{"steel", rgb{70, 100, 120}},
}

// apart is the least distance of a thing's color to the tasks' colors.
const apart = 28

// draw returns a color near the mean, and the shade of it that a texture has.
func (c Color) draw(rng *rand.Rand) (both [2]rgb) {
	for {
		for i, mean := range c.mean {
			both[0][i] = min(max(mean+12*(2*rng.Float64()-1), 0), 255)
		}
		darker := .45 + .2*rng.Float64()
		for i, level := range both[0] {
			if both[1][i] = darker * level; both[0].light() < 60 { // black has no darker shade to be seen
				both[1][i] = 255 - (255-level)*(1-darker/2)
			}
		}
		if both[0].tasks() >= apart && both[1].tasks() >= apart {
			return both
		}
	}
}

func (c rgb) light() float64 { return (c[0] + c[1] + c[2]) / 3 }

// tasks is the distance to the nearest color of the same-different tasks.
func (c rgb) tasks() float64 {
	nearest := math.Inf(1)
	for _, t := range stimuli.Colors {
		d := rgb{c[0] - float64(t.R), c[1] - float64(t.G), c[2] - float64(t.B)}
		nearest = min(nearest, math.Sqrt(d[0]*d[0]+d[1]*d[1]+d[2]*d[2]))
	}
	return nearest
}

// mixed is a color between two others: a at t = 0, b at t = 1.
func mixed(a, b rgb, t float64) (c rgb) {
	for i := range c {
		c[i] = a[i] + t*(b[i]-a[i])
	}
	return c
}

// A texture is how the two shades of a thing lie on it, a place in textureWords.
type texture int

// textureWords name the textures.
var textureWords = []string{"plain", "striped", "checked", "dotted", "ringed", "shaded"}

// at is the color at a point of a thing: u to the right and v down from its center, 1 at the edge of its box.
func (t texture) at(u, v float64, l look) rgb {
	odd := func(x float64) bool { return int(math.Floor(2*(x+l.phase)))&1 != 0 }
	second := false
	switch textureWords[t] {
	case "striped":
		second = odd(v * 1.6)
	case "checked":
		second = odd(u*1.3) != odd(v*1.3)
	case "dotted":
		x, y := math.Mod(u*1.4+l.phase+8, 1)-.5, math.Mod(v*1.4+l.phase+8, 1)-.5
		second = x*x+y*y < .1
	case "ringed":
		second = odd(1.5 * math.Sqrt(u*u+v*v))
	case "shaded":
		return mixed(l.color[0], l.color[1], min(max(.5+.6*v, 0), 1))
	}
	if second {
		return l.color[1]
	}
	return l.color[0]
}
