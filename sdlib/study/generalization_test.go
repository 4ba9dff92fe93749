package study

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
)

// A tiny model is measured once; what the store lacks is counted before, and a model of another set is refused.
func TestGeneralization(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	few := deep()
	few.Stimuli.Objects = stimuli.Compositional32
	s := Trained("tiny, seed 1", few)
	w := GeneralizationSpec{Searches: DASSweep{Recipe: briefly, Test: 16}, Images: 32}
	jobs, err := l.GeneralizationJobs(ctx, s, w)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Missing(ctx, jobs); err != nil || n != len(jobs) || n != 2*2+3 { // two blocks and properties, three sets
		t.Errorf("of %d jobs %d are missing (%v), expected all 7", len(jobs), n, err)
	}
	g, err := l.Generalization(ctx, s, w)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Missing(ctx, jobs); err != nil || n != 0 {
		t.Errorf("%d jobs are missing (%v) after they were computed", n, err)
	}
	m, err := l.Model(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := l.DASQueries(ctx, s, w.Searches)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := l.DASRows(ctx, m, rows)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for _, r := range answers {
		if r.Property == stimuli.ShapeProperty {
			best = max(best, r.Score().Correct)
		}
	}
	if g.Name != "tiny" || g.Weights != m.ID || g.Pretraining != "scratch" || g.Task != stimuli.Discrimination || g.Recipe != "own" || g.Shape.Correct != best || g.Shape.N != 16 ||
		g.Fresh.N != 32 || g.Combined.N != 32 || g.Novel.N != 32 || !g.FromScratch() {
		t.Errorf("measured %+v, expected the best of %d in 16 pairs for shape and 32 images of each set", g, best)
	}
	if _, err := l.Generalization(ctx, Trained("all", deep()), w); err == nil || !strings.Contains(err.Error(), "all learned from 256 combinations") {
		t.Errorf("a model of all combinations: %v", err)
	}
}

// generalizations are made up: counts as two models and a model at chance could have them.
func generalizations() []Generalization {
	return []Generalization{
		{"course-contrastive-32", "0123456789ab", "contrastive", stimuli.Discrimination, 1, "course", Peak{1, finetune.Score{N: 1000, Correct: 790}}, Peak{0, finetune.Score{N: 1000, Correct: 920}},
			finetune.Score{N: 6400, Correct: 6100}, finetune.Score{N: 6400, Correct: 5600}, finetune.Score{N: 6400, Correct: 4700}},
		{"course-contrastive-32", "123456789abc", "contrastive", stimuli.Discrimination, 2, "course", Peak{1, finetune.Score{N: 1000, Correct: 801}}, Peak{0, finetune.Score{N: 1000, Correct: 899}},
			finetune.Score{N: 6400, Correct: 6050}, finetune.Score{N: 6400, Correct: 5500}, finetune.Score{N: 6400, Correct: 4800}},
		{"course-scratch-rmts-32", "23456789abcd", "scratch", stimuli.RMTS, 1, "course", Peak{0, finetune.Score{N: 1000, Correct: 500}}, Peak{0, finetune.Score{N: 1000, Correct: 500}},
			finetune.Score{N: 6400, Correct: 3200}, finetune.Score{N: 6400, Correct: 3200}, finetune.Score{N: 6400, Correct: 3200}},
	}
}

func TestGeneralizationFile(t *testing.T) {
	all, path := generalizations(), filepath.Join(t.TempDir(), "generalization.csv")
	if d := all[0].Disentangled(); d != (.79+.92)/2 {
		t.Errorf("the disentanglement is %g, expected the mean of .79 and .92", d)
	}
	if all[0].AtChance() || !all[2].AtChance() || (Generalization{Fresh: finetune.Score{N: 6400, Correct: 3300}}).AtChance() { // .516, Wilson's interval from .503
		t.Error("the model of .953 and that of .516 learned something, that of .500 did not")
	}
	if err := SaveGeneralizations(path, all); err != nil {
		t.Fatal(err)
	}
	read, err := ReadGeneralizations(path)
	if err != nil || !reflect.DeepEqual(read, all) {
		t.Errorf("read %+v (%v), expected %+v", read, err, all)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ old, new, says string }{
		{",1,1000,790,", ",1,1000,791,", `line 2: shape is "0.7900", expected it as "0.7910"`},
		{",1,1000,801,", ",1,1000,1801,", "line 3: shape: 1801 of 1000 are counted"},
		{"course-contrastive-32,123456789abc,contrastive,discrimination,2", "course-contrastive-32,123456789abc,contrastive,discrimination,1", "line 3: course-contrastive-32 with seed 1 is row 1, too"},
		{"123456789abc", "0123456789ab", "line 3: the weights 0123456789ab"},
		{"123456789abc", "12345", "first 12 hexadecimal digits"},
		{",rmts,", ",sorting,", `line 4: no task "sorting"`},
		{"true\n", "false\n", `line 4: at_chance is "false"`},
		{"course-scratch-rmts-32,", ",", "none of them is empty"},
		{"6400,3200,0.5000,true", "6400,3200,true", "wrong number of fields"},
		{"model,weights", "weights,model", "expected the columns"},
		{",course,1,1000,790", ",course,-1,1000,790", "expected 0 or more"},
		{",course,1,1000,790", ",course,one,1000,790", "line 2: shape_block"},
	} {
		changed := bytes.Replace(text, []byte(bad.old), []byte(bad.new), 1)
		if bytes.Equal(changed, text) {
			t.Fatalf("the file lacks %q:\n%s", bad.old, text)
		}
		if _, err := parseGeneralizations(changed); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("with %q for %q: %v, expected %q", bad.new, bad.old, err, bad.says)
		}
	}
	newer := all[1]
	newer.Fresh.Correct++
	other := all[0]
	other.Name, other.Weights = "other", artifact.ID("3456789abcde")
	if merged := MergeGeneralizations(all, []Generalization{newer, other}); len(merged) != 4 || merged[1] != newer || merged[3] != other || merged[2] != all[2] {
		t.Errorf("merged to %+v", merged)
	}
}

