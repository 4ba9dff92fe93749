package stimuli

import "fmt"

const (
	// BaseShapes is the number of shapes of the paper's sets: ids 0 to 15.
	BaseShapes = 16
	// NumShapes counts the held-out shapes as well: ids 16 to 19, seen in the out-of-distribution sets only.
	NumShapes = 20
)

// silhouettes are the shapes, drawn for this library (the paper's own masks are not public). Each is one closed
// outline without holes that fills about half of its box, so that neither area nor brightness gives a shape away; no
// two agree in more than the tests allow at 24, 21 and 12 pixels, whatever the jitter.
var silhouettes = [NumShapes]struct {
	name   string
	inside region
}{
	{"disk", disk(0, 0, 810)},
	{"triangle", polygon(0, -980, 1000, 920, -1000, 920)},
	{"plus", union(box(-320, -980, 320, 980), box(-980, -320, 980, 320))},
	{"saltire", polygon(0, -340, 610, -950, 950, -610, 340, 0, 950, 610, 610, 950, 0, 340, -610, 950, -950, 610, -340, 0, -950, -610, -610, -950)},
	{"star", polygon(0, -960, 306, -321, 1008, -228, 495, 261, 623, 958, 0, 620, -623, 958, -495, 261, -1008, -228, -306, -321)},
	{"heart", union(disk(-500, -420, 490), disk(500, -420, 490), polygon(-950, -230, -450, -330, 0, -330, 450, -330, 950, -230, 0, 980))},
	{"crescent", minus(disk(40, 0, 980), disk(480, 0, 640))},
	{"arrow", union(polygon(50, -980, -1000, 0, 50, 980), box(-60, -330, 1000, 330))},
	{"hourglass", polygon(-900, -980, 900, -980, 170, 0, 900, 980, -900, 980, -170, 0)},
	{"bolt", polygon(-100, -1000, 900, -1000, 400, -330, 980, -330, -520, 1000, -180, 180, -900, 180)},
	{"fish", union(ellipse(300, 0, 690, 620), polygon(0, 0, -980, -880, -700, 0, -980, 880))},
	{"arch", minus(union(disk(0, -60, 920), box(-920, -60, 920, 980)), union(disk(0, -20, 420), box(-420, -20, 420, 990)))},
	{"crown", polygon(-980, 860, -980, -860, -460, 240, 0, -960, 460, 240, 980, -860, 980, 860)},
	{"zigzag", polygon(-980, -900, 350, -900, 350, 330, 980, 330, 980, 900, -350, 900, -350, -330, -980, -330)},
	{"mushroom", union(both(disk(0, 0, 990), box(-1000, -1000, 1000, 0)), box(-260, -10, 260, 980))},
	{"leaf", both(disk(-470, 470, 1270), disk(470, -470, 1270))},

	{"girder", union(box(-960, -960, -480, 960), box(480, -960, 960, 960), box(-490, -240, 490, 240))},
	{"pinwheel", union(disk(0, 0, 240), polygon(0, 0, 0, -1000, 900, -1000), polygon(0, 0, 1000, 0, 1000, 900), polygon(0, 0, 0, 1000, -900, 1000), polygon(0, 0, -1000, 0, -1000, -900))},
	{"stairs", union(box(-960, 420, 960, 960), box(-960, -260, 260, 430), box(-960, -960, -420, -250))},
	{"comb", union(box(-960, -960, -450, 960), box(-460, -960, 960, -630), box(-460, -165, 960, 165), box(-460, 630, 960, 960))},
}

// ShapeName is the English name of a shape, such as "arrow"; it returns "shape 99" for an id that does not exist.
func ShapeName(shape int) string {
	if shape < 0 || shape >= NumShapes {
		return fmt.Sprintf("shape %d", shape)
	}
	return silhouettes[shape].name
}

// A Mask is a silhouette on a square of Size x Size pixels. Bits are row-major; true is object.
type Mask struct {
	Size int
	Bits []bool
}

// At reports whether the pixel in column x, row y belongs to the object. Outside the square nothing does.
func (m Mask) At(x, y int) bool {
	return x >= 0 && y >= 0 && x < m.Size && y < m.Size && m.Bits[y*m.Size+x]
}

// Area is the number of object pixels.
func (m Mask) Area() int {
	area := 0
	for _, bit := range m.Bits {
		if bit {
			area++
		}
	}
	return area
}

// Resize is the mask on size x size pixels by nearest neighbor, as the original code resizes its masks.
func (m Mask) Resize(size int) Mask {
	out := Mask{Size: size, Bits: make([]bool, size*size)}
	for y := range size {
		for x := range size {
			out.Bits[y*size+x] = m.At((2*x+1)*m.Size/(2*size), (2*y+1)*m.Size/(2*size))
		}
	}
	return out
}

// ShapeMask draws one of the NumShapes silhouettes on a square of size x size pixels. A pixel belongs to the object
// when its center lies inside the outline, which is nearest-neighbor resizing of an infinitely fine mask. The mask is
// the same on every processor. It fails for an unknown shape and for a size outside 1..4096.
func ShapeMask(shape, size int) (Mask, error) {
	if shape < 0 || shape >= NumShapes {
		return Mask{}, fmt.Errorf("stimuli: shape %d does not exist: expected 0..%d", shape, NumShapes-1)
	}
	if size < 1 || size > maxImage {
		return Mask{}, fmt.Errorf("stimuli: a mask of %d pixels: expected a size in 1..%d", size, maxImage)
	}
	return sample(silhouettes[shape].inside, size), nil
}

// sample evaluates a region at the pixel centers of a size x size square.
func sample(inside region, size int) Mask {
	m := Mask{Size: size, Bits: make([]bool, size*size)}
	for y := range size {
		for x := range size {
			m.Bits[y*size+x] = inside((2*x+1-size)*1000/size, (2*y+1-size)*1000/size)
		}
	}
	return m
}
