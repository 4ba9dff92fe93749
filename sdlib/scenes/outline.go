package scenes

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"samediff/sdlib/stimuli"
)

// NumKinds is the number of kinds of random outlines.
const NumKinds = 64

// An outline is a closed line in the box [-1, 1] x [-1, 1]: corners, x to the right and y down.
type outline [][2]float64

// outlines are the stock of things that have a random outline, a color and a texture.
type outlines struct{}

func (outlines) names() []string { return kindNames() }

func (outlines) tokens(int) int { return 3 } // texture, color, kind

func (outlines) words() []string {
	all := slices.Clone(kindNames())
	for _, c := range Colors {
		all = append(all, c.Name)
	}
	return append(all, textureWords...)
}

// kindNames are made-up words: a name that means something would be one more thing to know.
var kindNames = sync.OnceValue(func() (names []string) {
	for _, first := range []string{"ba", "ke", "li", "mo", "nu", "ra", "te", "vi"} {
		for _, second := range []string{"lor", "mek", "nil", "tap", "vun", "zad", "rib", "kesh"} {
			names = append(names, first+second)
		}
	}
	return names
})

// maxTurn is the farthest that a thing is turned either way, in radians: 20 degrees.
const maxTurn = math.Pi / 9

// kinds are the outlines by kind. Each is the first of a row of random ones that is unlike the outlines before it, and unlike the
// shapes of the same-different tasks, however far a thing is turned.
var kinds = sync.OnceValue(func() (all []outline) {
	var taken []mask // of the tasks' shapes, then of the outlines
	for shape := range stimuli.NumShapes {
		m, err := stimuli.ShapeMask(shape, maskSide)
		if err != nil {
			panic(err) // shapes below NumShapes are there
		}
		taken = append(taken, maskOf(m.At))
	}
	for kind := range NumKinds {
		for try := uint64(0); ; try++ {
			o := random(rand.New(rand.NewPCG(uint64(kind), mix(try))), kind%2 == 0)
			if slices.ContainsFunc(taken, func(m mask) bool { return o.resembles(m) }) {
				continue
			}
			all, taken = append(all, o), append(taken, o.mask(0))
			break
		}
	}
	return all
})

// alike is the overlap, as the part of their union that two masks share, from which on outlines count as alike.
const alike = .8

// resembles reports whether an outline is like a mask when it is turned as things are.
func (o outline) resembles(m mask) bool {
	for step := -2.; step <= 2; step++ {
		if o.mask(step*maxTurn/2).overlap(m) >= alike {
			return true
		}
	}
	return false
}

// random returns a random outline: with corners, a star-shaped polygon, and without, a curve r(θ) = 1 + Σ aₖ cos(kθ + φₖ), k = 2 to 6.
func random(rng *rand.Rand, corners bool) (o outline) {
	if corners {
		n := 5 + rng.IntN(6)
		for i := range n {
			θ, r := 2*math.Pi*(float64(i)+.7*rng.Float64())/float64(n), .3+.7*rng.Float64()
			o = append(o, [2]float64{r * math.Cos(θ), r * math.Sin(θ)})
		}
	} else {
		var a, φ [5]float64
		for k := range a {
			a[k], φ[k] = .45*rng.Float64(), 2*math.Pi*rng.Float64()
		}
		for i := range 48 {
			θ, r := 2*math.Pi*float64(i)/48, 1.
			for k := range a {
				r += a[k] * math.Cos(float64(k+2)*θ+φ[k])
			}
			r = max(r, .2)
			o = append(o, [2]float64{r * math.Cos(θ), r * math.Sin(θ)})
		}
	}
	return o.fit()
}

// fit scales and moves an outline so that it just fits the box.
func (o outline) fit() outline {
	low, high := o[0], o[0]
	for _, p := range o {
		for i := range p {
			low[i], high[i] = min(low[i], p[i]), max(high[i], p[i])
		}
	}
	scale := 2 / max(high[0]-low[0], high[1]-low[1])
	for i, p := range o {
		for j := range p {
			o[i][j] = (p[j] - (low[j]+high[j])/2) * scale
		}
	}
	return o
}

// placed returns the outline turned, mirrored, scaled and moved.
func (o outline) placed(turn float64, mirror bool, x, y, radius float64) outline {
	sin, cos := math.Sincos(turn)
	out := make(outline, len(o))
	for i, p := range o {
		if mirror {
			p[0] = -p[0]
		}
		out[i] = [2]float64{x + radius*(p[0]*cos-p[1]*sin), y + radius*(p[0]*sin+p[1]*cos)}
	}
	return out
}

// maskSide is the side of the masks by which outlines are compared.
const maskSide = 24

// A mask is a silhouette, scaled to the box.
type mask [maskSide * maskSide]bool

func maskOf(at func(x, y int) bool) (m mask) {
	for i := range m {
		m[i] = at(i%maskSide, i/maskSide)
	}
	return m
}

func (o outline) mask(turn float64) mask {
	const half = maskSide / 2.
	corners := o.placed(turn, false, 0, 0, 1).fit().placed(0, false, half, half, half)
	alpha := fillMask(corners, maskSide)
	return maskOf(func(x, y int) bool { return alpha.AlphaAt(x, y).A > 127 })
}

// overlap is the part of the union of two masks that both have.
func (m mask) overlap(n mask) float64 {
	both, any := 0, 0
	for i := range m {
		if m[i] && n[i] {
			both++
		}
		if m[i] || n[i] {
			any++
		}
	}
	return float64(both) / float64(max(any, 1))
}

// usual is the part of a kind's things that have the kind's usual color.
const usual = .75

// look draws a color, mostly the kind's usual one, a texture and a turn.
func (outlines) look(kind int, rng *rand.Rand) look {
	c := rng.IntN(len(Colors))
	if rng.Float64() < usual {
		c = kind % len(Colors)
	}
	t := texture(rng.IntN(len(textureWords)))
	return look{
		words: []string{textureWords[t], Colors[c].Name},
		turn:  maxTurn * (2*rng.Float64() - 1), color: Colors[c].draw(rng), texture: t, phase: rng.Float64(),
	}
}

// paint fills a thing's outline with its texture.
func (outlines) paint(c *canvas, t Thing) {
	side := float64(c.side)
	corners := kinds()[t.Kind].placed(t.look.turn, t.look.mirror, t.X*side, t.Y*side, t.Radius*side)
	alpha := fillMask(corners, c.side)
	sin, cos := math.Sincos(-t.look.turn)
	reach := 1.5 * t.Radius * side // a turned box is up to √2 as wide
	c.within(t.X*side-reach, t.Y*side-reach, t.X*side+reach, t.Y*side+reach, func(x, y int) {
		a := alpha.AlphaAt(x, y).A
		if a == 0 {
			return
		}
		u, v := (float64(x)+.5)/side-t.X, (float64(y)+.5)/side-t.Y
		u, v = (u*cos-v*sin)/t.Radius, (u*sin+v*cos)/t.Radius
		c.blend(x, y, t.look.texture.at(u, v, t.look), float64(a)/255)
	})
}
