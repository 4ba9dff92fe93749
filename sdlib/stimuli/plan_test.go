package stimuli

import (
	"fmt"
	"math"
	"testing"
)

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
		pairs := map[couple]int{}
		for i := range set.Len() {
			s := set.Stimulus(i)
			var ends couple
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
			pairs[ends.sorted()]++
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
						count := pairs[couple{b, a}]
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

// TestJitter checks that offsets take every value of 0..Jitter, both ends included, equally often on both axes.
func TestJitter(t *testing.T) {
	for _, g := range []Geometry{B16, B14, Course} {
		set := mustOpen(t, Config{Geometry: g, Size: 3200})
		counts := make([][2]float64, g.Jitter+1)
		for i := range set.Len() {
			for _, o := range set.Stimulus(i).Objects {
				counts[o.DX][0]++
				counts[o.DY][1]++
			}
		}
		expected := 6400 / float64(g.Jitter+1)
		for axis := range 2 {
			chi := 0.
			for _, count := range counts {
				chi += (count[axis] - expected) * (count[axis] - expected) / expected
			}
			if chi > 26.2 { // 99.9th percentile of chi-squared with 8 degrees of freedom, the most there are
				t.Errorf("%s: chi-squared of jitter on axis %d is %.1f, want at most 26.2", g.Name, axis, chi)
			}
		}
	}
}
