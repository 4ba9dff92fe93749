package paper

import (
	"context"
	"fmt"
	"math"

	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// PrecisionTable tells what it changes on the images of a set when a model computes its
// matrix products less exactly than in float32 ([vit.Compute]): the largest change of a
// logit, the mean one, and how many answers become others.
func PrecisionTable(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, report progress.Func) (figure.Table, error) {
	t := figure.Table{Title: fmt.Sprintf("Beside float32, on %d images", set.Len()),
		Columns: []string{"products in", "largest change of a logit", "mean change", "other answers"}}
	exact, err := finetune.Predict(ctx, be, m, set, finetune.Condition{}, report)
	if err != nil {
		return t, err
	}
	for _, p := range []vit.Precision{vit.TF32, vit.BF16} {
		logits, err := finetune.Predict(ctx, be, m, set, finetune.Condition{Precision: p}, report)
		if err != nil {
			return t, err
		}
		largest, sum, n, others := 0.0, 0.0, 0, 0
		for i, row := range logits {
			for c, v := range row {
				change := math.Abs(float64(v - exact[i][c]))
				largest, sum, n = max(largest, change), sum+change, n+1
			}
			if highest(row) != highest(exact[i]) {
				others++
			}
		}
		t.Add(string(p), fmt.Sprintf("%.4f", largest), fmt.Sprintf("%.4f", sum/float64(n)), others)
	}
	return t, nil
}

// highest is the answer: the position of the highest logit.
func highest(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}
