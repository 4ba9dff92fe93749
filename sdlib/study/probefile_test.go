package study

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/probe"
)

func TestReadLinear(t *testing.T) {
	want := Probed{Items: 10, Rows: []ProbedRow{
		{Block: 0, Train: finetune.Score{N: 10, Correct: 7}, Test: probe.Scores{All: finetune.Score{N: 8, Correct: 4}, Parts: map[string]finetune.Score{"sample": {N: 4, Correct: 1}}}},
		{Block: 1, Train: finetune.Score{N: 10, Correct: 9}, Test: probe.Scores{All: finetune.Score{N: 8, Correct: 8}, Parts: map[string]finetune.Score{"sample": {N: 4, Correct: 4}}}},
	}}
	effects := []probe.Effect{
		{Block: -1, Cells: []probe.Cell{{Pair: "sample", Kind: "same", Other: 0, Right: true, N: 3}, {Pair: "display", Kind: "both", Other: 1, N: 2, Opposite: 2}}},
		{Block: 1, Direction: probe.Opposite, Alpha: .5, Derived: true, Cells: []probe.Cell{{Pair: "sample", Kind: "same", N: 5, Opposite: 4}}},
	}
	path := filepath.Join(t.TempDir(), "linear.csv")
	if err := SaveLinear(path, "m", artifact.ID(strings.Repeat("a", 64)), LinearRows(PaperProbe, want, MeansApart, effects)); err != nil {
		t.Fatal(err)
	}
	p, read, err := ReadLinear(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("read %+v, expected %+v", p, want)
	}
	for i, e := range effects {
		r := read[i]
		if len(read) != 2 || r.Block != e.Block || r.Direction != e.Direction || r.Alpha != e.Alpha || r.Derived != e.Derived || r.Flipped(nil) != e.Flipped(nil) {
			t.Errorf("read %+v, expected %+v", r, e)
		}
	}

	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(good), "\n")
	for want, text := range map[string]string{
		"expected the columns":                               "a,b\n",
		"line 2: a test of block 0":                          lines[0] + lines[2],
		"line 3: the part":                                   lines[0] + lines[1] + lines[3],
		"neither a probe nor an interven":                    strings.Replace(string(good), "train", "trains", 1),
		`parsing "x": invalid syntax`:                        strings.Replace(string(good), "test,0,", "test,x,", 1),
		`parsing "half": invalid syntax`:                     strings.Replace(string(good), "opposite,0.5", "opposite,half", 1),
		"weights bbbbbbbbbbbb, those before of aaaaaaaaaaaa": strings.Replace(string(good), "m,aaaaaaaaaaaa,relation,,paper,,,test", "m,bbbbbbbbbbbb,relation,,paper,,,test", 1),
		"factors are in rows, those before in means-apart":   strings.Replace(string(good), "means-apart,sample", "rows,sample", 1),
		"linear.csv: line 2: strconv.Atoi":                   strings.Replace(string(good), ",10,7,", ",10,seven,", 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadLinear(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}

// The tables of probes and of novel representations that come with the repository are of the
// models beside them: the model's own answers are right as often as its table says, within five
// standard errors, the probe of every block is there, and each intervention after the last block
// is derived from the model's own answers.
func TestShippedLinear(t *testing.T) {
	const name = "rmts-256-course"
	l := lab(t, t.TempDir(), backend.Go)
	m, metrics, err := l.CourseModel(name)
	if err != nil {
		t.Fatal(err)
	}
	models := filepath.Dir(m.Dir)
	table := filepath.Join(models, "probe-"+name+".csv")
	p, effects, err := ReadLinear(table)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Rows) != m.Config.Blocks || effects[0].Block != -1 {
		t.Fatalf("%d probes and %+v first, expected %d and the model's own answers", len(p.Rows), effects[0], m.Config.Blocks)
	}
	own := effects[0].Flipped(nil)
	var right float64
	for _, r := range metrics.Sets {
		if r.Name == "test (IID)" {
			right = r.All.Accuracy()
		}
	}
	if off := math.Abs(1 - own.Accuracy() - right); off > 5*math.Sqrt(right*(1-right)/float64(own.N)) {
		t.Errorf("%.3f of the answers are wrong, metrics.json has an accuracy of %.3f", own.Accuracy(), right)
	}
	last := 0
	for _, e := range effects {
		if e.Block == m.Config.Blocks-1 {
			if last++; !e.Derived || e.Flipped(nil) != own {
				t.Errorf("after the last block: %+v, expected the model's own answers, %+v", e, own)
			}
		}
	}
	if want := 4 * 3; last != want {
		t.Errorf("%d interventions after the last block, expected %d", last, want)
	}

	lines, err := os.ReadFile(table)
	if of := strings.Count(string(lines), "\n"+name+","+m.ID.Short()+","); err != nil || of != strings.Count(string(lines), "\n")-1 {
		t.Errorf("%d of %d lines (%v) are of the model %s", of, strings.Count(string(lines), "\n")-1, err, m.ID.Short())
	}
	quick, _, err := l.CourseModel("rmts-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(models, "novel-rmts-256-quick.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := ReadNovel(path)
	if err != nil || len(scores) != 48 {
		t.Errorf("%d novel representations, %v: expected 4 of 2 properties at each of 6 blocks", len(scores), err)
	}
	if got := strings.Count(string(text), "\n"+string(quick.ID)[:12]+","); got != len(scores) {
		t.Errorf("%d of %d lines are of the model %.12s", got, len(scores), quick.ID)
	}
}
