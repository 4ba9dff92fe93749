package study

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// brief is a training of six steps.
func brief(task stimuli.Task) Training {
	t := tiny()
	t.Stimuli.Task, t.Recipe.Epochs = task, 3
	return t
}

// At the last step the scores are those of the trained model, to the bit, and at the first those of the model
// before training; the training itself has the weights and the key that it has without being looked at.
func TestDynamics(t *testing.T) {
	ctx, sample := t.Context(), HeadSample{PerClass: 4, Seed: 1}
	calm, err := lab(t, t.TempDir(), backend.Go).Train(ctx, brief(stimuli.Discrimination))
	if err != nil {
		t.Fatal(err)
	}
	l := lab(t, t.TempDir(), backend.Go)
	d, err := l.Dynamics(ctx, brief(stimuli.Discrimination), []int{6, 0, 3, 0}, sample)
	if err != nil {
		t.Fatal(err)
	}
	if len(d) != 3 || d[0].Step != 0 || d[1].Step != 3 || d[2].Step != 6 {
		t.Fatalf("the steps are %+v, expected 0, 3 and 6", d)
	}
	if trained, err := l.trainings(ctx); err != nil || len(trained) != 0 {
		t.Errorf("the store has %d trainings (%v), expected none", len(trained), err)
	}
	m, err := l.Train(ctx, brief(stimuli.Discrimination))
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != calm.ID || m.Trained != calm.Trained || d[2].Model != m.ID || d[0].Model == m.ID || d[1].Model == m.ID {
		t.Errorf("the training has the weights %s (%s), without a look at it %s (%s); at the last step %s", m.ID.Short(), m.Trained.Short(), calm.ID.Short(), calm.Trained.Short(), d[2].Model.Short())
	}
	set, err := m.HeadSet()
	if err != nil {
		t.Fatal(err)
	}
	reader := lab(t, l.Store.Dir(), "no such backend") // what was found of the last step is what is known of the model
	if scores, err := HeadScores.Of(ctx, reader, m, set, sample); err != nil || !reflect.DeepEqual(scores, d[2].Answer.Scores) {
		t.Errorf("the scores of the trained model (%v) differ from those of the last step", err)
	}
	if n := d[2].Answer.Right.N; n != 8 {
		t.Errorf("answers to %d images, expected 8", n)
	}
	r, err := brief(stimuli.Discrimination).resolve()
	if err != nil {
		t.Fatal(err)
	}
	start, err := l.start(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if hash, err := start.Hash(); err != nil || artifact.ID(hash) != d[0].Model {
		t.Errorf("step 0 has the weights %s, the start %s (%v)", d[0].Model.Short(), hash, err)
	}
	if again, err := reader.Dynamics(ctx, brief(stimuli.Discrimination), []int{0, 3, 6}, sample); err != nil || !reflect.DeepEqual(again, d) {
		t.Errorf("read from the store the dynamics differ (%v)", err)
	}
}

// An analysis that fails on the way is not asked again of the steps that it has seen, and the training goes on where it was.
func TestDuringGoesOn(t *testing.T) {
	ctx, l, stop := t.Context(), lab(t, t.TempDir(), backend.Go), errors.New("stop")
	var asked []artifact.ID
	failing := true
	named := Analysis[int, string]{Name: "name", Version: 1, NoSet: true, Compute: func(_ context.Context, on On, _ int) (string, error) {
		if asked = append(asked, on.Model.ID); failing && len(asked) == 3 {
			return "", stop
		}
		return on.Model.ID.Short(), nil
	}}
	training, steps := brief(stimuli.Discrimination), []int{0, 2, 4, 6}
	if _, err := named.During(ctx, l, training, steps, nil, 1); !errors.Is(err, stop) || len(asked) != 3 {
		t.Fatalf("the error is %v after %d questions, expected %v after 3", err, len(asked), stop)
	}
	failing = false
	got, err := named.During(ctx, l, training, steps, nil, 1)
	if err != nil || len(asked) != 5 || asked[3] != asked[2] {
		t.Fatalf("%v; asked about %v, expected five questions, the third again", err, asked)
	}
	calm, err := named.During(ctx, lab(t, t.TempDir(), backend.Go), training, steps, nil, 1)
	if err != nil || !reflect.DeepEqual(got, calm) {
		t.Errorf("%+v, without a failure %+v (%v)", got, calm, err)
	}
}

func TestDynamicsErrors(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	for want, steps := range map[string][]int{"expected some of 0 to 6": {0, 7}, "steps [-1 0]": {0, -1}} {
		if _, err := l.Dynamics(t.Context(), brief(stimuli.Discrimination), steps, HeadSample{PerClass: 4}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("steps %v give %v, expected it to speak of %q", steps, err, want)
		}
	}
	other := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 8})
	if _, err := HeadScores.During(t.Context(), l, brief(stimuli.Discrimination), []int{0}, other, HeadSample{}); err == nil || !strings.Contains(err.Error(), "same geometry") {
		t.Errorf("a set of another geometry gives %v", err)
	}
	if _, err := HeadScores.During(t.Context(), l, brief(stimuli.Discrimination), []int{0}, nil, HeadSample{}); err == nil || !strings.Contains(err.Error(), "no set") {
		t.Errorf("no set gives %v", err)
	}
	if _, err := (Dynamics{{}}).Changes("pair"); err == nil || !strings.Contains(err.Error(), "2 or more") {
		t.Errorf("changes within one step give %v", err)
	}
}

