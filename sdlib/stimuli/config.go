package stimuli

import (
	"fmt"
	"strings"
)

// A Task is the question a set asks about each image.
type Task string

const (
	// Discrimination asks whether two objects are the same (paper, section 2).
	Discrimination Task = "discrimination"
	// RMTS, relational match-to-sample, asks whether two pairs of objects show the same relation (paper, section 2).
	RMTS Task = "rmts"
)

// A Split is one of the independent parts of a set: the pairs, places and pixels of two splits have nothing in common
// but the objects they are drawn from.
type Split string

const (
	Train   Split = "train"
	Val     Split = "val"
	Test    Split = "test"     // for Compositional32: the 224 combinations training never showed
	TestIID Split = "test-iid" // a further test split from the training objects, in every set
)

// Objects names the shape-color combinations a set uses (paper, section 2 and appendix A).
type Objects string

const (
	// All256 uses all 16 x 16 combinations in every split.
	All256 Objects = "256"
	// Compositional32 trains and validates on 32 combinations, 2 shapes per color and 2 colors per shape, and tests
	// on the other 224. Color c keeps shapes (c+14) mod 16 and (c+15) mod 16.
	Compositional32 Objects = "32"
	// OODShape combines the 4 held-out shapes with the 16 colors.
	OODShape Objects = "ood-shape"
	// OODColor combines the 16 shapes with the 4 held-out colors.
	OODColor Objects = "ood-color"
	// OODShapeColor combines the 4 held-out shapes with the 4 held-out colors.
	OODShapeColor Objects = "ood-shape-color"
)

const (
	// DefaultSize is the number of stimuli per split in the paper's code.
	DefaultSize = 6400
	// DefaultNoiseSD is the standard deviation of the pixel noise, in levels of 0..255. The paper's text calls 10 the
	// variance; its code, and so its models' data, use it as the standard deviation.
	DefaultNoiseSD = 10
	// DefaultClip is the highest level of an object's channel: below the background's 255, so that no object pixel
	// can be taken for background.
	DefaultClip = 250
)

// A Config says everything a set depends on; equal configurations give equal bytes. Its zero value but for Geometry is
// the paper's training set. It marshals to JSON in a fixed order, so it can be part of a cache key; use
// [Config.Resolved] for that, so that a default written out and one left out give the same key.
type Config struct {
	Task     Task     `json:"task"`     // "" is Discrimination
	Geometry Geometry `json:"geometry"` // the zero Geometry is B16
	Objects  Objects  `json:"objects"`  // "" is All256
	Split    Split    `json:"split"`    // "" is Train
	Size     int      `json:"size"`     // number of stimuli, a multiple of 2 (RMTS: of 4); 0 is DefaultSize
	Seed     uint64   `json:"seed"`

	NoiseSD float64 `json:"noise_sd"` // 0 is DefaultNoiseSD; negative draws none, and then images may come twice; math.Sqrt(10) is the paper's text
	Clip    int     `json:"clip"`     // 0 is DefaultClip; 255 is the paper's text

	Faithful Faithful `json:"faithful,omitzero"` // what the paper's code does and should not
	Factors  Factors  `json:"factors,omitzero"`  // what goes beyond the paper

	// Source names the content of an imported set: the SHA-256 of its records and image files. Import sets it; Open
	// refuses it, since such a set cannot be drawn from its configuration.
	Source string `json:"source,omitempty"`
}

// Resolved is the configuration with every default written out, or the error that [Open] would return for it.
func (c Config) Resolved() (Config, error) {
	c.Task = orDefault(c.Task, Discrimination)
	c.Geometry = orDefault(c.Geometry, B16)
	c.Objects = orDefault(c.Objects, All256)
	c.Split = orDefault(c.Split, Train)
	c.Size = orDefault(c.Size, DefaultSize)
	c.NoiseSD = orDefault(c.NoiseSD, DefaultNoiseSD)
	c.Clip = orDefault(c.Clip, DefaultClip)
	if c.NoiseSD < 0 {
		c.NoiseSD = -1
	}

	if c.Source != "" {
		return c, fmt.Errorf("stimuli: the set with content %s was imported: import its folder again", c.Source)
	}
	if err := known("task", c.Task, Discrimination, RMTS); err != nil {
		return c, err
	}
	if err := known("objects", c.Objects, All256, Compositional32, OODShape, OODColor, OODShapeColor); err != nil {
		return c, err
	}
	if err := known("split", c.Split, Train, Val, Test, TestIID); err != nil {
		return c, err
	}
	if err := c.Geometry.Validate(); err != nil {
		return c, err
	}
	if step := c.cycle(); c.Size < step || c.Size%step != 0 || c.Size > maxSize {
		return c, fmt.Errorf("stimuli: size of %d stimuli: expected a multiple of %d in %d..%d, so that %s has equal halves",
			c.Size, step, step, maxSize, c.Task)
	}
	if !(c.NoiseSD <= 255) {
		return c, fmt.Errorf("stimuli: noise of standard deviation %g: expected at most 255, the range of a channel", c.NoiseSD)
	}
	if c.Clip < 1 || c.Clip > 255 {
		return c, fmt.Errorf("stimuli: clip at %d: expected 1..255, the highest level of an object's channel", c.Clip)
	}
	if g := c.Geometry; g.Grid() < 2*g.CellPatches() {
		return c, fmt.Errorf("stimuli: geometry %q cannot hold two disjoint cells: a cell takes %d of the %d patches along a side, expected at most half",
			g.Name, g.CellPatches(), g.Grid())
	}
	return c, c.Factors.validate(c)
}

// maxSize bounds the stimuli of one set: their plan is held in memory.
const maxSize = 1 << 24

// cycle is the number of stimuli after which the sequence of labels repeats.
func (c Config) cycle() int {
	if c.Task == RMTS {
		return 4
	}
	return 2
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// known checks that a value is one of the names it may have.
func known[T ~string](what string, value T, names ...T) error {
	var list []string
	for _, name := range names {
		if value == name {
			return nil
		}
		list = append(list, string(name))
	}
	return fmt.Errorf("stimuli: unknown %s %q: expected one of %s", what, string(value), strings.Join(list, ", "))
}
