package stimuli

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"math"
	"strings"
	"testing"
)

// everyFactor is a set in which everything varies at once.
var everyFactor = Factors{
	OffGrid: true, Count: 4, Size: Range{8, 16}, Turn: Range{-180, 180}, Contrast: Range{30, 100}, Texture: Mixed, BackgroundNoise: 4,
}

// TestFactors draws sets that vary one thing, and everything, and checks records against each other: sizes in range,
// boxes disjoint and inside the image, tokens the patches of the box.
func TestFactors(t *testing.T) {
	for name, f := range map[string]Factors{
		"off grid": {OffGrid: true}, "count": {Count: 5}, "crowded": {Count: 16}, "size": {Size: Range{6, 16}}, "turn": {Turn: Range{45, 45}},
		"contrast": {Contrast: Range{20, 60}}, "texture": {Texture: Checks}, "background": {BackgroundNoise: 8}, "all": everyFactor,
	} {
		t.Run(name, func(t *testing.T) {
			set := mustOpen(t, Config{Geometry: Course, Size: 60, Seed: 4, Factors: f})
			g := set.Geometry()
			count := orDefault(f.Count, 2)
			sizes, turns, contrasts, textures := map[int]bool{}, map[int]bool{}, map[int]bool{}, map[Texture]bool{}
			for i := range set.Len() {
				s := set.Stimulus(i)
				if len(s.Objects) != count || len(s.Pairs) != count*(count-1)/2 {
					t.Fatalf("stimulus %d has %d objects and %d pairs", i, len(s.Objects), len(s.Pairs))
				}
				items := map[item]int{}
				for o, object := range s.Objects {
					items[item{object.Shape, object.Color}]++
					sizes[object.Box.Dx()], turns[object.Turn], contrasts[object.Contrast], textures[object.Texture] = true, true, true, true
					if !object.Box.In(image.Rect(0, 0, g.Image, g.Image)) || object.Box.Dx() != object.Box.Dy() {
						t.Fatalf("stimulus %d: box %v", i, object.Box)
					}
					for _, other := range s.Objects[:o] {
						if object.Box.Overlaps(other.Box) {
							t.Fatalf("stimulus %d: boxes %v and %v overlap", i, object.Box, other.Box)
						}
					}
					touched := g.Covered(object.Box)
					for _, token := range touched {
						if !contains(object.Tokens, token) {
							t.Fatalf("stimulus %d: box %v touches patch %d, tokens are %v", i, object.Box, token, object.Tokens)
						}
					}
					if f.OffGrid && len(touched) != len(object.Tokens) {
						t.Fatalf("stimulus %d: tokens %v, the box touches %v", i, object.Tokens, touched)
					}
				}
				if (len(items) == 1) != (s.Label == 1) || len(items) > 2 {
					t.Fatalf("stimulus %d, label %d: %v", i, s.Label, items)
				}
				if s.Label == 0 && count > 2 {
					odd := 0
					for _, times := range items {
						if times == 1 {
							odd++
						}
					}
					if odd != 1 {
						t.Fatalf("stimulus %d has %d odd ones out, want 1", i, odd)
					}
				}
			}
			inRange := func(what string, seen map[int]bool, r Range, fallback int) {
				if r == (Range{}) {
					r = Range{fallback, fallback}
				}
				for v := range seen {
					if v < r.Min || v > r.Max {
						t.Errorf("%s %d is outside %v", what, v, r)
					}
				}
				if r.Max > r.Min && len(seen) < 5 {
					t.Errorf("%s takes only %d values of %v", what, len(seen), r)
				}
			}
			inRange("size", sizes, f.Size, g.Object)
			inRange("turn", turns, f.Turn, 0)
			inRange("contrast", contrasts, f.Contrast, 100)
			if want := map[Texture]int{Plain: 1, Checks: 1, Mixed: 4}[f.Texture]; len(textures) != want {
				t.Errorf("textures %v, want %d", textures, want)
			}
			plain := mustOpen(t, Config{Geometry: Course, Size: 60, Seed: 4})
			if string(plain.Images(nil)) == string(set.Images(nil)) {
				t.Error("the factor changes no pixel")
			}
		})
	}
}

