package stimuli

import "fmt"

// Factors go beyond the paper: each varies something that its stimuli keep fixed, to test what its conclusions rest
// on. The zero value changes nothing. Every object draws its own size, turn, contrast and texture, whatever the
// others draw, and the labels do not know of them: two objects are the same when their shape and color are, or what
// Relation says.
type Factors struct {
	// OffGrid lets cells begin at any pixel instead of the patch grid, so that an object covers a varying number of
	// patches, most of them partly. The paper's objects always fill whole patches. RMTS keeps its display pair in place.
	OffGrid bool `json:"off_grid,omitempty"`
	// Count is the number of objects in discrimination, 0 meaning 2. Same: all are equal. Different: one of them,
	// anywhere, is the odd one out.
	Count int `json:"count,omitempty"`
	// Relation is another question than the paper's: the property that is equal in objects that are the same, whatever
	// the other one is; "" is both. Of the same pairs half differ in the other property, of the different pairs half do.
	Relation Property `json:"relation,omitempty"`
	// Size is the side of the objects in pixels, drawn uniformly; zero is Geometry.Object. They keep their centers
	// unless they would leave their cell.
	Size Range `json:"size,omitzero"`
	// Turn is the angle by which objects are turned clockwise, in degrees of -360..360. In a set with turns all
	// objects are drawn at 5/7 of their size, so that corners stay in the box at every angle.
	Turn Range `json:"turn,omitzero"`
	// Contrast of the objects against white, in percent of 1..100; zero is 100.
	Contrast Range `json:"contrast,omitzero"`
	// Texture is the pattern of a darker shade on the objects.
	Texture Texture `json:"texture,omitempty"`
	// BackgroundNoise is the standard deviation of Gaussian noise on the background, whose absolute value is taken
	// off white in each channel of each pixel.
	BackgroundNoise float64 `json:"background_noise,omitempty"`
}

// A Range holds the whole numbers Min..Max. Its zero value stands for the default of the field it is in.
type Range struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// draw picks a number of the range, or the fallback when the range is zero.
func (r Range) draw(random *stream, fallback int) int {
	if r == (Range{}) {
		return fallback
	}
	return r.Min + random.below(r.Max-r.Min+1)
}

// within checks a range that is set against its bounds.
func (r Range) within(what string, low, high int) error {
	if r != (Range{}) && (r.Min < low || r.Max > high || r.Min > r.Max) {
		return fmt.Errorf("stimuli: %s %d..%d: expected a range inside %d..%d", what, r.Min, r.Max, low, high)
	}
	return nil
}

// A Texture is a pattern on an object, in a darker shade of its color.
type Texture string

const (
	Plain   Texture = ""
	Stripes Texture = "stripes"
	Checks  Texture = "checks"
	Dots    Texture = "dots"
	Mixed   Texture = "mixed" // each object has one of stripes, checks and dots, or none
)

// dark reports whether the pattern is dark at a point of the object's box (units of region).
func (t Texture) dark(x, y int) bool {
	const far = 12000 // a multiple of every period, so that coordinates are positive
	x, y = x+far, y+far
	switch t {
	case Stripes:
		return y/250%2 == 1
	case Checks:
		return (x/300+y/300)%2 == 1
	case Dots:
		return square(x%500-250)+square(y%500-250) < square(170)
	}
	return false
}

// shade is the darker of a texture's two levels.
func shade(level int16) int16 { return level * 55 / 100 }

// validate checks the factors against a configuration whose other fields are resolved.
func (f Factors) validate(c Config) error {
	g := c.Geometry
	if err := known("texture", f.Texture, Plain, Stripes, Checks, Dots, Mixed); err != nil {
		return err
	}
	if err := f.Size.within("object sizes", 4, g.Cell); err != nil {
		return err
	}
	if err := f.Turn.within("turns of", -360, 360); err != nil {
		return err
	}
	if err := f.Contrast.within("contrasts in percent", 1, 100); err != nil {
		return err
	}
	if !(f.BackgroundNoise >= 0 && f.BackgroundNoise <= 255) {
		return fmt.Errorf("stimuli: background noise of standard deviation %g: expected 0..255", f.BackgroundNoise)
	}
	if err := known("relation", f.Relation, "", ShapeProperty, ColorProperty); err != nil {
		return err
	}
	if f.Relation != "" && (c.Task != Discrimination || c.Faithful.MissingSame) {
		return fmt.Errorf("stimuli: the relation of equal %ss is a factor of %s alone, with all same images", f.Relation, Discrimination)
	}
	if f.Count != 0 && c.Task != Discrimination {
		return fmt.Errorf("stimuli: %d objects in %s: the number of objects is a factor of %s only", f.Count, c.Task, Discrimination)
	}
	fit := square(g.Grid() / g.CellPatches())
	if n := orDefault(f.Count, 2); n < 2 || n > fit || n > maxCount {
		return fmt.Errorf("stimuli: %d objects on an image of geometry %q: expected 2..%d, which its cells of %d pixels leave room for",
			n, g.Name, min(fit, maxCount), g.Cell)
	}
	return nil
}

// maxCount bounds the objects of an image: every two of them are a pair.
const maxCount = 64
