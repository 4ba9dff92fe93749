package paper

import (
	"context"
	"fmt"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// accuracyTable sets models beside each other (the paper's Tables 2 to 6): a row for each, a
// column for each set with the accuracy and Wilson's 95 % interval, empty where a model has
// no such set.
func (i Item) accuracyTable(ctx context.Context, l *study.Lab, subjects []study.Subject, sets []string) (figure.Table, error) {
	t := figure.Table{Title: fmt.Sprintf("Table %s: %s", i.Number, i.Title), Columns: append([]string{"model"}, sets...)}
	for _, s := range subjects {
		m, err := l.Model(ctx, s)
		if err != nil {
			return t, err
		}
		c, err := i.learned(ctx, l, s)
		if err != nil {
			return t, err
		}
		row := make([]string, len(t.Columns))
		row[0] = m.Label(s.Name)
		for _, n := range study.Sets(c, 0) {
			column := slices.Index(t.Columns, n.Name)
			if column < 0 {
				continue
			}
			set, err := stimuli.Open(n.Stimuli)
			if err != nil {
				return t, err
			}
			r, err := l.EvaluateOn(ctx, m, n.Name, set)
			if err != nil {
				return t, err
			}
			low, high := r.All.Interval()
			row[column] = fmt.Sprintf("%.3f (%.3f–%.3f)", r.All.Accuracy(), low, high)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}
