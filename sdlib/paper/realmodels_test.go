package paper_test

import (
	"strings"
	"testing"

	"samediff/sdlib/delta"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// realModel makes up what a folder says of a model: a number of right answers out of 1,000 on fresh images.
func realModel(t *testing.T, name string, training study.Training, correct int) paper.RealModel {
	t.Helper()
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 16, 1, 2, 16
	var models [2]*vit.Model
	for i := range models {
		var err error
		if models[i], err = vit.New(c, uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := delta.Pack(t.Context(), models[0], models[1], delta.Options{Base: "clip-b16", Method: delta.Method{Rank: 2}})
	if err != nil {
		t.Fatal(err)
	}
	packed.Checks = []delta.Check{{Set: "test (IID)", Images: 1000, Before: .975, After: float64(correct) / 1000, Heads: .0123}}
	stimuli, err := training.Stimuli.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	training.Stimuli = stimuli
	if training.After != nil {
		before := *training.After
		if before.Stimuli, err = before.Stimuli.Resolved(); err != nil {
			t.Fatal(err)
		}
		training.After = &before
	}
	sets := []study.SetResult{
		{NamedSet: study.NamedSet{Name: "train"}, Evaluation: finetune.Evaluation{All: finetune.Score{N: 6400, Correct: 6400}}},
		{NamedSet: study.NamedSet{Name: "test (IID)"}, Evaluation: finetune.Evaluation{All: finetune.Score{N: 1000, Correct: correct}}},
	}
	return paper.RealModel{Metrics: &study.Metrics{Name: name, Training: training, Sets: sets, Weights: vit.EightBit}, Packed: packed}
}

// The authors' row stands behind the last of the models that it is about, and the interval is Wilson's.
func TestRealModelTable(t *testing.T) {
	first, second := realModel(t, "first", study.ClipMinutes224, 970), realModel(t, "second", study.ClipMinutes, 960)
	rmts := realModel(t, "third", study.ClipMinutesRMTS, 900)
	table, err := paper.RealModelTable(first, second, rmts).Text()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")[4:]
	for i, want := range []string{
		"first (8-bit weights) | 224 | 3200 | 1000 | 0.970 (0.957–0.979)", // Wilson's formula, computed in Python
		"second (8-bit weights) | 112 | 6400 | 1000 | 0.960 (0.946–0.970)",
		"the authors' clip-b16, run 2jylw4un | 224 | 1280000 | 0.993 | 0.990 | 0.993 | 0.980",
		"third (8-bit weights) | 112 | 6400 + 6400 | 1000 | 0.900 (0.880–0.917)",
		"the authors' clip-b16, run tavk2a8o | 224 | 1280000 | 0.983 | 0.937 | 0.955 | 0.850",
	} {
		if i >= len(lines) {
			t.Fatalf("%d lines:\n%s", len(lines), table)
		}
		if got := cells(lines[i]); got != want {
			t.Errorf("line %d is %q, expected %q", i, got, want)
		}
	}
	if len(lines) != 5 {
		t.Errorf("the table has %d lines, expected 5:\n%s", len(lines), table)
	}

	packing, err := paper.PackingTable(first).Text()
	if err != nil {
		t.Fatal(err)
	}
	if got := cells(packing[strings.LastIndex(packing, "first"):]); !strings.HasPrefix(got, "first | rank 2 | 0.0 | ") || !strings.HasSuffix(got, " | 1000 | 0.975 | 0.970 | 0.012") {
		t.Errorf("the packed model's line is %q", got)
	}
}

// cells joins what stands in the columns of a line.
func cells(line string) string {
	var all []string
	for cell := range strings.SplitSeq(strings.TrimSpace(line), "  ") {
		if cell = strings.TrimSpace(cell); cell != "" {
			all = append(all, cell)
		}
	}
	return strings.Join(all, " | ")
}
