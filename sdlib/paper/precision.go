package paper

import (
	"fmt"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
)

// PrecisionTable shows what it changes when a model computes its matrix products less
// exactly than in float32 ([finetune.Roundings]): the largest change of a logit, the mean
// one, and how many answers become others.
func PrecisionTable(roundings []finetune.Rounding) figure.Table {
	t := figure.Table{Columns: []string{"products in", "largest change of a logit", "mean change", "other answers"}}
	for _, r := range roundings {
		t.Title = fmt.Sprintf("Beside float32, on %d images", r.Images)
		t.Add(string(r.Precision), fmt.Sprintf("%.4f", r.Largest), fmt.Sprintf("%.4f", r.Mean), r.Answers)
	}
	return t
}
