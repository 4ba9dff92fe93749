package vit

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestVariants pins the number of weights of every configuration this package offers to
// what transformers counts (testdata/make_golden.py), those left out that classification never reads.
func TestVariants(t *testing.T) {
	text, err := os.ReadFile("testdata/variants.json")
	if err != nil {
		t.Fatal(err)
	}
	var counted struct {
		Variants map[string]struct {
			Class      string
			Parameters int
		}
	}
	if err := json.Unmarshal(text, &counted); err != nil {
		t.Fatal(err)
	}
	for _, name := range Variants() {
		c, err := Variant(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		theirs, ok := counted.Variants[name]
		if !ok {
			t.Errorf("%s is missing from testdata/variants.json: add it to make_golden.py", name)
			continue
		}
		if got := c.Params(); got != theirs.Parameters || c.Family.Traits().Class != theirs.Class {
			t.Errorf("%s is a %s of %d weights, transformers' %s has %d", name, c.Family.Traits().Class, got, theirs.Class, theirs.Parameters)
		}
	}
	for name := range counted.Variants {
		if _, err := Variant(name); err != nil {
			t.Errorf("testdata/variants.json counts %q: %v", name, err)
		}
	}
	for variable, c := range map[string]Config{"b16": B16, "b32": B32, "course": Course, "course-quick": CourseQuick} {
		if got, err := Variant(variable); err != nil || got != c {
			t.Errorf("%s is %+v, the variable %+v", variable, got, c)
		}
	}
	if _, err := Variant("b15"); err == nil || !strings.Contains(err.Error(), "dinov2-reg-b14") {
		t.Errorf("an unknown variant: error %v, expected the known ones", err)
	}
}

// The configuration of a plain ViT is written as it was before there were families: keys
// of stored results, and models' hashes, hold its text.
func TestConfigText(t *testing.T) {
	text, err := json.Marshal(CourseQuick)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"image":64,"patch":16,"width":96,"blocks":4,"heads":3,"mlp":384,"classes":2,"norm_eps":1e-12,"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}`
	if string(text) != want {
		t.Errorf("a plain ViT is written\n%s\nexpected\n%s", text, want)
	}
}

// The name by content of a plain ViT is what it was before there were families.
func TestHashKept(t *testing.T) {
	m, err := New(CourseQuick, 1)
	if err != nil {
		t.Fatal(err)
	}
	const want = "34d7bfa0de0b2fc294ed35fde4c21fafff24de90bdf02c16a7769a10e8a7b0c8"
	if got, err := m.Hash(); err != nil || got != want {
		t.Errorf("hash %s, %v, expected %s", got, err, want)
	}
}

// Tokens in front of the patches, by family, and their sum.
func TestPrefix(t *testing.T) {
	for name, want := range map[string]int{"b16": 1, "deit-b16": 2, "clip-b16": 1, "siglip-b16": 0, "dinov2-b14": 1, "dinov2-reg-b14": 5} {
		c, err := Variant(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Prefix() != want || c.Tokens() != want+c.Grid()*c.Grid() {
			t.Errorf("%s has %d tokens in front and %d in all, expected %d and %d", name, c.Prefix(), c.Tokens(), want, want+c.Grid()*c.Grid())
		}
	}
}

// Every family is in the list, in the table, and finds itself by its name; names of weights do not repeat.
func TestFamilies(t *testing.T) {
	if len(Families) != len(families) {
		t.Errorf("%d families in the list, %d in the table", len(Families), len(families))
	}
	for _, f := range Families {
		if got, err := ParseFamily(f.String()); err != nil || got != f || f.Traits().Class == "" {
			t.Errorf("family %s is found as %s, %v", f, got, err)
		}
		if src, ok := sources[f.Traits().ModelType]; !ok || src.family != f {
			t.Errorf("files of model_type %q, which Save writes for family %s, are read as %+v", f.Traits().ModelType, f, src)
		}
	}
	if _, err := ParseFamily("swin"); err == nil || !strings.Contains(err.Error(), "expected one of vit, deit, clip") {
		t.Errorf("an unknown family: error %v", err)
	}
	for _, name := range Variants() {
		c, _ := Variant(name)
		names := c.Names()
		slices.Sort(names)
		if i := len(slices.Compact(names)); i != len(c.Names()) {
			t.Errorf("%s names %d weights with %d names", name, len(c.Names()), i)
		}
	}
}
