package paper

import (
	"math"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/study"
)

func TestPretrainingCurve(t *testing.T) {
	points := []study.PretrainPoint{
		{Pretraining: "contrastive", Seed: 1, Epoch: 1, Images: 100, Loss: 3, Guess: 2.5, Correct: .1},
		{Pretraining: "contrastive", Seed: 1, Epoch: 2, Images: 200, Loss: 1.5, Guess: 2.5, Correct: .6},
		{Pretraining: "masked", Seed: 1, Epoch: 1, Images: 100, Loss: 1.1, Guess: 1, Correct: math.NaN()},
	}
	for of, want := range map[string][]study.PretrainPoint{"accuracy": points[:2], "": points[2:]} {
		f, err := PretrainingCurve(want)
		if err != nil {
			t.Fatal(err)
		}
		if alt := f.Alt(); !strings.Contains(alt, "guessing") || of != "" && !strings.Contains(alt, of) || of == "" && strings.Contains(alt, "accuracy") {
			t.Errorf("the figure says %q", alt)
		}
	}
	want := [][]string{{"contrastive", "1", "200", "3.000", "1.500", "2.500", ".600", "yes"}, {"masked", "1", "100", "1.100", "1.100", "1.000", "", "no"}}
	for i, row := range PretrainingTable(points).Rows {
		if !slices.Equal(row, want[i]) {
			t.Errorf("row %d is %q, expected %q", i, row, want[i])
		}
	}
	if _, err := PretrainingCurve(nil); err == nil {
		t.Error("of no epochs: no error")
	}
}