// What a model knew before is named by the first of its trainings.
func TestPretrained(t *testing.T) {
	before := tinyPretraining(pretrain.Masked)
	before.Scenes.Distinct = 2048
	analogue := tiny()
	analogue.Pretraining = &before
	after := tiny()
	after.After = &ClipMinutes32
	for want, training := range map[string]Training{
		"scratch":                   tiny(),
		"scratch, auxiliary losses": Quick,
		"masked, 2048 pictures":     analogue,
		"clip-b16":                  after,
		"contrastive":               AnalogueTraining(pretrain.Contrastive, stimuli.RMTS, stimuli.Compositional32),
	} {
		if got := training.Pretrained(); got != want {
			t.Errorf("pretrained as %q, expected %q", got, want)
		}
	}
	for _, name := range CompositionalPresets() {
		first, err := SeededSubject(name, 1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := SeededSubject(name, 2)
		if err != nil || first.Name != name || second.Training.Stimuli.Objects != stimuli.Compositional32 || second.Training.Recipe.Seed != 2 || first.Training.Recipe.Seed != 1 {
			t.Errorf("%s: %+v and %+v (%v)", name, first, second, err)
		}
	}
	if n := len(slices.Compact(CompositionalPresets())); n != 10 {
		t.Errorf("%d presets, expected 10", n)
	}
}

func FuzzParseGeneralizations(f *testing.F) {
	f.Add(generalizationFile.text(generalizations()))
	head := strings.Join(generalizationColumns, ",") + "\n"
	f.Add([]byte(head + "m,0123456789ab,scratch,rmts,-1,own,0,1,1,1.0000,0,1,2,NaN,,,,,,,,,,,\n"))
	f.Add([]byte(head + "\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) { readAgain(t, generalizationFile, text) })
}
