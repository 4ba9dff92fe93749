package study

import (
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

func TestLossesByName(t *testing.T) {
	for text, want := range map[string]Losses{
		"none":                   {},
		"disentangle":            {Disentangle: true},
		"wp+relation":            {WithinPair: true, Relation: true},
		"disentangle+wo+wp+bp":   {Disentangle: true, WithinObject: true, WithinPair: true, BetweenPairs: true},
		"relation,disentangle":   {Disentangle: true, Relation: true},
		"pipeline":               Pipeline(stimuli.RMTS),
		"disentangle + relation": {}, // names are not trimmed
	} {
		got, err := ParseLosses(text, stimuli.RMTS)
		if strings.Contains(text, " ") {
			if err == nil {
				t.Errorf("%q was read as %v, want an error", text, got)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
		if again, err := ParseLosses(got.String(), stimuli.RMTS); err != nil || again != got {
			t.Errorf("%v is written as %q, which reads as %v, %v", got, got.String(), again, err)
		}
	}
	for text, complaint := range map[string]string{"": "no losses", "disentagle": `"disentagle"`, "bp": "discrimination has one pair"} {
		if _, err := ParseLosses(text, stimuli.Discrimination); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q: %v, want an error with %q", text, err, complaint)
		}
	}
}

// On the paper's model the pipeline loss stands in the paper's blocks (App. L), on a
// shallower one at the same depths.
func TestPipelineDepth(t *testing.T) {
	for _, test := range []struct {
		c    vit.Config
		want finetune.Pipeline
	}{
		{vit.B16, finetune.Pipeline{Weight: 1, WithinObject: []int{3, 4, 5}, WithinPair: []int{6, 7}, BetweenPairs: []int{8, 9}, Heads: 8}},
		{RMTS.Model, finetune.Pipeline{Weight: 1, WithinObject: []int{1, 2}, WithinPair: []int{3}, BetweenPairs: []int{4}, Heads: 2}},
		{vit.CourseQuick, finetune.Pipeline{Weight: 1, WithinObject: []int{1}, WithinPair: []int{2}, BetweenPairs: []int{2, 3}, Heads: 2}},
	} {
		got := Pipeline(stimuli.RMTS).Apply(Training{Model: test.c}).Recipe.Pipeline
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%d blocks: %+v, want %+v", test.c.Blocks, got, test.want)
		}
	}
}

// The rows of a table's task differ in nothing but losses and seed.
func TestAblationsAreComparable(t *testing.T) {
	for _, c := range []struct {
		number int
		scale  Scale
		n      int
	}{{1, CourseScale, 30}, {7, CourseScale, 24}, {8, CourseScale, 21}, {1, PaperScale, 30}} {
		number, scale, n := c.number, c.scale, c.n
		rows, err := AblationTable(number, scale)
		if err != nil || len(rows) != n {
			t.Fatalf("table %d has %d trainings, %v; want %d", number, len(rows), err, n)
		}
		seen := map[Ablation]bool{}
		for _, row := range rows {
			if seen[row] {
				t.Errorf("table %d has %v twice", number, row)
			}
			seen[row] = true
			training := row.Training()
			if _, err := training.resolve(); err != nil {
				t.Errorf("table %d, %v: %v", number, row, err)
			}
			plain := Ablation{Scale: scale, Task: row.Task, Seed: row.Seed}.Training()
			if got, want := (Losses{}).Apply(row.Training()), plain; !reflect.DeepEqual(got, want) {
				t.Errorf("table %d, %v differs from the row without losses in more than these:\n%+v\n%+v", number, row, got, want)
			}
		}
	}
	if _, err := AblationTable(1, "large"); err == nil {
		t.Error("there is a scale \"large\"")
	}
	if _, err := AblationTable(2, CourseScale); err == nil {
		t.Error("table 2 compares losses")
	}
}

// What a file has is not trained again; what it has in part, is.
func TestAblateKnown(t *testing.T) {
	rows, err := AblationTable(7, CourseScale)
	if err != nil {
		t.Fatal(err)
	}
	var known []AblationResult
	for _, set := range ablationSets {
		known = append(known, AblationResult{rows[1], set, finetune.Score{N: 2, Correct: 1}, "0123456789ab"})
	}
	lab, err := Open(Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := lab.Ablate(t.Context(), rows, true, known...) // the store is empty
	if err != nil || !reflect.DeepEqual(got, known) {
		t.Errorf("got %v, %v; want what was known, %v", got, err, known)
	}
	if got, err := lab.Ablate(t.Context(), rows, true, known[1:]...); err != nil || len(got) != 0 {
		t.Errorf("of a row with a set missing got %v, %v; want nothing", got, err)
	}
}

func TestCourseModels(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range CourseModels() {
		if seen[c.Name] {
			t.Errorf("two models are called %s", c.Name)
		}
		seen[c.Name] = true
		if _, err := c.Training.resolve(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	lab, err := Open(Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := lab.CourseModel("rmts-64-quick"); err == nil || !strings.Contains(err.Error(), "rmts-256-quick") {
		t.Errorf("a model that the course does not have: %v, want an error that lists those it has", err)
	}
}
