package paper

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// lossFindings are what the paper says of the rows of Tables 1, 7 and 8. Of their cells
// those are known that the logs of its runs have: ViT-B/16 and ViT-B/32 from scratch on
// the 32 set, accuracy on the training images, fresh ones, and new combinations.
var lossFindings = map[stimuli.Task]map[string]string{
	stimuli.Discrimination: {
		"none":              "logs: B/16 .77 / .77 / .76, B/32 .99 / .88 / .78",
		"disentangle":       "generalizes; logs: B/16 .96 / – / .79, B/32 1.00 / 1.00 / .94",
		"wo+wp":             "generalizes",
		"disentangle+wo+wp": "generalizes",
		"wo":                "helps",
		"wp":                "helps",
	},
	stimuli.RMTS: {
		"none":                 "chance; logs: B/16 .49 / .50 / .50, B/32 .68 / .50 / .50",
		"disentangle":          "fails; logs: B/32 .65 / .59 / .59",
		"wo+wp+bp":             "fails",
		"disentangle+wo+wp+bp": "best, far from perfect",
		"disentangle+wo+bp":    "destroyed",
		"disentangle+wp+bp":    "costs little",
	},
}

// LossTable shows what auxiliary losses teach models trained from scratch (the paper's
// Tables 1, 7, 8): for each task and set of losses the mean accuracy over the seeds and
// its standard deviation between them, beside what the paper found with ViT-B.
// Rows come in the order of the results; sets are columns.
func LossTable(title string, results []study.AblationResult) figure.Table {
	runs := groupRuns(results)
	t := figure.Table{Title: title, Columns: []string{"task", "losses", "seeds"}}
	t.Columns = append(append(t.Columns, runs.sets...), "the paper (logs: train / IID / compositional)")
	for _, row := range runs.rows {
		seeds := 0
		var cells []string
		for _, set := range runs.sets {
			v := runs.accuracies(row, set)
			seeds = max(seeds, len(v))
			cells = append(cells, spread(v))
		}
		finding := lossFindings[row.task][row.losses.String()]
		if row.losses.Relation {
			finding = "not in the paper"
		}
		line := append([]string{row.experiment.String(), spaced(row.losses), fmt.Sprint(seeds)}, cells...)
		t.Rows = append(t.Rows, append(line, finding))
	}
	return t
}

// lossContrasts are the comparisons that section 7 and appendix M make, with what they
// find of the first against the second.
var lossContrasts = []struct {
	task           stimuli.Task
	first, against string
	finding        string
}{
	{stimuli.Discrimination, "disentangle", "none", "teaches a rule that generalizes"},
	{stimuli.Discrimination, "pipeline", "none", "teaches a rule that generalizes"},
	{stimuli.Discrimination, "wo", "none", "helps"},
	{stimuli.Discrimination, "wp", "none", "helps"},
	{stimuli.Discrimination, "pipeline", "wo", "better than WO alone"},
	{stimuli.Discrimination, "pipeline", "wp", "better than WP alone"},
	{stimuli.Discrimination, "disentangle+relation", "none", "not in the paper"},
	{stimuli.RMTS, "disentangle", "none", "does not suffice"},
	{stimuli.RMTS, "pipeline", "none", "does not suffice"},
	{stimuli.RMTS, "disentangle+pipeline", "none", "works, far from perfect"},
	{stimuli.RMTS, "disentangle+pipeline", "disentangle", "only both together work"},
	{stimuli.RMTS, "disentangle+pipeline", "pipeline", "dropping the disentanglement loss destroys it"},
	{stimuli.RMTS, "disentangle+pipeline", "disentangle+wo+bp", "dropping WP destroys it"},
	{stimuli.RMTS, "disentangle+pipeline", "disentangle+wp+bp", "dropping WO costs little"},
	{stimuli.RMTS, "disentangle+relation", "none", "not in the paper"},
	{stimuli.RMTS, "disentangle+relation", "disentangle+pipeline", "not in the paper"},
}

