package scenes

import (
	"cmp"
	"fmt"
)

// A Config says which scenes there are. Zero values stand for the defaults.
type Config struct {
	// Image is the side of the square pictures in pixels; 0 is 64.
	Image int `json:"image"`
	// Least and Most bound the number of things in a scene; 0 is 1 and 3.
	Least int `json:"least"`
	Most  int `json:"most"`
	// Kinds is how many kinds of things there are, the first ones; 0 is all.
	Kinds int `json:"kinds,omitempty"`
	// Seed names an endless row of scenes: other seeds, other scenes of the same kinds.
	Seed uint64 `json:"seed"`
	// Distinct is how many different scenes there are, to ask what the number of pictures is worth: scene i + Distinct is scene i. 0 is no end.
	Distinct int `json:"distinct,omitempty"`
	// Emoji names the package of emoji whose pictures are the things; "" draws random outlines. [OpenEmoji] fills it in.
	Emoji string `json:"emoji,omitempty"`
	// Held is the part of the emoji, in percent, that no scene shows: what is left for tests; 0 is 20. Random outlines have none.
	Held int `json:"held,omitempty"`
}

// Bounds that no sensible configuration comes near.
const (
	maxImage  = 1024
	maxThings = 9
)

// Resolved returns the configuration with its defaults written out, or what is wrong with it.
func (c Config) Resolved() (Config, error) {
	c.Image, c.Least, c.Most = cmp.Or(c.Image, 64), cmp.Or(c.Least, 1), cmp.Or(c.Most, 3)
	if c.Emoji != "" {
		c.Held = cmp.Or(c.Held, 20)
	}
	switch {
	case c.Image < 8 || c.Image > maxImage:
		return c, fmt.Errorf("scenes: pictures of %d pixels, expected 8 to %d", c.Image, maxImage)
	case c.Least < 1 || c.Most < c.Least || c.Most > maxThings:
		return c, fmt.Errorf("scenes: %d to %d things in a scene, expected a range inside 1 to %d", c.Least, c.Most, maxThings)
	case c.Kinds < 0:
		return c, fmt.Errorf("scenes: %d kinds, expected a positive number, or 0 for all", c.Kinds)
	case c.Distinct < 0:
		return c, fmt.Errorf("scenes: %d distinct scenes, expected a positive number, or 0 for no end", c.Distinct)
	case c.Held < 0 || c.Held > 90:
		return c, fmt.Errorf("scenes: %d percent of the emoji are held out, expected 1 to 90, or 0 for 20", c.Held)
	case c.Held != 0 && c.Emoji == "":
		return c, fmt.Errorf("scenes: %d percent are held out, but random outlines have no held-out part: leave it 0", c.Held)
	}
	return c, nil
}
