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
			test(t, mustOpen(t, cfg))
		})
	}
}

// TestCounts checks the numbers of section 2 and appendix A: halves by label, thirds by kind, quarters by RMTS cell.
func TestCounts(t *testing.T) {
	eachSet(t, DefaultSize, func(t *testing.T, set *Set) {
		labels, kinds, cells := map[int]int{}, map[Kind]int{}, map[[2]int]int{}
		for i := range set.Len() {
			s := set.Stimulus(i)
			if s.Index != i {
				t.Fatalf("stimulus %d calls itself %d", i, s.Index)
			}
			labels[s.Label]++
			kinds[s.Kind]++
			if len(s.Pairs) == 2 {
				cells[[2]int{s.Pairs[0].Label, s.Pairs[1].Label}]++
			}
		}
		n := set.Len()
		if labels[0] != n/2 || labels[1] != n/2 {
			t.Errorf("labels %v, want %d of each", labels, n/2)
		}
		if kinds[Same] != n/2 {
			t.Errorf("%d same pairs, want %d", kinds[Same], n/2)
		}
		for _, kind := range kindCycle {
			if third := float64(n) / 6; math.Abs(float64(kinds[kind])-third) > 1 {
				t.Errorf("%d pairs of kind %s, want %.1f up or down", kinds[kind], kind, third)
			}
		}
		for cell, count := range cells {
			if count != n/4 {
				t.Errorf("%d stimuli with (sample, display) = %v, want %d", count, cell, n/4)
			}
		}
	})
}

// TestLabelsAndPairs derives every label and kind again from shapes and colors.
func TestLabelsAndPairs(t *testing.T) {
	eachSet(t, 600, func(t *testing.T, set *Set) {
		for i := range set.Len() {
			s := set.Stimulus(i)
			for p, pair := range s.Pairs {
				a, b := s.Objects[pair.First], s.Objects[pair.Second]
				same := a.Shape == b.Shape && a.Color == b.Color
				if same != (pair.Label == 1) {
					t.Fatalf("stimulus %d, pair %d: label %d for %v and %v", i, p, pair.Label, a, b)
				}
			}
			a, b := s.Objects[0], s.Objects[1]
			want := map[[2]bool]Kind{{true, true}: Same, {false, true}: ShapeOnly, {true, false}: ColorOnly, {false, false}: Both}[[2]bool{a.Shape == b.Shape, a.Color == b.Color}]
			if s.Kind != want {
				t.Fatalf("stimulus %d: kind %s, want %s", i, s.Kind, want)
			}
			label := s.Pairs[0].Label
			if len(s.Pairs) == 2 {
				label = 0
				if s.Pairs[0].Label == s.Pairs[1].Label {
					label = 1
				}
				display, sample := s.Objects[2:], s.Objects[:2]
				if sameItems(display, sample) {
					t.Fatalf("stimulus %d: the display pair equals the sample pair", i)
				}
			}
			if s.Label != label {
				t.Fatalf("stimulus %d: label %d, want %d", i, s.Label, label)
			}
		}
	})
}

func sameItems(a, b []Object) bool {
	it := func(o Object) item { return item{o.Shape, o.Color} }
	return it(a[0]) == it(b[0]) && it(a[1]) == it(b[1]) || it(a[0]) == it(b[1]) && it(a[1]) == it(b[0])
}

