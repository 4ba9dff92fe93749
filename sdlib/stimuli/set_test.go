package stimuli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
)

func mustOpen(t testing.TB, cfg Config) *Set {
	t.Helper()
	set, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var allObjects = []Objects{All256, Compositional32, OODShape, OODColor, OODShapeColor}

// opened are the sets that eachSet has opened.
var opened = map[Config]*Set{}

// eachSet runs a test over every task, set and split in a small geometry, then over every geometry.
func eachSet(t *testing.T, size int, test func(t *testing.T, set *Set)) {
	var configs []Config
	for _, task := range []Task{Discrimination, RMTS} {
		for _, objects := range allObjects {
			for _, split := range []Split{Train, Val, Test, TestIID} {
				configs = append(configs, Config{Task: task, Objects: objects, Split: split, Geometry: Course, Size: size, Seed: 3})
			}
		}
		for _, g := range Geometries() {
			configs = append(configs, Config{Task: task, Geometry: g, Size: 60, Seed: uint64(g.Patch)})
		}
	}
	for _, cfg := range configs {
		t.Run(fmt.Sprintf("%s/%s/%s/%s", cfg.Task, cfg.Objects, cfg.Split, cfg.Geometry.Name), func(t *testing.T) {
			if opened[cfg] == nil {
				opened[cfg] = mustOpen(t, cfg)
			}
			test(t, opened[cfg])
		})
	}
}

// TestPixels holds the records against the images: objects lie in their boxes, boxes in their cells, tokens are the
// patches with object pixels in them, everything else is white, and object pixels are near their color.
func TestPixels(t *testing.T) {
	eachSet(t, 60, func(t *testing.T, set *Set) {
		g := set.Geometry()
		pixels := set.Images(nil)
		size := g.Image * g.Image * 3
		for i := range set.Len() {
			s := set.Stimulus(i)
			owner := map[int]int{} // pixel -> object
			cells := map[int]bool{}
			for o, object := range s.Objects {
				cell := [4]int{object.Col * g.Patch, object.Row * g.Patch, object.Col*g.Patch + g.Cell, object.Row*g.Patch + g.Cell}
				b := object.Box
				if b.Min.X < cell[0] || b.Min.Y < cell[1] || b.Max.X > cell[2] || b.Max.Y > cell[3] || b.Dx() != g.Object || b.Dy() != g.Object {
					t.Fatalf("stimulus %d: box %v is not in its cell %v", i, b, cell)
				}
				if b.Min.X != cell[0]+object.DX || b.Min.Y != cell[1]+object.DY {
					t.Fatalf("stimulus %d: box %v disagrees with jitter %d, %d", i, b, object.DX, object.DY)
				}
				if len(object.Tokens) != g.TokensPerObject() {
					t.Fatalf("stimulus %d: %d tokens, want %d", i, len(object.Tokens), g.TokensPerObject())
				}
				for _, token := range object.Tokens {
					if cells[token] {
						t.Fatalf("stimulus %d: two objects claim patch %d", i, token)
					}
					cells[token] = true
				}
				mask, err := ShapeMask(object.Shape, g.Object)
				if err != nil {
					t.Fatal(err)
				}
				for y := range g.Object {
					for x := range g.Object {
						if mask.At(x, y) {
							owner[(b.Min.Y+y)*g.Image+b.Min.X+x] = o
						}
					}
				}
			}
			for p := range g.Image * g.Image {
				rgb := pixels[i*size+3*p : i*size+3*p+3]
				o, isObject := owner[p]
				if !isObject {
					if rgb[0] != background || rgb[1] != background || rgb[2] != background {
						t.Fatalf("stimulus %d: background pixel %d is %v", i, p, rgb)
					}
					continue
				}
				object := s.Objects[o]
				if patch := p/g.Image/g.Patch*g.Grid() + p%g.Image/g.Patch; !contains(object.Tokens, patch) {
					t.Fatalf("stimulus %d: a pixel of object %d lies in patch %d, its tokens are %v", i, o, patch, object.Tokens)
				}
				color := Colors[object.Color]
				for c, mean := range []uint8{color.R, color.G, color.B} {
					if d := int(rgb[c]) - int(min(mean, DefaultClip)); d < -46 || d > 41 || rgb[c] > DefaultClip {
						t.Fatalf("stimulus %d: channel %d of an object of color %s is %d", i, c, color.Name, rgb[c])
					}
				}
			}
		}
	})
}

func contains(list []int, v int) bool {
	for _, have := range list {
		if have == v {
			return true
		}
	}
	return false
}

// TestAnyGeometry opens sets in random geometries that fit, down to the smallest sizes of set, and holds records against
// pixels: what lies outside the cells is white, every cell has color in it, and cells are disjoint.
func TestAnyGeometry(t *testing.T) {
	random := newStream(11)
	for range 300 {
		g := Geometry{Patch: 2 + random.below(12)}
		cells := 1 + random.below(3)
		g.Cell = cells * g.Patch
		g.Image = (2*cells + random.below(5)) * g.Patch
		g.Object = max(1, g.Cell-random.below(g.Cell))
		g.Jitter = random.below(g.Cell - g.Object + 1)
		cfg := Config{Geometry: g, Seed: random.next(), Size: 4, Objects: allObjects[random.below(len(allObjects))]}
		if random.below(2) == 0 {
			cfg.Task, cfg.Size = RMTS, 4+4*random.below(3)
		}
		set := mustOpen(t, cfg)
		for i := range set.Len() {
			pixels := make([]uint8, set.imageBytes())
			set.Draw(i, pixels)
			colored := map[int]bool{}
			for p := range g.Image * g.Image {
				if pixels[3*p] != background || pixels[3*p+1] != background || pixels[3*p+2] != background {
					colored[p/g.Image/g.Patch*g.Grid()+p%g.Image/g.Patch] = true
				}
			}
			claimed := map[int]bool{}
			for o, object := range set.Stimulus(i).Objects {
				touched := false
				for _, token := range object.Tokens {
					if claimed[token] {
						t.Fatalf("%+v: stimulus %d: two objects claim patch %d", cfg, i, token)
					}
					claimed[token] = true
					touched = touched || colored[token]
				}
				if !touched && g.Object >= 4 { // of smaller ones, hardly a pixel may be left
					t.Fatalf("%+v: stimulus %d: object %d is not drawn", cfg, i, o)
				}
			}
			for token := range colored {
				if !claimed[token] {
					t.Fatalf("%+v: stimulus %d: color in patch %d, which no object claims", cfg, i, token)
				}
			}
		}
	}
}

// TestDrawnAlone draws images one by one, backward, on one and on many goroutines: always the same bytes.
func TestDrawnAlone(t *testing.T) {
	set := mustOpen(t, Config{Task: RMTS, Geometry: Course, Size: 200, Seed: 9})
	all := set.Images(nil)
	previous := runtime.GOMAXPROCS(1)
	one := set.Images(nil)
	runtime.GOMAXPROCS(previous)
	if !bytes.Equal(all, one) {
		t.Error("one goroutine draws other bytes than several")
	}
	again := mustOpen(t, set.Config())
	size := set.imageBytes()
	dst := bytes.Repeat([]byte{7}, size)
	for i := set.Len() - 1; i >= 0; i-- {
		again.Draw(i, dst)
		if !bytes.Equal(dst, all[i*size:(i+1)*size]) {
			t.Fatalf("image %d drawn alone has other bytes", i)
		}
	}
	if some := set.Images([]int{5, 3}); !bytes.Equal(some[:size], all[5*size:6*size]) || !bytes.Equal(some[size:], all[3*size:4*size]) {
		t.Error("Images(5, 3) are not images 5 and 3")
	}
	image := set.Image(2)
	for p := range 64 * 64 {
		if got := image.Pix[4*p : 4*p+4]; !bytes.Equal(got[:3], all[2*size+3*p:2*size+3*p+3]) || got[3] != 255 {
			t.Fatalf("pixel %d of Image(2) is %v, unlike Draw's", p, got)
		}
	}
}

// TestSmallerIsPrefix checks that a smaller discrimination set is the beginning of a larger one.
func TestSmallerIsPrefix(t *testing.T) {
	small := mustOpen(t, Config{Geometry: Course, Size: 40, Seed: 1})
	large := mustOpen(t, Config{Geometry: Course, Size: 400, Seed: 1})
	first := make([]int, 40)
	for i := range first {
		first[i] = i
	}
	if !bytes.Equal(small.Images(nil), large.Images(first)) {
		t.Error("the first 40 of 400 stimuli are not the set of 40")
	}
}

// TestNoImageTwice draws the four splits of a set, and two seeds, and finds no image equal to another.
func TestNoImageTwice(t *testing.T) {
	for _, objects := range []Objects{All256, OODShapeColor} {
		seen := map[[32]byte]string{}
		for _, seed := range []uint64{0, 1} {
			for _, split := range []Split{Train, Val, Test, TestIID} {
				set := mustOpen(t, Config{Geometry: CourseQuick, Objects: objects, Split: split, Size: 1600, Seed: seed})
				pixels, size := set.Images(nil), set.imageBytes()
				for i := range set.Len() {
					name := fmt.Sprintf("seed %d %s %d", seed, split, i)
					sum := sha256.Sum256(pixels[i*size : (i+1)*size])
					if other, ok := seen[sum]; ok {
						t.Fatalf("%s: %s equals %s", objects, name, other)
					}
					seen[sum] = name
				}
			}
		}
	}
}

// TestGolden pins the bytes: a change of any draw is a change of every result made from it. The hashes were taken on
// amd64 and hold on every architecture.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Geometry: B16}, "b6e0b9317c3dce8c"},
		{Config{Geometry: B14, Split: Test, Objects: Compositional32, Seed: 1}, "6abf3550dad9d060"},
		{Config{Geometry: B32, Split: Val, Objects: OODShapeColor, Seed: 2}, "ad55ef294686f405"},
		{Config{Task: RMTS, Geometry: Course, Seed: 3}, "bd13856f1e8ffa31"},
		{Config{Task: RMTS, Geometry: CourseQuick, Split: TestIID, Seed: math.MaxUint64, NoiseSD: math.Sqrt(10), Clip: 255}, "ff9e0f52ab5d474a"},
	} {
		c.cfg.Size = 64
		sum := sha256.Sum256(mustOpen(t, c.cfg).Images(nil))
		if got := hex.EncodeToString(sum[:8]); got != c.want {
			t.Errorf("%+v: hash %s, want %s", c.cfg, got, c.want)
		}
	}
}

