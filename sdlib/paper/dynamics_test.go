package paper

import (
	"strings"
	"testing"

	"samediff/sdlib/attention"
	"samediff/sdlib/finetune"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// turning makes up a training of a model of two blocks of two heads, in which block 1, head 0 turns to the partner.
func turning(task stimuli.Task) study.Dynamics {
	var d study.Dynamics
	for i, pair := range []float64{.1, .4, .9} {
		m := attention.Measures{Local: [][]float64{{.2, .3}, {.9, .8}}, Within: [][]float64{{.7, .1}, {.1, .2}}, Pair: [][]float64{{.1, .2}, {pair, .1}}, Background: [][]float64{{.1, .2}, {.5, .6}}}
		lines := [][]float64{{.7, .2}, {.2, pair}, {.2, .6}}
		if task == stimuli.RMTS {
			m.Between, lines = [][]float64{{0, .1}, {.2, .3}}, append(lines, []float64{.1, .3})
		}
		d = append(d, study.Moment[study.Snapshot]{Step: 10 * i, Answer: study.Snapshot{Right: finetune.Score{N: 20, Correct: 10 + 4*i},
			Scores: &attention.Scores{Task: task, Images: 20, Measures: m, Interval: attention.Interval{Low: m, High: m, LineLow: lines, LineHigh: lines}}}})
	}
	return d
}

func TestDynamicsFigure(t *testing.T) {
	for task, parts := range map[stimuli.Task][]string{
		stimuli.Discrimination: {"Attention to the background", "step 20: largest value 0.9 at 1", "Change within pair. Heat map of 2 rows (head) by 2 columns (block), values from 0 to 0.8", "block 1, head 0: largest value 0.9 at 20"},
		stimuli.RMTS:           {"Attention between pairs"},
	} {
		f, err := DynamicsFigure(turning(task), "test", "pair")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.SVG(); err != nil {
			t.Error(err)
		}
		for _, part := range parts {
			if !strings.Contains(f.Alt(), part) {
				t.Errorf("the alternative text lacks %q: %s", part, f.Alt())
			}
		}
	}
	table, err := DynamicsTable(turning(stimuli.Discrimination))
	if err != nil {
		t.Fatal(err)
	}
	moved, err := MovedTable(turning(stimuli.Discrimination), "pair", 1)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := table.Text()
	b, errB := moved.Text()
	if errA != nil || errB != nil || !strings.Contains(a, "0.900  0.699–0.972    block 0, head 0         0.700  block 1, head 0       0.900") || !strings.Contains(b, "block 1, head 0     pair     +0.800") {
		t.Errorf("the tables are (%v, %v)\n%s\n%s", errA, errB, a, b)
	}
	for want, run := range map[string]func() error{
		"expected 2 or more":          func() error { _, err := DynamicsFigure(turning(stimuli.Discrimination)[:1], "", "pair"); return err },
		`no scores are called "size"`: func() error { _, err := DynamicsFigure(turning(stimuli.Discrimination), "", "size"); return err },
		`called "between"`:            func() error { _, err := MovedTable(turning(stimuli.Discrimination), "between", 1); return err },
		"no steps":                    func() error { _, err := DynamicsTable(nil); return err },
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}

func TestPathFigure(t *testing.T) {
	cell := func(margin float64) patch.Recovery {
		return patch.Recovery{Flipped: finetune.Score{N: 9, Correct: 3}, Margin: margin, Low: margin - .1, High: margin + .1}
	}
	p := study.PathsFound{Cells: [][]patch.Recovery{{cell(.1), cell(-.5)}, {cell(.2), cell(0)}}}
	total := study.Recovering{Site: patch.HeadSite, Cells: [][]patch.Recovery{{cell(.3), cell(.4), cell(.8), cell(.1)}}}
	to := study.PathsFound{To: []vit.Head{{Block: 1, Head: 1}}, Cells: [][]patch.Recovery{{cell(0), cell(.05)}}}
	f, err := PathFigure(&total, PathPanel{Title: "test", PathsFound: p}, PathPanel{PathsFound: to})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.SVG(); err != nil {
		t.Error(err)
	}
	for _, part := range []string{"All paths of a head", "The most, +0.800, comes from block 1, head 0.", "The most, -0.500, comes from block 0, head 1.", "To block 1, head 1", "over 9 pairs"} {
		if !strings.Contains(f.Alt(), part) {
			t.Errorf("the alternative text lacks %q: %s", part, f.Alt())
		}
	}
	if text, err := PathTable(p, 2).Text(); err != nil || !strings.Contains(text, "block 0, head 1      9  -0.500  -0.600 to -0.400    0.333") || strings.Contains(text, "+0.000 to") {
		t.Errorf("the table of the two strongest (%v) is\n%s", err, text)
	}
	for want, run := range map[string]func() error{
		"no panels":    func() error { _, err := PathFigure(nil); return err },
		"has no paths": func() error { _, err := PathFigure(nil, PathPanel{Title: "empty"}); return err },
		"are interchanges of ": func() error {
			_, err := PathFigure(&study.Recovering{Site: patch.Stream}, PathPanel{PathsFound: p})
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