// The table has everything that the figure of dynamics draws.
func TestDynamicsTable(t *testing.T) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		d, err := lab(t, t.TempDir(), backend.Go).Dynamics(t.Context(), brief(task), []int{0, 6}, HeadSample{PerClass: 4, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "during.csv")
		if err := d.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadDynamics(path)
		if err != nil {
			t.Fatal(err)
		}
		again := filepath.Join(t.TempDir(), "again.csv")
		if err := got.Save(again); err != nil {
			t.Fatal(err)
		}
		a, _ := os.ReadFile(path)
		if b, err := os.ReadFile(again); err != nil || string(a) != string(b) || len(got) != 2 || got[1].Step != 6 || got[1].Answer.Right != d[1].Answer.Right {
			t.Errorf("%s: read and written again (%v) the table is\n%s\nexpected\n%s", task, err, b, a)
		}
		if want := 2 * 1 * 3; strings.Count(string(a), "\n") != 1+want || strings.Contains(string(a), "between") != (task == stimuli.RMTS) {
			t.Errorf("%s: the table is\n%s\nexpected %d lines and a head, between the pairs of RMTS alone", task, a, want)
		}
		for _, name := range attention.MeasureNames(task) {
			was, err := d.Changes(name)
			if err != nil {
				t.Fatal(err)
			}
			is, err := got.Changes(name)
			if err != nil || len(is) != 2 || len(is) != len(was) || math.Abs(math.Abs(is[0].Moved())-math.Abs(was[0].Moved())) > 1e-4 {
				t.Errorf("%s: %s moved %+v (%v), before it was written %+v", task, name, is, err, was)
			}
		}
		if _, err := d.Changes("nothing"); err == nil || !strings.Contains(err.Error(), "local") {
			t.Errorf("changes of a measure that does not exist give %v", err)
		}
		for want, text := range map[string]string{
			"expected a table that `sd attention MODEL --during` wrote": "a,b\n1,2\n",
			"line 3":                         strings.Replace(string(a), "0,1,0.", "0,x,y", 1),
			"the table is cut":               strings.Join(strings.SplitAfter(string(a), "\n")[:strings.Count(string(a), "\n")-1], ""),
			"expected a count of images":     strings.Replace(string(a), ",8,0,0,", ",-8,0,0,", 1),
			"is NaN: expected a number":      regexp.MustCompile(`,8,0,0,[\d.]+`).ReplaceAllString(string(a), ",8,0,0,NaN"),
			"another count than in the line": strings.Replace(string(a), ",8,0,1,", ",9,0,1,", 1),
		} {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadDynamics(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, expected it to speak of %q", err, want)
			}
		}
	}
}
