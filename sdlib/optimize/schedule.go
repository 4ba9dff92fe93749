package optimize

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Moment is a point of a training: the step and the epoch under way, counted from 0, and
// how many there are.
type Moment struct{ Step, Steps, Epoch, Epochs int }

// Falling returns a scalar that falls, or rises, from one positive number at the first step
// to another at the last, by the same factor in every step.
func Falling(from, to float64) func(Moment) float64 {
	return func(at Moment) float64 {
		return from * math.Pow(to/from, float64(at.Step)/float64(max(at.Steps-1, 1)))
	}
}

// Schedule says how the learning rate moves during training. Each kind equals its
// namesake in PyTorch. The first Warmup steps of any of them rise linearly from
// 1/Warmup of the learning rate to all of it.
type Schedule string

const (
	// Constant keeps the learning rate.
	Constant Schedule = "constant"
	// Cosine lowers it to 0 along half a cosine over all steps.
	Cosine Schedule = "cosine"
	// Linear lowers it to 0 along a line over all steps.
	Linear Schedule = "linear"
	// Exponential multiplies it by Gamma after every epoch.
	Exponential Schedule = "exponential"
	// Plateau multiplies it by Factor when the measure of validation has not grown for more
	// than Patience epochs.
	Plateau Schedule = "plateau"
)

var schedules = []Schedule{Constant, Cosine, Linear, Exponential, Plateau}

// rate returns the learning rate of a step whose highest is lr, which is a function of the
// settings and of the epochs before the step's alone: a resumed run has the rates of an
// uninterrupted one.
func (s *Settings) rate(lr float64, at Moment, validated []float64) float64 {
	if at.Step < s.Warmup {
		return lr * (float64(at.Step+1) / float64(s.Warmup))
	}
	if s.Scale != nil {
		return lr * s.Scale(at, validated)
	}
	after, rest := float64(at.Step-s.Warmup), float64(at.Steps-s.Warmup)
	switch s.Schedule {
	case Cosine:
		return lr * (.5 * (1 + math.Cos(math.Pi*after/rest)))
	case Linear:
		return lr * (1 - after/rest)
	case Exponential:
		return lr * math.Pow(s.gamma(), float64(at.Epoch))
	case Plateau:
		return s.plateau(lr, validated)
	}
	return lr
}

// The zero values of Gamma, Patience and Factor stand for the paper's code's (docs/paper.md 3.1).
func (s *Settings) gamma() float64  { return cmp.Or(s.Gamma, .95) }
func (s *Settings) patience() int   { return cmp.Or(s.Patience, 40) }
func (s *Settings) factor() float64 { return cmp.Or(s.Factor, .1) }

// plateau is torch.optim.lr_scheduler.ReduceLROnPlateau with mode "max" and PyTorch's
// defaults: growth counts when it is more than one in 10⁴, and a reduction of the
// learning rate by less than 10⁻⁸ is not made.
func (s *Settings) plateau(lr float64, validated []float64) float64 {
	const threshold, least = 1e-4, 1e-8
	best, bad := math.Inf(-1), 0
	for _, x := range validated {
		if x > best*(1+threshold) {
			best, bad = x, 0
		} else {
			bad++
		}
		if bad > s.patience() {
			if lower := lr * s.factor(); lr-lower > least {
				lr = lower
			}
			bad = 0
		}
	}
	return lr
}

// rates returns the learning rates of a step by group, one for each of the sets.
func (s *Settings) rates(groups []string, sets int, at Moment, history []Epoch) map[string][]float64 {
	all := map[string][]float64{}
	for _, name := range groups {
		g, _ := s.group(name)
		for set := range sets {
			lr := g.rates()[set%len(g.rates())]
			all[name] = append(all[name], s.rate(lr, at, validated(history[:at.Epoch], set)))
		}
	}
	return all
}

func (s *Settings) validateSchedule() error {
	switch {
	case s.Schedule != "" && !slices.Contains(schedules, s.Schedule):
		return fmt.Errorf("optimize: schedule %q is unknown, expected one of %q", s.Schedule, schedules)
	case !(s.gamma() > 0 && s.gamma() <= 1):
		return fmt.Errorf("optimize: gamma is %g, expected more than 0 and at most 1", s.Gamma)
	case !(s.factor() > 0 && s.factor() < 1):
		return fmt.Errorf("optimize: factor is %g, expected more than 0 and less than 1", s.Factor)
	case s.Patience < 0:
		return fmt.Errorf("optimize: patience is %d epochs, expected a positive number, or 0 for %d", s.Patience, s.patience())
	}
	return nil
}

// needsValidation names what looks at the measure of validation; "" is nothing.
func (s *Settings) needsValidation() string {
	switch {
	case s.Scale == nil && s.Schedule == Plateau:
		return fmt.Sprintf("the schedule %q", Plateau)
	case s.Keep == Best:
		return fmt.Sprintf("keep %q", Best)
	}
	return ""
}
