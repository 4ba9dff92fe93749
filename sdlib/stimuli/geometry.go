package stimuli

import (
	"fmt"
	"image"
	"strings"
)

// maxImage bounds the sides of images, so that a mistyped geometry fails at once and not for lack of memory.
const maxImage = 4096

// A Geometry says how large everything is, in pixels. Images are square, and so are patches, cells and objects.
//
// A cell is the square an object may move in: a whole number of patches wide, its corner on the patch grid. The object
// is drawn in a square of Object pixels, moved right and down from the cell's corner by 0..Jitter pixels on each
// axis, both ends included.
//
// The paper's text can be read as giving 28-pixel objects; its code draws 24 of 32 (or 21 of 28). The presets follow
// the code, which is what the published models saw. For the other reading set Object to 28 and Jitter to 4.
type Geometry struct {
	Name   string `json:"name"`   // as ParseGeometry reads it, or free for one's own geometry
	Image  int    `json:"image"`  // side of the image
	Patch  int    `json:"patch"`  // side of a patch; divides Image
	Cell   int    `json:"cell"`   // side of an object's cell; a multiple of Patch
	Object int    `json:"object"` // side of the square the object is drawn in
	Jitter int    `json:"jitter"` // largest offset of the object in its cell; Object + Jitter ≤ Cell
}

// The geometries of the paper's models and of the course (paper, appendix A).
var (
	// B16 fits the ViTs with 16-pixel patches (CLIP, DINO, MAE, ImageNet): 14x14 patches, 4 tokens per object.
	B16 = Geometry{Name: "b16", Image: 224, Patch: 16, Cell: 32, Object: 24, Jitter: 8}
	// B32 fits CLIP ViT-B/32: 7x7 patches, 1 token per object.
	B32 = Geometry{Name: "b32", Image: 224, Patch: 32, Cell: 32, Object: 24, Jitter: 8}
	// B14 fits DINOv2 ViT-B/14: 16x16 patches, 4 tokens per object.
	B14 = Geometry{Name: "b14", Image: 224, Patch: 14, Cell: 28, Object: 21, Jitter: 7}
	// B16At112 is B16 at half the resolution: 7x7 patches of 16 pixels, 4 tokens per object, so that two CPU cores
	// fine-tune a pretrained ViT-B/16 in minutes.
	B16At112 = Geometry{Name: "b16-112", Image: 112, Patch: 16, Cell: 32, Object: 24, Jitter: 8}
	// B14At112 is B14 at half the resolution: 8x8 patches of 14 pixels, 4 tokens per object.
	B14At112 = Geometry{Name: "b14-112", Image: 112, Patch: 14, Cell: 28, Object: 21, Jitter: 7}
	// Course is small enough to train on a laptop's processor: 8x8 patches, 4 tokens per object.
	Course = Geometry{Name: "course", Image: 64, Patch: 8, Cell: 16, Object: 12, Jitter: 4}
	// CourseQuick trains in about a minute: 4x4 patches, 1 token per object.
	CourseQuick = Geometry{Name: "course-quick", Image: 64, Patch: 16, Cell: 16, Object: 12, Jitter: 4}
)

// Geometries lists the presets, the paper's first.
func Geometries() []Geometry {
	return []Geometry{B16, B32, B14, B16At112, B14At112, Course, CourseQuick}
}

// ParseGeometry finds a preset by its name, in any case: "b16", "b32", "b14", "b16-112", "b14-112", "course" or "course-quick".
func ParseGeometry(name string) (Geometry, error) {
	var known []string
	for _, g := range Geometries() {
		if strings.EqualFold(name, g.Name) {
			return g, nil
		}
		known = append(known, g.Name)
	}
	return Geometry{}, fmt.Errorf("stimuli: unknown geometry %q: expected one of %s", name, strings.Join(known, ", "))
}

// Grid is the number of patches along a side of the image.
func (g Geometry) Grid() int { return g.Image / g.Patch }

// Patches is the number of patches of an image: Grid².
func (g Geometry) Patches() int { return g.Grid() * g.Grid() }

// CellPatches is the number of patches along a side of an object's cell.
func (g Geometry) CellPatches() int { return g.Cell / g.Patch }

// TokensPerObject is P, the number of patches a cell covers: CellPatches².
func (g Geometry) TokensPerObject() int { return g.CellPatches() * g.CellPatches() }

// Validate checks that the sizes fit each other. The error names the field, what it is and what it should be.
func (g Geometry) Validate() error {
	if err := g.validateGrid(); err != nil {
		return err
	}
	switch {
	case g.Cell < g.Patch || g.Cell%g.Patch != 0 || g.Cell > g.Image:
		return g.wrong("cell of %d pixels: expected a multiple of the patch's %d, at most the image's %d", g.Cell, g.Patch, g.Image)
	case g.Object < 1 || g.Object > g.Cell:
		return g.wrong("object of %d pixels: expected 1..%d, the cell's size", g.Object, g.Cell)
	case g.Jitter < 0 || g.Object+g.Jitter > g.Cell:
		return g.wrong("jitter of 0..%d pixels: expected at most %d, so that an object of %d stays in its cell of %d", g.Jitter, g.Cell-g.Object, g.Object, g.Cell)
	}
	return nil
}

// validateGrid checks the image and its patches only, all that one's own images need.
func (g Geometry) validateGrid() error {
	if g.Image < 1 || g.Image > maxImage {
		return g.wrong("image of %d pixels: expected 1..%d", g.Image, maxImage)
	}
	if g.Patch < 1 || g.Image%g.Patch != 0 {
		return g.wrong("patch of %d pixels: expected a divisor of the image's %d", g.Patch, g.Image)
	}
	return nil
}

func (g Geometry) wrong(format string, args ...any) error {
	return fmt.Errorf("stimuli: geometry %q: %s", g.Name, fmt.Sprintf(format, args...))
}

// Covered lists the patches that a rectangle of pixels touches, as raster indices, rows first: for an object's 2x2 patches
// top left, top right, bottom left, bottom right. What lies outside the image is left out.
func (g Geometry) Covered(r image.Rectangle) []int {
	r = r.Intersect(image.Rect(0, 0, g.Image, g.Image))
	if r.Empty() {
		return nil
	}
	rows := [2]int{r.Min.Y / g.Patch, (r.Max.Y - 1) / g.Patch}
	cols := [2]int{r.Min.X / g.Patch, (r.Max.X - 1) / g.Patch}
	out := make([]int, 0, (rows[1]-rows[0]+1)*(cols[1]-cols[0]+1))
	for row := rows[0]; row <= rows[1]; row++ {
		for col := cols[0]; col <= cols[1]; col++ {
			out = append(out, row*g.Grid()+col)
		}
	}
	return out
}