// LossContrasts compares losses as section 7 and appendix M do: the difference in
// accuracy between two rows of the tables, seed by seed, since runs of one seed share
// images, order and starting weights. It shows the mean difference on fresh images and
// on new combinations, and in how many seeds the latter is above zero, beside what the
// paper finds. Comparisons of which the results lack a side are left out. Results of
// several tables may be given together; a run that two of them share counts once.
func LossContrasts(results []study.AblationResult) (figure.Table, error) {
	const iid, compositional = "test (IID)", "compositional"
	runs := groupRuns(results)
	t := figure.Table{
		Title:   "Differences in accuracy, seed by seed",
		Columns: []string{"task", "losses", "against", iid, compositional, "seeds above 0", "the paper"},
	}
	for _, e := range runs.experiments() {
		for _, c := range lossContrasts {
			if c.task != e.task {
				continue
			}
			first, err := study.ParseLosses(c.first, c.task)
			if err != nil {
				return t, fmt.Errorf("paper: %w", err)
			}
			against, err := study.ParseLosses(c.against, c.task)
			if err != nil {
				return t, fmt.Errorf("paper: %w", err)
			}
			fresh, recombined := runs.differences(e, first, against, iid), runs.differences(e, first, against, compositional)
			if len(recombined) == 0 {
				continue
			}
			above := 0
			for _, d := range recombined {
				if d > 0 {
					above++
				}
			}
			seeds := fmt.Sprintf("%d of %d", above, len(recombined))
			t.Add(e.String(), spaced(first), spaced(against), change(fresh), change(recombined), seeds, c.finding)
		}
	}
	return t, nil
}

// lossRuns are results by row of a table, set and seed.
type lossRuns struct {
	rows   []lossRow // in the order of the results, as are sets
	sets   []string
	scores map[lossRow]map[string]map[uint64]float64
}

// A lossRow is a row of a table: runs that differ in the seed only.
type lossRow struct {
	experiment
	losses study.Losses
}

// An experiment is what the losses of a table are compared on.
type experiment struct {
	scale study.Scale
	task  stimuli.Task
}

// String is the task, and the scale where it is the paper's.
func (e experiment) String() string {
	if e.scale == study.PaperScale {
		return string(e.task) + ", paper's scale"
	}
	return string(e.task)
}

func groupRuns(results []study.AblationResult) lossRuns {
	g := lossRuns{scores: map[lossRow]map[string]map[uint64]float64{}}
	for _, r := range results {
		row := lossRow{experiment{r.Scale, r.Task}, r.Losses}
		if g.scores[row] == nil {
			g.scores[row] = map[string]map[uint64]float64{}
			g.rows = append(g.rows, row)
		}
		if !slices.Contains(g.sets, r.Set) {
			g.sets = append(g.sets, r.Set)
		}
		if g.scores[row][r.Set] == nil {
			g.scores[row][r.Set] = map[uint64]float64{}
		}
		g.scores[row][r.Set][r.Seed] = r.Score.Accuracy()
	}
	return g
}

// experiments are those that the rows belong to, in their order.
func (g lossRuns) experiments() (all []experiment) {
	for _, row := range g.rows {
		if !slices.Contains(all, row.experiment) {
			all = append(all, row.experiment)
		}
	}
	return all
}

// accuracies returns those of a row on one set, by rising seed.
func (g lossRuns) accuracies(row lossRow, set string) (v []float64) {
	for _, seed := range seedsOf(g.scores[row][set]) {
		v = append(v, g.scores[row][set][seed])
	}
	return v
}

// differences returns the accuracy of some losses minus that of others, for each seed that both have.
func (g lossRuns) differences(e experiment, first, against study.Losses, set string) (d []float64) {
	a, b := g.scores[lossRow{e, first}][set], g.scores[lossRow{e, against}][set]
	for _, seed := range seedsOf(a) {
		if y, ok := b[seed]; ok {
			d = append(d, a[seed]-y)
		}
	}
	return d
}

func seedsOf(scores map[uint64]float64) (seeds []uint64) {
	for seed := range scores {
		seeds = append(seeds, seed)
	}
	slices.Sort(seeds)
	return seeds
}

// spaced is the losses' names, broken where a table or a chart needs it.
func spaced(l study.Losses) string { return strings.ReplaceAll(l.String(), "+", " + ") }

// spread is "mean ± standard deviation" of some accuracies, without the latter for one,
// with spaces that do not break.
func spread(v []float64) string {
	if len(v) == 0 {
		return ""
	}
	mean, sd := moments(v)
	if len(v) == 1 {
		return fmt.Sprintf("%.3f", mean)
	}
	return fmt.Sprintf("%.3f\u00a0±\u00a0%.3f", mean, sd)
}

// change is spread for differences, with a sign.
func change(v []float64) string {
	text := spread(v)
	switch mean, _ := moments(v); {
	case text == "":
		return ""
	case strings.HasPrefix(text, "-"):
		return "−" + text[1:]
	case mean > 0:
		return "+" + text
	}
	return text
}

// moments returns the mean and the standard deviation with n - 1, NaN for one value.
func moments(v []float64) (mean, sd float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	square := 0.
	for _, x := range v {
		square += (x - mean) * (x - mean) / float64(len(v)-1)
	}
	return mean, math.Sqrt(square)
}
