package paper_test

import (
	"log"
	"math"
	"strings"
	"testing"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// All that a training can measure: relation probe and pipeline scores too.
func ExampleTrainingCurve_auxiliary() {
	var history []finetune.Epoch
	for i := range 12 {
		t := float64(i) / 3
		rise := func(from, to, speed float64) float64 { return to - (to-from)*math.Exp(-t*speed) }
		history = append(history, finetune.Epoch{
			Epoch: i + 1, Task: .69 * math.Exp(-t*t/16), Aux: 6 * math.Exp(-t), Train: rise(.5, .95, t/8), Val: rise(.5, .93, t/9),
			Shape: rise(.1, .99, 1), Color: rise(.2, 1, 2), Relation: rise(.5, .97, .8),
			WithinObject: rise(.2, .9, 1), WithinPair: rise(.1, .8, .7), BetweenPairs: rise(.05, .4, .9),
		})
	}
	f, err := paper.TrainingCurve(history)
	save(f, err, "training_all.png")
}

// results makes up three seeds of each set of losses; accuracies are those of the three
// sets for seed 1, and each further seed has a point less.
func results(task stimuli.Task, losses string, accuracies ...float64) (all []study.AblationResult) {
	l, err := study.ParseLosses(losses, task)
	if err != nil {
		log.Fatal(err)
	}
	for _, seed := range study.AblationSeeds {
		for i, set := range []string{"train", "test (IID)", "compositional"} {
			correct := int(math.Round(1000*accuracies[i])) - 10*int(seed-1)
			all = append(all, study.AblationResult{Ablation: study.Ablation{Scale: study.CourseScale, Task: task, Losses: l, Seed: seed}, Set: set, Score: finetune.Score{N: 1000, Correct: correct}})
		}
	}
	return all
}

func madeUp() (all []study.AblationResult) {
	all = append(all, results(stimuli.Discrimination, "none", .97, .73, .58)...)
	all = append(all, results(stimuli.Discrimination, "disentangle", 1, .96, .83)...)
	all = append(all, results(stimuli.Discrimination, "pipeline", .99, .93, .71)...)
	all = append(all, results(stimuli.RMTS, "none", .52, .51, .5)...)
	return append(all, results(stimuli.RMTS, "disentangle+relation", .99, .95, .8)...)
}

func ExampleLossFigure() {
	f, err := paper.LossFigure(madeUp())
	save(f, err, "losses.png")
}

// set opens a small set.
func set(task stimuli.Task, g stimuli.Geometry) *stimuli.Set {
	s, err := stimuli.Open(stimuli.Config{Task: task, Geometry: g, Size: 40, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	return s
}

func ExampleDisentangleFigure() {
	f, err := paper.DisentangleFigure(set(stimuli.Discrimination, stimuli.CourseQuick), 3, vit.CourseQuick)
	save(f, err, "disentangle.png")
}

func ExamplePipelineFigure() {
	f, err := paper.PipelineFigure(set(stimuli.RMTS, stimuli.Course), 6)
	save(f, err, "pipeline.png")
}

func ExampleRelationFigure() {
	f, err := paper.RelationFigure(set(stimuli.RMTS, stimuli.Course), 6)
	save(f, err, "relation.png")
}

// The cells of the table are the mean and the standard deviation (n - 1) over the seeds:
// .73, .72 and .71 are .72 ± .01.
func TestLossTable(t *testing.T) {
	table := paper.LossTable("Table 1", madeUp())
	if err := table.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(table.Columns[:6], ", "), "task, losses, seeds, train, test (IID), compositional"; got != want {
		t.Errorf("columns are %s, expected %s", got, want)
	}
	for i, want := range []string{
		"discrimination, none, 3, 0.960 ± 0.010, 0.720 ± 0.010, 0.570 ± 0.010, logs: B/16 .77 / .77 / .76, B/32 .99 / .88 / .78",
		"discrimination, disentangle, 3, 0.990 ± 0.010, 0.950 ± 0.010, 0.820 ± 0.010, generalizes; logs: B/16 .96 / – / .79, B/32 1.00 / 1.00 / .94",
		"discrimination, wo + wp, 3, 0.980 ± 0.010, 0.920 ± 0.010, 0.700 ± 0.010, generalizes",
		"rmts, none, 3, 0.510 ± 0.010, 0.500 ± 0.010, 0.490 ± 0.010, chance; logs: B/16 .49 / .50 / .50, B/32 .68 / .50 / .50",
		"rmts, disentangle + relation, 3, 0.980 ± 0.010, 0.940 ± 0.010, 0.790 ± 0.010, not in the paper",
	} {
		if got := plain(table.Rows[i]); got != want {
			t.Errorf("row %d is\n%s, expected\n%s", i, got, want)
		}
	}
	if len(table.Rows) != 5 {
		t.Errorf("%d rows, expected 5", len(table.Rows))
	}
}

// plain is a row in a line, with plain spaces.
func plain(row []string) string {
	return strings.ReplaceAll(strings.Join(row, ", "), "\u00a0", " ")
}

// A set that some runs lack leaves a cell empty, one seed has no spread, and a run that
// comes twice counts once.
func TestLossTableGaps(t *testing.T) {
	all := madeUp()
	one := []study.AblationResult{all[0], all[0], all[10]} // none: train, seed 1, twice; disentangle: test, seed 1
	table := paper.LossTable("", one)
	if got, want := strings.Join(table.Rows[0][:5], ", "), "discrimination, none, 1, 0.970, "; got != want {
		t.Errorf("the row is %q, expected %q", got, want)
	}
	if got, want := strings.Join(table.Rows[1][:5], ", "), "discrimination, disentangle, 1, , 0.960"; got != want {
		t.Errorf("the row is %q, expected %q", got, want)
	}
}

// Differences are taken within a seed: here they are the same for all three.
func TestLossContrasts(t *testing.T) {
	all := madeUp()
	all = append(all, results(stimuli.Discrimination, "none", .97, .73, .58)...) // in two tables
	lower := results(stimuli.RMTS, "disentangle", .5, .49, .48)
	lower[8].Score.Correct = 600 // seed 3, compositional: above that of none
	table, err := paper.LossContrasts(append(all, lower...))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"discrimination, disentangle, none, +0.230 ± 0.000, +0.250 ± 0.000, 3 of 3, teaches a rule that generalizes",
		"discrimination, wo + wp, none, +0.200 ± 0.000, +0.130 ± 0.000, 3 of 3, teaches a rule that generalizes",
		"rmts, disentangle, none, −0.020 ± 0.000, +0.027 ± 0.081, 1 of 3, does not suffice",
		"rmts, disentangle + relation, none, +0.440 ± 0.000, +0.300 ± 0.000, 3 of 3, not in the paper",
	}
	for i, row := range table.Rows {
		if got := plain(row); i >= len(want) || got != want[i] {
			t.Errorf("row %d is %s, expected %s", i, got, want[min(i, len(want)-1)])
		}
	}
	if len(table.Rows) != len(want) {
		t.Errorf("%d rows, expected %d", len(table.Rows), len(want))
	}
	large := lower[:0:0]
	for _, r := range all[:18] {
		r.Scale = study.PaperScale
		large = append(large, r)
	}
	if both, err := paper.LossContrasts(append(large, all...)); err != nil || len(both.Rows) != 4 || both.Rows[0][0] != "discrimination, paper's scale" {
		t.Errorf("two scales make rows %v and error %v, expected the paper's scale apart", both.Rows, err)
	}
	if empty, err := paper.LossContrasts(nil); err != nil || len(empty.Rows) != 0 {
		t.Errorf("no results make %d rows and error %v", len(empty.Rows), err)
	}
}

// Every row of the tables can be told from every other in the figure, and each of the
// comparisons has its rows in one of the tables.
func TestLossesOfTables(t *testing.T) {
	var all []study.AblationResult
	for _, number := range []int{1, 7, 8} {
		rows, err := study.AblationTable(number, study.CourseScale)
		if err != nil {
			t.Fatal(err)
		}
		var results []study.AblationResult
		for i, a := range rows {
			results = append(results,
				study.AblationResult{Ablation: a, Set: "test (IID)", Score: finetune.Score{N: 100, Correct: 40 + i}},
				study.AblationResult{Ablation: a, Set: "compositional", Score: finetune.Score{N: 100, Correct: 40 + i}})
		}
		f, err := paper.LossFigure(results)
		if err != nil {
			t.Errorf("table %d: %v", number, err)
			continue
		}
		for _, a := range rows {
			if name := strings.ReplaceAll(a.Losses.String(), "+", " + "); !strings.Contains(f.Alt(), name) {
				t.Errorf("table %d: the figure's text lacks %s", number, name)
			}
		}
		all = append(all, results...)
	}
	table, err := paper.LossContrasts(all)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 16 {
		t.Errorf("the tables allow %d comparisons, expected all 16", len(table.Rows))
	}
}

// What the pictures draw is what the losses' definitions say (docs/paper.md 3.4): the
// weights of a score are even and sum to 1.
func TestPipelineFigureDirections(t *testing.T) {
	f, err := paper.PipelineFigure(set(stimuli.RMTS, stimuli.CourseQuick), 0)
	if err != nil {
		t.Fatal(err)
	}
	arrows := strings.Count(f.Alt(), "Arrow from")
	if arrows != 4+4+8 {
		t.Errorf("%d arrows, expected 4 within objects, 4 within pairs, 8 between pairs", arrows)
	}
	for _, want := range []string{"object 1 to 1", "object 1 to 2", "object 2 to 1", "object 1 to 3", "object 4 to 2"} {
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("no arrow from %s", want)
		}
	}
	if f, err = paper.PipelineFigure(set(stimuli.Discrimination, stimuli.CourseQuick), 0); err != nil {
		t.Fatal(err)
	}
	if arrows := strings.Count(f.Alt(), "Arrow from"); arrows != 4 || strings.Contains(f.Alt(), "(bp)") {
		t.Errorf("%d arrows for a single pair, expected 4 and nothing between pairs: %s", arrows, f.Alt())
	}
}

func TestLossErrors(t *testing.T) {
	small := set(stimuli.Discrimination, stimuli.CourseQuick)
	for want, draw := range map[string]func() (*figure.Figure, error){
		"given no results":            func() (*figure.Figure, error) { return paper.LossFigure(nil) },
		"no stimulus 40":              func() (*figure.Figure, error) { return paper.PipelineFigure(small, 40) },
		"no stimulus -1":              func() (*figure.Figure, error) { return paper.RelationFigure(small, -1) },
		"no stimulus 41":              func() (*figure.Figure, error) { return paper.DisentangleFigure(small, 41, vit.CourseQuick) },
		"give both the same geometry": func() (*figure.Figure, error) { return paper.DisentangleFigure(small, 0, vit.Course) },
	} {
		if f, err := draw(); err == nil || f != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("figure %v with error %v, expected none with an error that speaks of %q", f, err, want)
		}
	}
}
