package stimuli

import (
	"image/color"
	"math"
	"testing"
)

// TestShapesDiffer pins how different the closest two silhouettes are at the sizes the geometries draw, in pixels and
// with one of them moved over the other by any jitter: even then they disagree in a sixth of the box, or a third
// of an object.
func TestShapesDiffer(t *testing.T) {
	for _, g := range []Geometry{B16, B14, Course} {
		masks := make([]Mask, NumShapes)
		for shape := range masks {
			mask, err := ShapeMask(shape, g.Object)
			if err != nil {
				t.Fatal(err)
			}
			masks[shape] = mask
		}
		closest, pair := math.MaxInt, ""
		for a := range masks {
			for b := a + 1; b < NumShapes; b++ {
				if d := difference(masks[a], masks[b], g.Jitter); d < closest {
					closest, pair = d, ShapeName(a)+" and "+ShapeName(b)
				}
			}
		}
		t.Logf("%d px: %s differ in %d of %d pixels", g.Object, pair, closest, g.Object*g.Object)
		// 96, 79 and 24 pixels were measured when the shapes were drawn.
		if want := map[int]int{24: 96, 21: 79, 12: 24}[g.Object]; closest != want {
			t.Errorf("%d px: the closest shapes, %s, differ in %d pixels, want %d", g.Object, pair, closest, want)
		}
	}
}

// difference is the smallest number of pixels in which two masks disagree, over all moves of b by up to reach pixels.
func difference(a, b Mask, reach int) int {
	least := math.MaxInt
	for dy := -reach; dy <= reach; dy++ {
		for dx := -reach; dx <= reach; dx++ {
			d := 0
			for y := -reach; y < a.Size+reach && d < least; y++ {
				for x := -reach; x < a.Size+reach; x++ {
					if a.At(x, y) != b.At(x+dx, y+dy) {
						d++
					}
				}
			}
			least = min(least, d)
		}
	}
	return least
}

func TestShapeAreas(t *testing.T) {
	for shape := range NumShapes {
		for _, size := range []int{12, 21, 24, 48} {
			mask, err := ShapeMask(shape, size)
			if err != nil {
				t.Fatal(err)
			}
			if share := float64(mask.Area()) / float64(size*size); share < .37 || share > .67 {
				t.Errorf("%s at %d px fills %.2f of its box, want about half", ShapeName(shape), size, share)
			}
		}
	}
}

// TestShapesAreOnePiece checks that a silhouette is connected and has no holes: every object pixel is reached from
// every other, and so is every pixel outside.
func TestShapesAreOnePiece(t *testing.T) {
	for shape := range NumShapes {
		for _, size := range []int{12, 21, 24, 96} {
			mask, err := ShapeMask(shape, size)
			if err != nil {
				t.Fatal(err)
			}
			object, outside := pieces(mask, true), pieces(mask, false)
			if object != 1 || outside != 1 {
				t.Errorf("%s at %d px: %d pieces and %d holes, want 1 and 0", ShapeName(shape), size, object, outside-1)
			}
		}
	}
}

// pieces counts the 8-connected pieces of object pixels, or of the others (4-connected) with a margin round the mask.
func pieces(m Mask, object bool) int {
	side := m.Size + 2
	seen := make([]bool, side*side)
	count := 0
	for start := range seen {
		if seen[start] || m.At(start%side-1, start/side-1) != object {
			continue
		}
		count++
		seen[start] = true
		for queue := []int{start}; len(queue) > 0; {
			at := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					x, y := at%side+dx, at/side+dy
					if !object && dx*dy != 0 || x < 0 || y < 0 || x >= side || y >= side {
						continue
					}
					if n := y*side + x; !seen[n] && m.At(x-1, y-1) == object {
						seen[n] = true
						queue = append(queue, n)
					}
				}
			}
		}
	}
	return count
}

// TestResizeAgrees compares drawing at a size with resizing a fine mask by nearest neighbor, as the original does.
func TestResizeAgrees(t *testing.T) {
	for shape := range NumShapes {
		fine, err := ShapeMask(shape, 21*24)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{12, 21, 24} {
			direct, err := ShapeMask(shape, size)
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(direct, fine.Resize(size), 0); d > size*size/25 {
				t.Errorf("%s at %d px: drawn and resized masks differ in %d pixels", ShapeName(shape), size, d)
			}
		}
	}
}

// TestRenderShape compares a rendered shape with its mask: its color on the object, white elsewhere, opaque.
func TestRenderShape(t *testing.T) {
	img, err := RenderShape(5, 4, 32)
	if err != nil {
		t.Fatal(err)
	}
	mask, err := ShapeMask(5, 32)
	if err != nil {
		t.Fatal(err)
	}
	for i, object := range mask.Bits {
		want := color.NRGBA{255, 255, 255, 255}
		if object {
			want = color.NRGBA{3, 169, 244, 255} // light blue
		}
		if got := img.NRGBAAt(i%32, i/32); got != want {
			t.Fatalf("pixel %d is %v, want %v", i, got, want)
		}
	}
}

func TestShapeErrors(t *testing.T) {
	for _, c := range [][2]int{{-1, 24}, {NumShapes, 24}, {0, 0}, {0, maxImage + 1}} {
		if _, err := ShapeMask(c[0], c[1]); err == nil {
			t.Errorf("ShapeMask(%d, %d): no error", c[0], c[1])
		}
	}
	if _, err := RenderShape(0, NumColors, 24); err == nil {
		t.Error("RenderShape in an unknown color: no error")
	}
	if got := ShapeName(99); got != "shape 99" {
		t.Errorf("ShapeName(99) = %q", got)
	}
}
