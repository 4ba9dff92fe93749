package das

import (
	"context"
	"fmt"

	"samediff/sdlib/activations"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
)

// probePenalty is λ of the probe, that of the convex probes of sdlib/study.
const probePenalty = 1e-3

// probed returns the weights of a linear probe that reads the property from a single token of
// source objects after a block, a row for each value that occurs [16][D]. It is the best probe by logistic regression
// ([probe.Fit]). Adding one vector to all rows changes no answer, so their differences count, of which 15
// are independent.
//
// A probe's rows are what reads a property, and need not be where the model writes it: they are small
// where a direction has much noise (Haufe et al. 2014). A search looks for what the model reads itself.
func (s *Streams) probed(ctx context.Context, block int) ([][]float64, error) {
	cf, err := s.Sources(block)
	if err != nil {
		return nil, err
	}
	items := probe.Items{Target: probe.Target(s.Pairs.Config().Property), Classes: stimuli.NumShapes, Slots: 1}
	var seen stimuli.Values
	for pair := range s.Pairs.Len() {
		seen |= stimuli.ValuesOf(s.value(pair))
		for slot := range s.P {
			items.All = append(items.All, probe.Item{Image: pair, Slots: []int{slot}, Class: s.value(pair)})
		}
	}
	p, err := probe.Fit(ctx, probe.Place{Name: cf.Name, Features: tokenStates{s, cf}}, items, probePenalty)
	if err != nil {
		return nil, fmt.Errorf("das: %w", err)
	}
	var rows [][]float64
	for _, value := range seen.List() {
		row := make([]float64, s.Config.Width)
		for i, w := range p.Row(value) {
			row[i] = float64(w)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// tokenStates are the states of source tokens as a probe reads them: an item for each token of each pair.
type tokenStates struct {
	*Streams
	cf activations.Values
}

func (x tokenStates) Len() int   { return x.Pairs.Len() * x.P }
func (x tokenStates) Width() int { return x.Config.Width }

func (x tokenStates) Row(dst []float32, i int) {
	D := x.Config.Width
	copy(dst, x.source(x.cf, i/x.P, NoControl)[i%x.P*D:][:D])
}
