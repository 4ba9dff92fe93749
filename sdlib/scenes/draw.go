package scenes

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// Draw paints scene i at any size into dst, height x width x RGB, side·side·3 bytes. It panics where dst has another length.
func (s *Set) Draw(i, side int, dst []uint8) {
	if len(dst) != side*side*3 {
		panic(fmt.Sprintf("scenes: Draw into %d bytes: expected %d, %d x %d x 3", len(dst), side*side*3, side, side))
	}
	scene, rng := s.Scene(i), s.random(i, forPixels)
	c := &canvas{side, make([]float32, len(dst))}
	scene.ground.paint(c)
	for _, t := range scene.Things {
		s.stock.paint(c, t)
	}
	sd := 10 * rng.Float64() // of the noise in each channel of each pixel
	for at, level := range c.level {
		dst[at] = uint8(math.Round(min(max(float64(level)+sd*rng.NormFloat64(), 0), 255)))
	}
}

// Image draws scene i as the standard library's image, for figures and files.
func (s *Set) Image(i int) *image.NRGBA {
	side := s.config.Image
	pixels := make([]uint8, side*side*3)
	s.Draw(i, side, pixels)
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	for p := range side * side {
		copy(out.Pix[4*p:4*p+3], pixels[3*p:3*p+3])
		out.Pix[4*p+3] = 255
	}
	return out
}

// A canvas is a picture while it is painted: side x side x RGB, 0 to 255.
type canvas struct {
	side  int
	level []float32
}

// within calls f with the pixels of a box that lie in the picture.
func (c *canvas) within(x0, y0, x1, y1 float64, f func(x, y int)) {
	for y := max(int(y0), 0); y < min(int(y1)+1, c.side); y++ {
		for x := max(int(x0), 0); x < min(int(x1)+1, c.side); x++ {
			f(x, y)
		}
	}
}

// blend lays a color over a pixel; alpha 1 covers it.
func (c *canvas) blend(x, y int, color rgb, alpha float64) {
	at := c.level[(y*c.side+x)*3:][:3]
	for i := range at {
		at[i] += float32(alpha * (color[i] - float64(at[i])))
	}
}

// fillMask rasterizes an outline, with smooth edges.
func fillMask(o outline, side int) *image.Alpha {
	r := vector.NewRasterizer(side, side)
	for i, p := range o {
		if i == 0 {
			r.MoveTo(float32(p[0]), float32(p[1]))
		} else {
			r.LineTo(float32(p[0]), float32(p[1]))
		}
	}
	r.ClosePath()
	out := image.NewAlpha(image.Rect(0, 0, side, side))
	r.Draw(out, out.Rect, image.Opaque, image.Point{})
	return out
}

// A ground is what things lie on.
type ground struct {
	kind   int // counts groundNames
	color  [2]rgb
	angle  float64
	period float64
	grid   [5][5]float64 // of clouds
}

var groundNames = []string{"even", "fading", "cloudy", "barred", "tiled"}

func (g ground) word() string { return groundNames[g.kind] }

func drawGround(rng *rand.Rand) (g ground) {
	g.kind = rng.IntN(len(groundNames))
	for i := range g.color {
		for j := range g.color[i] {
			g.color[i][j] = 255 * rng.Float64()
		}
	}
	g.color[1] = mixed(g.color[0], g.color[1], .5) // so that the ground is quieter than what lies on it
	g.angle, g.period = 2*math.Pi*rng.Float64(), .1+.15*rng.Float64()
	for i := range g.grid {
		for j := range g.grid[i] {
			g.grid[i][j] = rng.Float64()
		}
	}
	return g
}

func (g ground) paint(c *canvas) {
	sin, cos := math.Sincos(g.angle)
	c.within(0, 0, float64(c.side), float64(c.side), func(x, y int) {
		u, v := (float64(x)+.5)/float64(c.side), (float64(y)+.5)/float64(c.side)
		c.blend(x, y, mixed(g.color[0], g.color[1], g.at(u, v, sin, cos)), 1)
	})
}

// at is how much of the second color a ground has at a point, 0 to 1.
func (g ground) at(u, v, sin, cos float64) float64 {
	along, across := u*cos+v*sin, v*cos-u*sin
	bar := func(x float64) int { return int(math.Floor(x/g.period)) & 1 }
	switch groundNames[g.kind] {
	case "fading":
		return min(max(.5+.7*(along-(cos+sin)/2), 0), 1)
	case "cloudy":
		n := float64(len(g.grid) - 1)
		i, j := int(v*n), int(u*n)
		s, t := smooth(v*n-float64(i)), smooth(u*n-float64(j))
		upper := g.grid[i][j] + t*(g.grid[i][j+1]-g.grid[i][j])
		lower := g.grid[i+1][j] + t*(g.grid[i+1][j+1]-g.grid[i+1][j])
		return upper + s*(lower-upper)
	case "barred":
		return float64(bar(along))
	case "tiled":
		return float64(bar(along) ^ bar(across))
	}
	return 0
}

// smooth goes from 0 at 0 to 1 at 1, level at both.
func smooth(t float64) float64 { return t * t * (3 - 2*t) }