// TestFactorsAgreeWithPlain checks that the general way of painting objects draws the plain ones exactly: a range that
// holds only the default size, drawn pixel by pixel, against the outlines.
func TestFactorsAgreeWithPlain(t *testing.T) {
	set := mustOpen(t, Config{Geometry: B16, Size: 40})
	size := set.imageBytes()
	plain, varied := make([]uint8, size), make([]uint8, size)
	for i := range set.Len() {
		fill(plain, background)
		fill(varied, background)
		for _, o := range set.Stimulus(i).Objects {
			set.painter.paint(plain, o, newStream(uint64(i)))
			at := (o.Box.Min.Y*224 + o.Box.Min.X) * 3
			set.painter.paintVaried(varied[at:], o, contrasted(Colors[o.Color], 100), newStream(uint64(i)))
		}
		if string(plain) != string(varied) {
			t.Fatalf("stimulus %d: the two ways of painting differ", i)
		}
	}
}

// TestTurned checks that turning by 0 and by quarter turns moves pixels as a rotation does, that a turned silhouette keeps
// its area, and that no table entry is near a rounding boundary.
func TestTurned(t *testing.T) {
	for degrees := -360; degrees <= 360; degrees++ {
		s, c := math.Sincos(float64(degrees) * math.Pi / 180)
		for _, v := range []float64{s, c} {
			if d := math.Abs(math.Abs(v*turnUnit-math.Floor(v*turnUnit)) - .5); d < 1e-6 {
				t.Errorf("%d degrees: %.9f is too near a rounding boundary", degrees, v*turnUnit)
			}
		}
	}
	draw := func(shape, turn int) []bool {
		cfg, err := Config{Geometry: B16, NoiseSD: -1, Factors: Factors{Turn: Range{0, 360}}}.Resolved()
		if err != nil {
			t.Fatal(err)
		}
		pixels := make([]uint8, 224*224*3)
		fill(pixels, background)
		newPainter(cfg).paint(pixels, Object{Shape: shape, Contrast: 100, Turn: turn, Box: image.Rect(0, 0, 24, 24)}, stream{})
		out := make([]bool, 24*24)
		for i := range out {
			out[i] = pixels[(i/24*224+i%24)*3+1] != background
		}
		return out
	}
	for shape := range NumShapes {
		upright, quarter := draw(shape, 0), draw(shape, 90)
		for y := range 24 {
			for x := range 24 {
				// Clockwise by 90 degrees: (x, y) goes to (23-y, x).
				if upright[y*24+x] != quarter[x*24+23-y] {
					t.Fatalf("%s turned by 90 degrees: pixel %d, %d is not where it should be", ShapeName(shape), x, y)
				}
			}
		}
		area := func(mask []bool) (n int) {
			for _, bit := range mask {
				if bit {
					n++
				}
			}
			return n
		}
		for _, turn := range []int{0, 17, 45, 123, -80} {
			mask, err := ShapeMask(shape, 240)
			if err != nil {
				t.Fatal(err)
			}
			want := float64(mask.Area()) / 100 * 25 / 49 // 5/7 of the size
			if got := float64(area(draw(shape, turn))); math.Abs(got-want)/want > .15 {
				t.Errorf("%s turned by %d degrees has %v pixels, want about %.0f", ShapeName(shape), turn, got, want)
			}
		}
	}
}

func TestFactorErrors(t *testing.T) {
	for name, c := range map[string]struct {
		task Task
		f    Factors
		says string
	}{
		"one":        {Discrimination, Factors{Count: 1}, "1 objects"},
		"too many":   {Discrimination, Factors{Count: 17}, "expected 2..16"},
		"rmts":       {RMTS, Factors{Count: 3}, "discrimination only"},
		"size":       {Discrimination, Factors{Size: Range{10, 17}}, "inside 4..16"},
		"reversed":   {Discrimination, Factors{Size: Range{12, 10}}, "inside 4..16"},
		"turn":       {Discrimination, Factors{Turn: Range{0, 400}}, "inside -360..360"},
		"contrast":   {Discrimination, Factors{Contrast: Range{0, 50}}, "inside 1..100"},
		"texture":    {Discrimination, Factors{Texture: "wool"}, "stripes, checks, dots, mixed"},
		"background": {Discrimination, Factors{BackgroundNoise: math.NaN()}, "background noise"},
	} {
		_, err := Open(Config{Task: c.task, Geometry: Course, Size: 8, Factors: c.f})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

func TestFactorsGolden(t *testing.T) {
	sum := sha256.Sum256(mustOpen(t, Config{Geometry: Course, Size: 64, Factors: everyFactor}).Images(nil))
	if got, want := hex.EncodeToString(sum[:8]), "f338391d3710ae6f"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}
