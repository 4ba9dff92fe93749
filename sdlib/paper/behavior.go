package paper

import (
	"fmt"
	"strconv"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// kindNames are the columns of the pairs that differ in one way; in RMTS they speak of the sample pair.
var kindNames = []struct {
	kind stimuli.Kind
	name string
}{
	{stimuli.Same, "same"},
	{stimuli.ShapeOnly, "other shape"},
	{stimuli.ColorOnly, "other color"},
	{stimuli.Both, "both differ"},
}

// BehaviorTable shows how often a model is right on each set (paper, Tables 2 to 6):
// accuracy with Wilson's 95 % interval, and the accuracy on pairs by how they differ,
// empty where a set has none.
func BehaviorTable(results []study.SetResult) figure.Table {
	t := figure.Table{Title: "Accuracy", Columns: []string{"set", "images", "accuracy", "95 % interval"}}
	for _, k := range kindNames {
		t.Columns = append(t.Columns, k.name)
	}
	for _, r := range results {
		low, high := r.All.Interval()
		row := []string{r.Name, strconv.Itoa(r.All.N), fmt.Sprintf("%.3f", r.All.Accuracy()), fmt.Sprintf("%.3f–%.3f", low, high)}
		for _, k := range kindNames {
			cell := ""
			for _, score := range r.Kinds {
				if score.Kind == k.kind {
					cell = fmt.Sprintf("%.3f", score.Score.Accuracy())
				}
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
