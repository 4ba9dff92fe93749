package paper

import (
	"errors"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
)

// TrainingCurve shows how a training went: the losses on the left, on the right the
// accuracy on training and validation images and, where the disentanglement loss was
// used, how often its probes name an object's shape and color right.
func TrainingCurve(history []finetune.Epoch) (*figure.Figure, error) {
	if len(history) == 0 {
		return nil, errors.New("paper: a training curve of no epochs: the history is empty, as for a model that was read from files")
	}
	series := func(name string, of func(finetune.Epoch) float64) figure.Series {
		s := figure.Series{Name: name}
		for _, e := range history {
			s.Values = append(s.Values, of(e))
		}
		s.NoMark = len(history) > 1
		return s
	}
	measured := func(s figure.Series) bool { return slices.Max(s.Values) > 0 }

	c := figure.Curves{Chance: .5, Title: "Training"}
	for _, e := range history {
		c.Epochs = append(c.Epochs, float64(e.Epoch))
	}
	c.Loss = []figure.Series{series("task loss", func(e finetune.Epoch) float64 { return e.Task })}
	if aux := series("auxiliary loss", func(e finetune.Epoch) float64 { return e.Aux }); measured(aux) {
		c.Loss = append(c.Loss, aux)
	}
	c.Accuracy = []figure.Series{series("training", func(e finetune.Epoch) float64 { return e.Train })}
	if val := series("validation", func(e finetune.Epoch) float64 { return e.Val }); measured(val) {
		c.Accuracy = append(c.Accuracy, val)
	}
	for _, probe := range []figure.Series{
		series("shape probe", func(e finetune.Epoch) float64 { return e.Shape }),
		series("color probe", func(e finetune.Epoch) float64 { return e.Color }),
	} {
		if probe.Dashed = true; measured(probe) {
			c.Accuracy = append(c.Accuracy, probe)
		}
	}
	f := c.Figure()
	return checked(f)
}