func TestArrays(t *testing.T) {
	set := mustOpen(t, Config{Task: RMTS, Geometry: B16, Size: 12})
	labels, tokens := set.Labels(), set.Tokens()
	shapes, colors := set.Attributes()
	if len(labels) != 12 || len(tokens) != 12*4*4 || len(shapes) != 12*4 || len(colors) != 12*4 {
		t.Fatalf("lengths %d, %d, %d, %d", len(labels), len(tokens), len(shapes), len(colors))
	}
	for i := range set.Len() {
		s := set.Stimulus(i)
		if int(labels[i]) != s.Label {
			t.Errorf("label %d", i)
		}
		for o, object := range s.Objects {
			if int(shapes[i*4+o]) != object.Shape || int(colors[i*4+o]) != object.Color {
				t.Errorf("attributes of stimulus %d, object %d", i, o)
			}
			for p, token := range object.Tokens {
				if int(tokens[(i*4+o)*4+p]) != token {
					t.Errorf("token %d of stimulus %d, object %d", p, i, o)
				}
			}
		}
	}
}

func TestConfigErrors(t *testing.T) {
	valid := func(change func(*Config)) Config {
		cfg := Config{Geometry: Course, Size: 8}
		change(&cfg)
		return cfg
	}
	for name, c := range map[string]struct {
		cfg  Config
		says string
	}{
		"task":      {valid(func(c *Config) { c.Task = "disc" }), `unknown task "disc": expected one of discrimination, rmts`},
		"objects":   {valid(func(c *Config) { c.Objects = "64" }), "expected one of 256, 32, ood-shape"},
		"split":     {valid(func(c *Config) { c.Split = "dev" }), "expected one of train, val, test, test-iid"},
		"odd":       {valid(func(c *Config) { c.Size = 7 }), "multiple of 2"},
		"negative":  {valid(func(c *Config) { c.Size = -2 }), "multiple of 2"},
		"huge":      {valid(func(c *Config) { c.Size = 1 << 30 }), "multiple of 2"},
		"rmts size": {valid(func(c *Config) { c.Task, c.Size = RMTS, 6 }), "multiple of 4"},
		"noise":     {valid(func(c *Config) { c.NoiseSD = math.NaN() }), "standard deviation"},
		"noise inf": {valid(func(c *Config) { c.NoiseSD = math.Inf(1) }), "standard deviation"},
		"clip":      {valid(func(c *Config) { c.Clip = 256 }), "expected 1..255"},
		"patch":     {valid(func(c *Config) { c.Geometry.Patch = 15 }), "divisor of the image's 64"},
		"image":     {valid(func(c *Config) { c.Geometry.Image = 1 << 20 }), "expected 1..4096"},
		"cell":      {valid(func(c *Config) { c.Geometry.Cell = 12 }), "multiple of the patch's 8"},
		"object":    {valid(func(c *Config) { c.Geometry.Object = 17 }), "the cell's size"},
		"jitter":    {valid(func(c *Config) { c.Geometry.Jitter = 5 }), "at most 4"},
		"no room":   {valid(func(c *Config) { c.Geometry.Cell = 48 }), "two disjoint cells"},
	} {
		if _, err := Open(c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
	if _, err := ParseGeometry("b8"); err == nil || !strings.Contains(err.Error(), "b16, b32, b14, b16-112, b14-112, course, course-quick") {
		t.Errorf("ParseGeometry(b8): %v, want the known names", err)
	}
}

// TestConfigJSON pins the form that keys of stored results are made of: a change would orphan them.
func TestConfigJSON(t *testing.T) {
	got, err := json.Marshal(mustOpen(t, Config{}).Config())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"task":"discrimination","geometry":{"name":"b16","image":224,"patch":16,"cell":32,"object":24,"jitter":8},"objects":"256","split":"train","size":6400,"seed":0,"noise_sd":10,"clip":250}`
	if string(got) != want {
		t.Errorf("configuration in JSON\n%s\nwant\n%s", got, want)
	}
}

func TestDrawWrongLength(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Draw into a short slice did not panic")
		}
	}()
	mustOpen(t, Config{Geometry: Course, Size: 2}).Draw(0, make([]uint8, 10))
}
