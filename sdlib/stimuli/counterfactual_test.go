package stimuli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"
)

func mustOpenCF(t testing.TB, cfg CounterfactualConfig) *Counterfactuals {
	t.Helper()
	set, err := OpenCounterfactuals(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// openedCF are the sets that eachCounterfactual has opened.
var openedCF = map[CounterfactualConfig]*Counterfactuals{}

// eachCounterfactual runs a test over tasks, properties, object sets, splits, seeds and geometries.
func eachCounterfactual(t *testing.T, test func(t *testing.T, set *Counterfactuals)) {
	var configs []CounterfactualConfig
	for _, task := range []Task{Discrimination, RMTS} {
		for _, property := range []Property{ShapeProperty, ColorProperty} {
			for _, objects := range allObjects {
				for s, split := range []Split{Train, Val, Test, TestIID} {
					cfg := Config{Task: task, Objects: objects, Split: split, Geometry: Course, Size: 480, Seed: uint64(s)}
					configs = append(configs, CounterfactualConfig{Set: cfg, Property: property, Size: 80})
				}
			}
			for _, g := range Geometries() {
				configs = append(configs, CounterfactualConfig{Set: Config{Task: task, Geometry: g, Size: 400, Seed: 8}, Property: property, Size: 40})
			}
		}
	}
	for _, cfg := range configs {
		t.Run(fmt.Sprintf("%s/%s/%s/%s/%s", cfg.Set.Task, cfg.Property, cfg.Set.Objects, cfg.Set.Split, cfg.Set.Geometry.Name), func(t *testing.T) {
			if openedCF[cfg] == nil {
				openedCF[cfg] = mustOpenCF(t, cfg)
			}
			test(t, openedCF[cfg])
		})
	}
}

// TestCounterfactualRecords checks what all records have in common: targets, partners, labels, and that carrying the
// property over, and nothing else, makes the base's answer the target.
func TestCounterfactualRecords(t *testing.T) {
	eachCounterfactual(t, func(t *testing.T, set *Counterfactuals) {
		property := set.Config().Property
		targets := 0
		for i := range set.Len() {
			r := set.Record(i)
			targets += r.Target
			if r.Index != i || r.Target != 1-r.Base.Label {
				t.Fatalf("record %d: index %d, target %d, base label %d", i, r.Index, r.Target, r.Base.Label)
			}
			for _, s := range []Stimulus{r.Base, r.CF} {
				for _, pair := range s.Pairs {
					if pair.Label != (Config{}).relation(itemOf(s.Objects[pair.First]), itemOf(s.Objects[pair.Second])) {
						t.Fatalf("record %d: pair %v of %v", i, pair, s.Objects)
					}
				}
				if s.Label != labelOf(s.Pairs) {
					t.Fatalf("record %d: label %d, pairs %v", i, s.Label, s.Pairs)
				}
			}
			pair := r.Base.Pairs[r.Pair]
			if ends := [2]int{min(r.Edited, r.NonEdited), max(r.Edited, r.NonEdited)}; ends != [2]int{pair.First, pair.Second} {
				t.Fatalf("record %d edits %d with partner %d, pair %v", i, r.Edited, r.NonEdited, pair)
			}

			items := itemsOf(r.Base)
			items[r.Edited] = property.with(items[r.Edited], property.of(itemOf(r.CF.Objects[r.Source])))
			var after []Pair
			for _, pair := range r.Base.Pairs {
				after = append(after, Pair{pair.First, pair.Second, Config{}.relation(items[pair.First], items[pair.Second])})
			}
			if got := labelOf(after); got != r.Target {
				t.Fatalf("record %d: the right intervention gives %d, target %d", i, got, r.Target)
			}
			if after[r.Pair].Label != r.Relation() {
				t.Fatalf("record %d: the edited pair becomes %d, Relation says %d", i, after[r.Pair].Label, r.Relation())
			}
		}
		if targets != set.Len()/2 {
			t.Errorf("%d of %d targets are same, want half", targets, set.Len())
		}
	})
}

// TestDiscriminationConditions checks what OpenCounterfactuals promises for discrimination (paper, section 4), and that neither the
// control's source nor the other property would do.
func TestDiscriminationConditions(t *testing.T) {
	eachCounterfactual(t, func(t *testing.T, set *Counterfactuals) {
		if set.Config().Set.Task != Discrimination {
			return
		}
		p := set.Config().Property
		q := p.other()
		edited := [2]int{}
		for i := range set.Len() {
			r := set.Record(i)
			edited[r.Edited]++
			e, n := itemOf(r.Base.Objects[r.Edited]), itemOf(r.Base.Objects[r.NonEdited])
			s, o := itemOf(r.CF.Objects[r.Source]), itemOf(r.CF.Objects[r.Other])
			if r.CF.Label != r.Base.Label {
				t.Fatalf("record %d: labels %d and %d, want equal", i, r.Base.Label, r.CF.Label)
			}
			if q.of(e) != q.of(n) {
				t.Fatalf("record %d: the base's objects differ in %s", i, q)
			}
			if r.Target == 1 {
				third := q.of(o) != q.of(s) && q.of(o) != q.of(e)
				if p.of(e) == p.of(n) || p.of(s) != p.of(n) || q.of(s) == q.of(e) || p.of(o) == p.of(s) || p.of(o) == p.of(e) || !third {
					t.Fatalf("record %d, different to same: base %v, %v; source %v, other %v", i, e, n, s, o)
				}
			} else if e != n || s != o || p.of(s) == p.of(e) || q.of(s) == q.of(e) {
				t.Fatalf("record %d, same to different: base %v, %v; source %v, other %v", i, e, n, s, o)
			}
		}
		if edited[0] < set.Len()/3 || edited[1] < set.Len()/3 {
			t.Errorf("objects 1 and 2 are edited %v times, want about half each", edited)
		}
	})
}

// TestRMTSConditions checks the RMTS construction: the base's layout and objects but for the source's property, source
// and edited object at the same place of their pairs, label and relation crossed.
func TestRMTSConditions(t *testing.T) {
	eachCounterfactual(t, func(t *testing.T, set *Counterfactuals) {
		if set.Config().Set.Task != RMTS {
			return
		}
		p := set.Config().Property
		cells, pairs := map[[2]int]int{}, [2]int{}
		for i := range set.Len() {
			r := set.Record(i)
			cells[[2]int{r.Base.Label, r.Base.Pairs[r.Pair].Label}]++
			pairs[r.Pair]++
			if r.Source != (r.Edited+2)%4 || r.Other != (r.NonEdited+2)%4 {
				t.Fatalf("record %d: edited %d, source %d", i, r.Edited, r.Source)
			}
			for o := range 4 {
				b, c := r.Base.Objects[o], r.CF.Objects[o]
				if !slices.Equal(b.Tokens, c.Tokens) {
					t.Fatalf("record %d: object %d moves", i, o)
				}
				if want := itemOf(b); o == r.Source {
					if p.with(want, p.of(itemOf(c))) != itemOf(c) {
						t.Fatalf("record %d: the source changes more than its %s", i, p)
					}
				} else if itemOf(c) != want {
					t.Fatalf("record %d: object %d changes", i, o)
				}
			}
			e, n := itemOf(r.Base.Objects[r.Edited]), itemOf(r.Base.Objects[r.NonEdited])
			if k := kindOf(e, n); k != Same && k != differsIn(p) {
				t.Fatalf("record %d: the edited pair differs by %s", i, k)
			}
			if e == n && itemOf(r.CF.Objects[r.Source]) == itemOf(r.Base.Objects[r.Source]) {
				t.Fatalf("record %d: nothing changes in the counterfactual image", i)
			}
		}
		for cell, count := range cells {
			if count != set.Len()/4 {
				t.Errorf("%d records with (label, relation) = %v, want %d", count, cell, set.Len()/4)
			}
		}
		if set.Config().Set.Objects == All256 && abs(pairs[0]-pairs[1]) > set.Len()/8 {
			t.Errorf("sample and display pairs are edited %v times, want about half each", pairs)
		}
	})
}

// TestCounterfactualTokens checks the arrays against the records, and that the random patches hold no object.
func TestCounterfactualTokens(t *testing.T) {
	eachCounterfactual(t, func(t *testing.T, set *Counterfactuals) {
		p := set.Base().TokensPerObject()
		tokens := set.Tokens()
		for i := range set.Len() {
			r := set.Record(i)
			for what, c := range map[string]struct {
				list []int32
				want []int
			}{
				"edited":     {tokens.Edited, r.Base.Objects[r.Edited].Tokens},
				"non-edited": {tokens.NonEdited, r.Base.Objects[r.NonEdited].Tokens},
				"source":     {tokens.Source, r.CF.Objects[r.Source].Tokens},
				"other":      {tokens.Other, r.CF.Objects[r.Other].Tokens},
				"random":     {tokens.Random, r.Random},
			} {
				if got := fmt.Sprint(c.list[i*p : (i+1)*p]); got != fmt.Sprint(c.want) {
					t.Fatalf("record %d: %s tokens %s, want %v", i, what, got, c.want)
				}
			}
			for _, o := range r.CF.Objects {
				for _, token := range o.Tokens {
					if contains(r.Random, token) {
						t.Fatalf("record %d: random patches %v, object %v", i, r.Random, o.Tokens)
					}
				}
			}
			if set.Targets()[i] != int32(r.Target) {
				t.Fatalf("target %d", i)
			}
		}
	})
}

// TestCounterfactualSizes makes the paper's number of pairs for every split and object set; with the 32 set's display
// pairs, few of which differ in one property only, that is the hardest case.
func TestCounterfactualSizes(t *testing.T) {
	for _, task := range []Task{Discrimination, RMTS} {
		for _, objects := range allObjects {
			set := mustOpenCF(t, CounterfactualConfig{Set: Config{Task: task, Geometry: Course, Objects: objects}, Property: ColorProperty})
			if set.Len() != DefaultCounterfactuals {
				t.Errorf("%s %s: %d pairs, want %d", task, objects, set.Len(), DefaultCounterfactuals)
			}
		}
	}
}

// TestCounterfactualImages checks that no image of the pairs equals another or one of the set they come from, and that the
// bytes stay.
func TestCounterfactualImages(t *testing.T) {
	cfg := CounterfactualConfig{Set: Config{Geometry: Course, Size: 1200}, Property: ShapeProperty, Size: 200}
	set := mustOpenCF(t, cfg)
	color := mustOpenCF(t, CounterfactualConfig{Set: cfg.Set, Property: ColorProperty, Size: 200})
	seen := map[[32]byte]bool{}
	all := sha256.New()
	for _, s := range []*Set{mustOpen(t, cfg.Set), set.Base(), set.CF(), color.Base(), color.CF()} {
		pixels, size := s.Images(nil), s.imageBytes()
		for i := range s.Len() {
			sum := sha256.Sum256(pixels[i*size : (i+1)*size])
			if seen[sum] {
				t.Fatalf("image %d comes twice", i)
			}
			seen[sum] = true
		}
		all.Write(pixels)
	}
	if got, want := hex.EncodeToString(all.Sum(nil)[:8]), "5c469d3e96f1627d"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

// TestCounterfactualsOffGrid checks that pairs off the patch grid have all their patches, padded with -1, and that base and
// counterfactual cells of RMTS stay where they are.
func TestCounterfactualsOffGrid(t *testing.T) {
	for _, task := range []Task{Discrimination, RMTS} {
		set := mustOpenCF(t, CounterfactualConfig{Set: Config{Task: task, Geometry: B16, Size: 240, Factors: Factors{OffGrid: true}}, Property: ColorProperty, Size: 40})
		p := max(set.Base().TokensPerObject(), set.CF().TokensPerObject())
		tokens := set.Tokens()
		if p != 9 || len(tokens.Edited) != 40*p || len(tokens.Random) != 40*p || !slices.Contains(tokens.Source, -1) {
			t.Fatalf("%s: %d patches per object, %d tokens", task, p, len(tokens.Edited))
		}
		for i := range set.Len() {
			r := set.Record(i)
			for o, object := range r.Base.Objects {
				cf := r.CF.Objects[o]
				base := image.Pt(object.Box.Min.X-object.DX, object.Box.Min.Y-object.DY)
				if task == RMTS && base != image.Pt(cf.Box.Min.X-cf.DX, cf.Box.Min.Y-cf.DY) {
					t.Fatalf("record %d: cell %d moves", i, o)
				}
			}
			if len(r.Random) != len(r.CF.Objects[r.Source].Tokens) {
				t.Fatalf("record %d: %d random patches for %v", i, len(r.Random), r.CF.Objects[r.Source].Tokens)
			}
		}
	}
}

// TestCrowdedCell checks where the random-patch control goes when objects fill the grid: on other objects, or, when the
// source itself leaves no room, nowhere.
func TestCrowdedCell(t *testing.T) {
	cfg := Config{Geometry: Geometry{Image: 4, Patch: 1, Cell: 2}}
	var s Stimulus
	for _, tokens := range [][]int{{0, 1, 4, 5}, {2, 3, 6, 7}, {8, 9, 12, 13}, {10, 11, 14, 15}} {
		s.Objects = append(s.Objects, Object{Tokens: tokens})
	}
	random := newStream(1)
	for range 20 {
		for _, token := range cfg.emptyCell(s, s.Objects[0].Tokens, &random) {
			if contains(s.Objects[0].Tokens, token) {
				t.Fatalf("patch %d is the source's", token)
			}
		}
	}
	if at := cfg.emptyCell(s, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, &random); at != nil {
		t.Errorf("patches %v beside three quarters of the grid", at)
	}
}

func TestCounterfactualFaithful(t *testing.T) {
	cfg := CounterfactualConfig{Set: Config{Geometry: B14, Size: 1200, Faithful: Faithful{EditObject1: true}}, Property: ShapeProperty, Size: 100}
	first := mustOpenCF(t, cfg)
	for i := range first.Len() {
		if e := first.Record(i).Edited; e != 0 {
			t.Fatalf("record %d edits object %d, want the first", i, e+1)
		}
	}
	cfg.Set.Faithful.SourceOutlines = true
	source := mustOpenCF(t, cfg)
	if !bytes.Equal(first.Base().Images(nil), source.Base().Images(nil)) {
		t.Error("source outlines change base images")
	}
	if bytes.Equal(first.CF().Images(nil), source.CF().Images(nil)) {
		t.Error("source outlines change no counterfactual image of 28-pixel cells")
	}
	cfg.Set.Geometry = B16
	plain := cfg
	plain.Set.Faithful.SourceOutlines = false
	if !bytes.Equal(mustOpenCF(t, cfg).CF().Images(nil), mustOpenCF(t, plain).CF().Images(nil)) {
		t.Error("source outlines change images of 32-pixel cells, whose sources are their own")
	}
}

func TestCounterfactualErrors(t *testing.T) {
	small := Config{Geometry: Course, Size: 120}
	rmts := Config{Task: RMTS, Geometry: Course, Size: 120}
	for name, c := range map[string]struct {
		cfg  CounterfactualConfig
		says string
	}{
		"property":     {CounterfactualConfig{Set: small, Property: "texture", Size: 20}, "expected one of shape, color"},
		"odd":          {CounterfactualConfig{Set: small, Property: ShapeProperty, Size: 21}, "multiple of 2"},
		"rmts odd":     {CounterfactualConfig{Set: rmts, Property: ShapeProperty, Size: 22}, "multiple of 4"},
		"too few":      {CounterfactualConfig{Set: small, Property: ShapeProperty, Size: 60}, "allow 40"},
		"rmts too few": {CounterfactualConfig{Set: rmts, Property: ShapeProperty, Size: 120}, "ask for fewer"},
		"count":        {CounterfactualConfig{Set: Config{Geometry: Course, Size: 120, Factors: Factors{Count: 3}}, Property: ShapeProperty, Size: 20}, "expected 2"},
		"few values":   {CounterfactualConfig{Set: small, Property: ShapeProperty, Size: 20, Values: ValuesOf(1, 2, 3)}, "expected 4 or more in 0..15"},
		"wrong values": {CounterfactualConfig{Set: small, Property: ColorProperty, Size: 20, Values: ValuesOf(1, 2, 3, 17)}, "expected 4 or more in 0..15"},
		"values of 32": {CounterfactualConfig{Set: Config{Geometry: Course, Size: 120, Objects: Compositional32}, Property: ColorProperty, Size: 20, Values: ValuesOf(1, 2, 3, 4)}, "few of the combinations"},
		"set":          {CounterfactualConfig{Set: Config{Geometry: Course, Size: 7}, Property: ShapeProperty, Size: 20}, "multiple of 2"},
	} {
		if _, err := OpenCounterfactuals(c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}
