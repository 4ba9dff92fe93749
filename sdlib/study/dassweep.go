package study

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/das"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A DASSweep is searches in one model: every combination of its lists.
type DASSweep struct {
	Blocks     []int              // after which blocks; nil is all
	Properties []stimuli.Property // nil is shape and color
	Controls   []das.Control      // nil is the search itself
	Methods    []das.Method       // what subspaces are found by; nil is the search
	Seeds      []uint64           // nil is 1
	Recipe     das.Recipe         // the zero value is das.Suited
	Split      stimuli.Split      // of the pairs that interventions are tested on; "" is TestIID
	Test       int                // how many; 0 is 1,000
}

// DASTests is how many pairs a sweep tests on where it does not say.
const DASTests = 1000

// A DASRow is one result of a sweep.
type DASRow struct {
	DASQuery
	DASResult
	Model artifact.ID
}

// DASQueries returns what a sweep asks of a subject's model. Everything that can be wrong with
// it is an error here, before anything is trained.
func (l *Lab) DASQueries(ctx context.Context, s Subject, w DASSweep) ([]DASQuery, error) {
	learned, err := l.Stimuli(ctx, s)
	if err != nil {
		return nil, err
	}
	c, err := l.config(ctx, s)
	if err != nil {
		return nil, err
	}
	w = w.resolved(c)
	var all []DASQuery
	for _, control := range w.Controls {
		for _, seed := range w.Seeds {
			for _, block := range w.Blocks {
				for _, p := range w.Properties {
					for _, method := range w.Methods {
						q := DASQuery{DASSearch{learned, p, das.Search{Block: block, Control: control, Method: method, Recipe: w.Recipe, Seed: seed}}, w.Split, w.Test}
						if err := q.Validate(c); err != nil {
							return nil, err
						}
						all = append(all, q)
					}
				}
			}
		}
	}
	return all, l.checkPairs(all)
}

// checkPairs returns an error unless there are pairs to learn from and to test on. Sets of pairs that were found right are remembered:
// a plan of the whole paper asks for few of them, and for each many times.
func (l *Lab) checkPairs(queries []DASQuery) error {
	for _, q := range queries {
		set := q
		set.Search = das.Search{Recipe: das.Recipe{Pairs: q.Recipe.Pairs}} // all that the pairs depend on
		if q.Control == das.HeldOut {
			set.Control, set.Seed = q.Control, q.Seed
		}
		if _, ok := l.paired.Load(set); ok {
			continue
		}
		if _, err := q.TrainingPairs(q.Stimuli, q.Property); err != nil {
			return err
		}
		if _, err := q.Pairs(); err != nil {
			return err
		}
		l.paired.Store(set, nil)
	}
	return nil
}

func (w DASSweep) resolved(c vit.Config) DASSweep {
	if w.Recipe == (das.Recipe{}) {
		w.Recipe = das.Suited(c)
	}
	if w.Blocks == nil {
		for l := range c.Blocks {
			w.Blocks = append(w.Blocks, l)
		}
	}
	if w.Properties == nil {
		w.Properties = []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty}
	}
	if w.Controls == nil {
		w.Controls = []das.Control{das.NoControl}
	}
	if w.Methods == nil {
		w.Methods = []das.Method{das.Trained}
	}
	if w.Seeds == nil {
		w.Seeds = []uint64{1}
	}
	if w.Split == "" {
		w.Split = stimuli.TestIID
	}
	if w.Test == 0 {
		w.Test = DASTests
	}
	return w
}

// Pairs are those that the query tests on.
func (q DASQuery) Pairs() (*stimuli.Counterfactuals, error) {
	c := q.Stimuli
	c.Split, c.Size = q.Split, evalSize
	return q.TestPairs(c, q.Property, q.Test)
}

// Title says what is searched: "color after block 2", with the control where it is one.
func (q DASSearch) Title() string {
	title := fmt.Sprintf("%s after block %d", q.Property, q.Block)
	if q.Control != das.NoControl {
		title += ", control " + q.Control.String()
	}
	return title + fmt.Sprintf(", seed %d", q.Seed)
}

// DASJobs are the jobs of queries about a subject.
func DASJobs(s Subject, queries []DASQuery) (jobs []Job) {
	for _, q := range queries {
		title := q.Title()
		if q.Method != das.Trained {
			title += ", by " + q.Method.String()
		}
		jobs = append(jobs, DAS.Job(s, title, nil, q))
	}
	return jobs
}

// DASRows returns the answers to queries about a model, and computes those that the store does not have.
func (l *Lab) DASRows(ctx context.Context, m *Model, queries []DASQuery) (rows []DASRow, err error) {
	for _, q := range queries {
		r, err := DAS.Of(ctx, l, m, nil, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Title(), err)
		}
		rows = append(rows, DASRow{q, r, m.ID})
	}
	return rows, nil
}

// dasColumns are the columns of a sweep's CSV file.
var dasColumns = []string{"model", "task", "objects", "property", "block", "method", "control", "recipe", "seed", "split", "n", "correct", "accuracy", "low", "high",
	"to_different", "to_same", "base_accuracy", "one_minus_base", "dims", "derived"}

// WriteDAS writes results as CSV, one line each, with Wilson's 95 % interval. to_different and
// to_same are the accuracies of the pairs with either target; one_minus_base is what an
// intervention reaches that changes nothing.
func WriteDAS(w io.Writer, rows []DASRow) error {
	out := csv.NewWriter(w)
	out.Write(dasColumns)
	for _, r := range rows {
		out.Write(r.cells())
	}
	out.Flush()
	return out.Error()
}

// cells are the row's, in the order of dasColumns.
func (r DASRow) cells() []string {
	number := func(x float64) string { return fmt.Sprintf("%.4f", x) }
	score, without := r.Score(), r.Without()
	low, high := score.Interval()
	different, same := r.ByTarget()
	return []string{r.Model.Short(), string(r.Stimuli.Task), string(r.Stimuli.Objects), string(r.Property), strconv.Itoa(r.Block), r.Method.String(), r.Control.String(),
		RecipeName(r.Recipe), strconv.FormatUint(r.Seed, 10), string(r.Split), strconv.Itoa(score.N), strconv.Itoa(score.Correct),
		number(score.Accuracy()), number(low), number(high), number(different.Accuracy()), number(same.Accuracy()),
		number(r.BaseScore().Accuracy()), number(without.Accuracy()), strconv.Itoa(r.Dims), strconv.FormatBool(r.Derived)}
}

// SaveDAS writes results to a file, aside and renamed.
func SaveDAS(path string, rows []DASRow) error {
	return disk.ReplaceTable(path, func(w io.Writer) error { return WriteDAS(w, rows) })
}

// RecipeName returns the name of a recipe, "own" for one without a name.
func RecipeName(r das.Recipe) string {
	for name, known := range das.Recipes {
		if known == r {
			return name
		}
	}
	return "own"
}
