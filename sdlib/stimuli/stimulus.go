package stimuli

import (
	"fmt"
	"image"
)

// A Role is the part an object plays in its stimulus.
type Role string

const (
	Object1  Role = "object 1" // discrimination: the two objects
	Object2  Role = "object 2"
	Sample1  Role = "sample 1" // RMTS: the pair that may lie anywhere
	Sample2  Role = "sample 2"
	Display1 Role = "display 1" // RMTS: the pair fixed at the top left
	Display2 Role = "display 2"
)

// objectRole is the role of discrimination's object i, counted from 0.
func objectRole(i int) Role {
	switch i {
	case 0:
		return Object1
	case 1:
		return Object2
	}
	return Role(fmt.Sprintf("object %d", i+1))
}

// A Kind says how the two objects of a pair differ.
type Kind string

const (
	Same      Kind = "same"
	ShapeOnly Kind = "shape-only" // the colors are equal
	ColorOnly Kind = "color-only" // the shapes are equal
	Both      Kind = "both"
)

// kindOf compares two objects.
func kindOf(a, b item) Kind {
	switch {
	case a == b:
		return Same
	case a.color == b.color:
		return ShapeOnly
	case a.shape == b.shape:
		return ColorOnly
	default:
		return Both
	}
}

// A Stimulus is what is known about one image. Its slices are shared by all calls: read-only.
type Stimulus struct {
	Index   int
	Label   int      // 1 same, 0 different; in RMTS of the two pairs' relations
	Kind    Kind     // of the pair; in RMTS of the sample pair
	Objects []Object // discrimination: object 1, object 2 (and more with Factors.Count); RMTS: sample 1, sample 2, display 1, display 2
	Pairs   []Pair   // discrimination: one (every two objects with Factors.Count); RMTS: sample, display
}

// An Object is one silhouette in an image.
type Object struct {
	Role     Role
	Shape    int             // 0..NumShapes-1
	Color    int             // 0..NumColors-1
	Row, Col int             // the top left patch of Tokens
	DX, DY   int             // offset of Box from the cell's corner, pixels: the jitter, unless Factors.Size is set
	Box      image.Rectangle // the square the silhouette is drawn in, pixels
	Tokens   []int           // the cell's patches (OffGrid: those that Box touches) as raster indices, rows first, without CLS: [P]

	// The rest varies with Factors only.
	Turn     int     // degrees clockwise
	Contrast int     // percent
	Texture  Texture // never Mixed
}

// A Pair is two objects that the task compares.
type Pair struct {
	First, Second int // indices into Stimulus.Objects
	Label         int // 1 same, 0 different
}
