package figure

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// Every value is seen: equal ones stand side by side, none leaves its column.
func TestDotsPixels(t *testing.T) {
	first, second := color.NRGBA{200, 30, 30, 255}, color.NRGBA{30, 30, 200, 255}
	f := Dots{
		Categories: []string{"a", "b"},
		Groups: []DotGroup{
			{Values: [][]float64{{.9, .9, .9}, {.5}}, Color: first},
			{Values: [][]float64{{.2, .7}, nil}, Color: second},
		},
	}.Figure()
	img, err := f.Image(DPI)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(blobs(img, first)); n != 4 {
		t.Errorf("%d dots of the first group, expected 4", n)
	}
	at := blobs(img, second)
	if len(at) != 2 {
		t.Fatalf("%d dots of the second group, expected 2", len(at))
	}
	if at[0].Y >= at[1].Y { // blobs come from the top
		t.Errorf("dots of .7 and .2 at %v", at)
	}
	if dx := at[0].X - at[1].X; dx < -1 || dx > 1 {
		t.Errorf("dots of one group that do not touch stand at %v, expected one above the other", at)
	}
}

// blobs returns a pixel of each connected area that has nearly a color and more than
// the size of a stray edge, from the top.
func blobs(img image.Image, clr color.NRGBA) (at []image.Point) {
	b := img.Bounds()
	seen := map[image.Point]bool{}
	is := func(p image.Point) bool {
		r, g, bl, _ := img.At(p.X, p.Y).RGBA()
		near := func(a uint32, c uint8) bool { return math.Abs(float64(a>>8)-float64(c)) < 24 }
		return p.In(b) && near(r, clr.R) && near(g, clr.G) && near(bl, clr.B)
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			area, sum := 0, image.Point{}
			for todo := []image.Point{{x, y}}; len(todo) > 0; {
				p := todo[len(todo)-1]
				todo = todo[:len(todo)-1]
				if seen[p] || !is(p) {
					continue
				}
				seen[p] = true
				area, sum = area+1, sum.Add(p)
				for _, d := range []image.Point{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
					todo = append(todo, p.Add(d))
				}
			}
			if area > 20 {
				at = append(at, sum.Div(area))
			}
		}
	}
	return at
}

func TestSwarm(t *testing.T) {
	for _, c := range []struct {
		name    string
		heights []vg.Length
		room    vg.Length
		want    []vg.Length
	}{
		{"apart", []vg.Length{0, 10, 20}, 40, []vg.Length{0, 0, 0}},
		{"equal", []vg.Length{5, 5, 5}, 40, []vg.Length{0, 4, -4}},
		{"touching", []vg.Length{0, 3}, 40, []vg.Length{0, 4}},
		{"little room", []vg.Length{5, 5, 5}, 6.5, []vg.Length{0, 3.2, -3.2}},
		{"nothing", nil, 40, nil},
	} {
		if got := swarm(c.heights, 4, c.room); !slices.EqualFunc(got, c.want, func(a, b vg.Length) bool { return math.Abs(float64(a-b)) < 1e-9 }) {
			t.Errorf("%s: moved by %v, expected %v", c.name, got, c.want)
		}
	}
	// However many there are, each has a place within the room; in no room at all they cover each other.
	many := make([]vg.Length, 200)
	seen := map[vg.Length]bool{}
	for _, dx := range swarm(many, 4, 30) {
		if dx < -15 || dx > 15 || seen[dx] {
			t.Fatalf("a mark is moved by %v, expected a place of its own within 15", dx)
		}
		seen[dx] = true
	}
	if got := swarm(many, 4, 0); len(got) != len(many) || slices.Max(got) != 0 {
		t.Errorf("without room marks are moved by up to %v", slices.Max(got))
	}
}

// The alternative text has the numbers that the chart shows.
func TestDotsAlt(t *testing.T) {
	f := Dots{
		Title: "Accuracy of two losses", YLabel: "accuracy", XLabel: "loss",
		Categories: []string{"none", "wo +\nwp"},
		Groups:     []DotGroup{{Name: "train", Values: [][]float64{{.25, .75}, {1}}}, {Name: "test", Values: [][]float64{nil, {.875}}}},
	}.Figure()
	want := "Accuracy of two losses. Strip chart of accuracy by loss. train, means: none 0.5; wo + wp 1. test, means: wo + wp 0.875."
	if f.Alt() != want {
		t.Errorf("the text is %q, expected %q", f.Alt(), want)
	}
}

// Groups differ in gray as well: by marker, whatever the colors.
func TestDotsMarkers(t *testing.T) {
	for i := range 4 {
		for k := range i {
			a, b := strip{index: i, groups: 4}.style().Shape.(marker), strip{index: k, groups: 4}.style().Shape.(marker)
			if slices.Equal(a, b) {
				t.Errorf("groups %d and %d have the same marker", i, k)
			}
		}
	}
}

// Names that fit are broken, one long word turns them all.
func TestDotsNames(t *testing.T) {
	size := vg.Point{X: 300, Y: 200}
	for name, turned := range map[string]bool{"disentangle + wo + wp + bp": false, strings.Repeat("verylong", 8): true} {
		d := Dots{Categories: []string{"none", "a", "b", name}}
		p := newPlot()
		d.nameCategories(p, size)
		if got := p.X.Tick.Label.Rotation != 0; got != turned {
			t.Errorf("%q is turned: %v, expected %v", name, got, turned)
		}
		if label := p.X.Tick.Marker.Ticks(0, 3)[3].Label; !turned && !strings.Contains(label, "\n") {
			t.Errorf("%q is not broken", label)
		}
	}
}
