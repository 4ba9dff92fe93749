package paper

import (
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// lossFindings are what the paper says of each row of Tables 1, 7 and 8, whose cells are
// known for a few rows only: the logs of its runs have train, IID and compositional
// accuracy of ViT-B/16 from scratch on the 32 set (docs/paper.md 9).
var lossFindings = map[stimuli.Task]map[string]string{
	stimuli.Discrimination: {
		"none":              "logged .99 / .88 / .78",
		"disentangle":       "generalizes; logged 1.00 / 1.00 / .94",
		"wo+wp":             "generalizes",
		"disentangle+wo+wp": "generalizes, best",
		"wo":                "helps",
		"wp":                "helps",
	},
	stimuli.RMTS: {
		"none":                 "chance; logged .68 / .50 / .50",
		"disentangle":          "fails; logged .65 / .59 / .59",
		"wo+wp+bp":             "fails",
		"disentangle+wo+wp+bp": "works, far from perfect",
		"disentangle+wo+bp":    "destroyed without WP",
		"disentangle+wp+bp":    "costs little",
		"disentangle+relation": "not in the paper",
	},
}

// LossTable shows what auxiliary losses teach models trained from scratch (the paper's
// Tables 1, 7, 8): for each task and set of losses the mean accuracy over the seeds and
// its standard deviation between them, beside what the paper found with ViT-B/16.
// Rows come in the order of the results; sets are columns.
func LossTable(title string, results []study.AblationResult) figure.Table {
	t := figure.Table{Title: title, Columns: []string{"task", "losses", "seeds"}}
	type row struct {
		task   stimuli.Task
		losses study.Losses
	}
	var rows []row
	var sets []string
	values := map[row]map[string][]float64{}
	for _, r := range results {
		k := row{r.Task, r.Losses}
		if values[k] == nil {
			values[k] = map[string][]float64{}
			rows = append(rows, k)
		}
		if !slices.Contains(sets, r.Set) {
			sets = append(sets, r.Set)
		}
		values[k][r.Set] = append(values[k][r.Set], r.Score.Accuracy())
	}
	t.Columns = append(append(t.Columns, sets...), "the paper, ViT-B/16")
	for _, k := range rows {
		line := []string{string(k.task), k.losses.String(), "0"}
		for _, set := range sets {
			v := values[k][set]
			line[2] = fmt.Sprint(len(v))
			line = append(line, spread(v))
		}
		finding := lossFindings[k.task][k.losses.String()]
		if k.losses.Relation {
			finding = "not in the paper"
		}
		t.Rows = append(t.Rows, append(line, finding))
	}
	return t
}

// spread is "mean ± standard deviation" of some accuracies, without the latter for one.
func spread(v []float64) string {
	if len(v) == 0 {
		return ""
	}
	mean, square := 0., 0.
	for _, x := range v {
		mean += x / float64(len(v))
	}
	if len(v) == 1 {
		return fmt.Sprintf("%.3f", mean)
	}
	for _, x := range v {
		square += (x - mean) * (x - mean) / float64(len(v)-1)
	}
	return fmt.Sprintf("%.3f ± %.3f", mean, math.Sqrt(square))
}
