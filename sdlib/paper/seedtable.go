package paper

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

// SeedTable sets the seeds of presets beside each other, a row for each preset and set, with the mean accuracy and, from two seeds on,
// its standard deviation over them.
func SeedTable(results []study.SeedResult) figure.Table {
	t := figure.Table{Title: "Accuracy by seed", Columns: []string{"preset", "set", "n"}}
	var seeds []uint64
	for _, r := range results {
		if !slices.Contains(seeds, r.Seed) {
			seeds = append(seeds, r.Seed)
		}
	}
	slices.Sort(seeds)
	for _, seed := range seeds {
		t.Columns = append(t.Columns, fmt.Sprintf("seed %d", seed))
	}
	t.Columns = append(t.Columns, "mean")
	type row struct{ preset, set string }
	var rows []row
	for _, r := range results {
		if at := (row{r.Preset, r.Set}); !slices.Contains(rows, at) {
			rows = append(rows, at)
		}
	}
	for _, at := range rows {
		cells := make([]any, len(t.Columns))
		for i := range cells {
			cells[i] = ""
		}
		cells[0], cells[1] = at.preset, at.set
		var accuracies []float64
		for _, r := range results {
			if r.Preset == at.preset && r.Set == at.set {
				cells[2], cells[3+slices.Index(seeds, r.Seed)] = r.Score.N, fmt.Sprintf("%.3f", r.Score.Accuracy())
				accuracies = append(accuracies, r.Score.Accuracy())
			}
		}
		mean, sd := stat.MeanStdDev(accuracies, nil)
		cells[len(cells)-1] = fmt.Sprintf("%.3f", mean)
		if len(accuracies) > 1 {
			cells[len(cells)-1] = fmt.Sprintf("%.3f ± %.3f", mean, sd)
		}
		t.Add(cells...)
	}
	return t
}
