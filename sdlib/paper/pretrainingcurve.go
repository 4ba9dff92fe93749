package paper

import (
	"errors"
	"fmt"
	"math"

	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

// PretrainingCurve shows how a pretraining went, or goes: its loss beside what guessing costs, and the share that is right of the names
// or captions, for objectives that have such.
func PretrainingCurve(points []study.PretrainPoint) (*figure.Figure, error) {
	if len(points) == 0 {
		return nil, errors.New("paper: a pretraining curve of no epochs")
	}
	loss, guess, correct := figure.Series{Name: "loss"}, figure.Series{Name: "guessing", Dashed: true, NoMark: true}, figure.Series{Name: "right"}
	c := figure.Curves{Title: "Pretraining, " + points[0].Pretraining}
	for _, p := range points {
		c.Epochs = append(c.Epochs, float64(p.Epoch))
		loss.Values, guess.Values = append(loss.Values, p.Loss), append(guess.Values, p.Guess)
		if !math.IsNaN(p.Correct) {
			correct.Values = append(correct.Values, p.Correct)
		}
	}
	c.Loss = []figure.Series{loss, guess}
	if len(correct.Values) == len(points) {
		c.Accuracy = []figure.Series{correct}
	}
	return checked(c.Figure())
}

// PretrainingTable says of each pretraining what it measured in its last epoch, what guessing costs there, and whether it is below.
func PretrainingTable(points []study.PretrainPoint) figure.Table {
	t := figure.Table{Title: "What pretrainings learned of their own objective", Columns: []string{"pretraining", "seed", "pictures shown", "first loss", "last loss", "guessing", "right", "below guessing"}}
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].Pretraining == points[0].Pretraining && points[n].Seed == points[0].Seed {
			n++
		}
		run, last := points[:n], points[n-1]
		points = points[n:]
		right, learned := "", "no"
		if !math.IsNaN(last.Correct) {
			right = short(last.Correct)
		}
		if study.Learned(run) {
			learned = "yes"
		}
		t.Add(last.Pretraining, last.Seed, last.Images, run[0].Loss, last.Loss, fmt.Sprintf("%.3f", last.Guess), right, learned)
	}
	return t
}
