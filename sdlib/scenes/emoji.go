package scenes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"samediff/sdlib/emoji"
)

// emojis are the stock of things that are emoji, under their own names and without words for how they look.
type emojis struct{ shown []emoji.Picture }

// OpenEmoji returns scenes of a pack's emoji, but for those that are held out (Config.Held).
func OpenEmoji(c Config, pack *emoji.Pack) (*Set, error) {
	if c.Emoji != "" && c.Emoji != pack.Identity() {
		return nil, fmt.Errorf("scenes: the configuration is of the emoji %s, the pack that is here is %s: fetch it again", c.Emoji, pack.Identity())
	}
	c.Emoji = pack.Identity()
	c, err := c.Resolved()
	if err != nil {
		return nil, err
	}
	var of emojis
	for _, x := range pack.Pictures {
		if !x.Held(c.Held) {
			of.shown = append(of.shown, x)
		}
	}
	return open(c, of)
}

func (e emojis) names() (all []string) {
	for _, x := range e.shown {
		all = append(all, x.Name)
	}
	return all
}

func (e emojis) words() (all []string) {
	for _, x := range e.shown {
		all = append(all, strings.Fields(x.Name)...)
	}
	return all
}

func (e emojis) tokens(kind int) int { return len(strings.Fields(e.shown[kind].Name)) }

// look draws a turn, and mirrors half of the things. Emoji have colors of their own.
func (e emojis) look(_ int, rng *rand.Rand) look {
	return look{turn: maxTurn * (2*rng.Float64() - 1), mirror: rng.IntN(2) == 1}
}

func (e emojis) paint(c *canvas, t Thing) {
	side := float64(c.side)
	stamp(e.shown[t.Kind], c, t.X*side, t.Y*side, t.Radius*side, t.look.turn, t.look.mirror)
}

// stamp lays a picture over a canvas: its center at x, y, half its side radius, turned clockwise. A pixel of the canvas gets the mean of
// a few points of the picture.
func stamp(p emoji.Picture, c *canvas, x, y, radius, turn float64, mirror bool) {
	sin, cos := math.Sincos(-turn)
	points := max(int(math.Ceil(emoji.Side/(2*radius))), 1) // along a side of a pixel
	reach := radius * math.Sqrt2
	c.within(x-reach, y-reach, x+reach, y+reach, func(col, row int) {
		var sum [4]float64
		for i := range points * points {
			u := float64(col) + (float64(i%points)+.5)/float64(points) - x
			v := float64(row) + (float64(i/points)+.5)/float64(points) - y
			u, v = (u*cos-v*sin)/radius, (u*sin+v*cos)/radius
			if mirror {
				u = -u
			}
			if u < -1 || u >= 1 || v < -1 || v >= 1 {
				continue
			}
			at := (int((v+1)/2*emoji.Side)*emoji.Side + int((u+1)/2*emoji.Side)) * 4
			for k := range sum {
				sum[k] += float64(p.Pixels[at+k])
			}
		}
		of := c.level[(row*c.side+col)*3:][:3]
		n := float64(points * points)
		for k := range of {
			of[k] = float32(sum[k]/n + (1-sum[3]/n/255)*float64(of[k]))
		}
	})
}