// TestBalance checks that objects are used equally often, and that within a kind no pair comes k+1 times while another
// came fewer than k times.
func TestBalance(t *testing.T) {
	eachSet(t, DefaultSize, func(t *testing.T, set *Set) {
		items := set.Config().items()
		index := map[item]int{}
		for i, it := range items {
			index[it] = i
		}
		different, doubled := make([]int, len(items)), make([]int, len(items))
		pairs := map[[2]int]int{}
		for i := range set.Len() {
			s := set.Stimulus(i)
			var ends [2]int
			for e, o := range s.Objects[:2] {
				at, ok := index[item{o.Shape, o.Color}]
				if !ok {
					t.Fatalf("stimulus %d shows shape %d in color %d, which is not in this set and split", i, o.Shape, o.Color)
				}
				ends[e] = at
			}
			if ends[0] == ends[1] {
				doubled[ends[0]]++
				continue
			}
			different[ends[0]]++
			different[ends[1]]++
			pairs[unordered(ends)]++
		}
		if s := spread(different); s > 3 {
			t.Errorf("objects are in different pairs with counts that spread by %d", s)
		}
		if s := spread(doubled); s > 4 {
			t.Errorf("objects are doubled with counts that spread by %d", s)
		}
		for _, kind := range kindCycle {
			low, high := math.MaxInt, 0
			for a := range items {
				for b := range a {
					if kindOf(items[a], items[b]) == kind {
						count := pairs[[2]int{b, a}]
						low, high = min(low, count), max(high, count)
					}
				}
			}
			if high > low+1 {
				t.Errorf("%s: a pair came %d times while another came %d times", kind, high, low)
			}
		}
	})
}

func spread(counts []int) int {
	low, high := counts[0], counts[0]
	for _, c := range counts {
		low, high = min(low, c), max(high, c)
	}
	return high - low
}

// TestCompositional checks that the test combinations are the 224 that training, validation and the IID test leave out.
func TestCompositional(t *testing.T) {
	trained := map[item]bool{}
	for _, split := range []Split{Train, Val, TestIID} {
		items := Config{Objects: Compositional32, Split: split}.items()
		shapes, colors := map[int]int{}, map[int]int{}
		for _, it := range items {
			trained[it] = true
			shapes[it.shape]++
			colors[it.color]++
		}
		for id := range BaseShapes {
			if shapes[id] != 2 || colors[id] != 2 {
				t.Errorf("%s: shape %d has %d colors and color %d has %d shapes, want 2", split, id, shapes[id], id, colors[id])
			}
		}
	}
	if len(trained) != 32 || !trained[item{shape: 14, color: 0}] || !trained[item{shape: 0, color: 1}] {
		t.Errorf("trained on %d combinations, want 32 by the documented rule", len(trained))
	}
	test := Config{Objects: Compositional32, Split: Test}.items()
	if len(test) != 224 {
		t.Errorf("%d test combinations, want 224", len(test))
	}
	for _, it := range test {
		if trained[it] {
			t.Errorf("shape %d in color %d is trained and tested", it.shape, it.color)
		}
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

// TestDisplayPlace checks the display pair's patches that appendix A gives.
func TestDisplayPlace(t *testing.T) {
	for name, want := range map[string][2][]int{
		"b16": {{0, 1, 14, 15}, {2, 3, 16, 17}},
		"b32": {{0}, {1}},
		"b14": {{0, 1, 16, 17}, {2, 3, 18, 19}},
	} {
		g, err := ParseGeometry(name)
		if err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, Config{Task: RMTS, Geometry: g, Size: 8}).Stimulus(5)
		for d, tokens := range want {
			if o := s.Objects[2+d]; fmt.Sprint(o.Tokens) != fmt.Sprint(tokens) {
				t.Errorf("%s: %s has tokens %v, want %v", name, o.Role, o.Tokens, tokens)
			}
		}
	}
}

// TestPlaces checks that every corner is used, and evenly: a chi-squared test of the B/32 corners, symmetric under
// turning the grid.
func TestPlaces(t *testing.T) {
	cfg, err := Config{Geometry: B32}.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, 49)
	const draws = 20000
	for i := range draws {
		for _, at := range cfg.places(2, newStream(5, uint64(i))) {
			counts[at.y/32*7+at.x/32]++
		}
	}
	chi := 0.
	for _, count := range counts {
		expected := 2. * draws / 49
		chi += (float64(count) - expected) * (float64(count) - expected) / expected
	}
	if chi > 84 { // 99.9th percentile of chi-squared with 48 degrees of freedom
		t.Errorf("chi-squared of the corners %.1f, want at most 84", chi)
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
	if _, err := ParseGeometry("b8"); err == nil || !strings.Contains(err.Error(), "b16, b32, b14, course, course-quick") {
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
