package finetune

import (
	"fmt"
	"math"
	"slices"
)

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
	// Exponential multiplies it by Gamma after every epoch; but see Faithful.
	Exponential Schedule = "exponential"
	// Plateau multiplies it by Factor when the accuracy on the validation set has not
	// grown for more than Patience epochs.
	Plateau Schedule = "plateau"
)

var schedules = []Schedule{Constant, Cosine, Linear, Exponential, Plateau}

// rate returns the learning rate of step i, counted from 0, of a training on n images,
// which is a function of the recipe and of the epochs before the step's alone: a
// resumed run has the rates of an uninterrupted one.
func (r Recipe) rate(i, n int, history []Epoch) float64 {
	if i < r.Warmup {
		return r.LR * (float64(i+1) / float64(r.Warmup))
	}
	epoch := i / r.perEpoch(n)
	after := float64(i - r.Warmup)
	rest := float64(r.steps(n) - r.Warmup)
	switch r.Schedule {
	case Cosine:
		return r.LR * (.5 * (1 + math.Cos(math.Pi*after/rest)))
	case Linear:
		return r.LR * (1 - after/rest)
	case Exponential:
		exponent := float64(epoch)
		if r.Faithful.DecayByAccuracy && epoch > 0 {
			exponent = history[epoch-1].Val
		}
		return r.LR * math.Pow(or(r.Gamma, defaultGamma), exponent)
	case Plateau:
		return r.plateau(history[:epoch])
	}
	return r.LR
}

// The zero values of Gamma, Patience and Factor stand for the paper's code's (docs/paper.md 3.1).
const (
	defaultGamma    = .95
	defaultPatience = 40
	defaultFactor   = .1
)

// plateau is torch.optim.lr_scheduler.ReduceLROnPlateau with mode "max" and PyTorch's
// defaults: growth counts when it is more than one in 10⁴, and a reduction of the
// learning rate by less than 10⁻⁸ is not made.
func (r Recipe) plateau(history []Epoch) float64 {
	const threshold, least = 1e-4, 1e-8
	rate, best, bad := r.LR, math.Inf(-1), 0
	for _, e := range history {
		if e.Val > best*(1+threshold) {
			best, bad = e.Val, 0
		} else {
			bad++
		}
		if bad > or(r.Patience, defaultPatience) {
			if lower := rate * or(r.Factor, defaultFactor); rate-lower > least {
				rate = lower
			}
			bad = 0
		}
	}
	return rate
}

// or returns x, or the default for the zero value.
func or[T comparable](x, otherwise T) T {
	if x == *new(T) {
		return otherwise
	}
	return x
}

func (r Recipe) validateSchedule() error {
	gamma, factor := or(r.Gamma, defaultGamma), or(r.Factor, defaultFactor)
	switch {
	case !slices.Contains(schedules, r.Schedule):
		return fmt.Errorf("finetune: schedule %q is unknown, expected one of %q", r.Schedule, schedules)
	case !(gamma > 0 && gamma <= 1):
		return fmt.Errorf("finetune: gamma is %g, expected more than 0 and at most 1", r.Gamma)
	case !(factor > 0 && factor < 1):
		return fmt.Errorf("finetune: factor is %g, expected more than 0 and less than 1", r.Factor)
	case r.Patience < 0:
		return fmt.Errorf("finetune: patience is %d epochs, expected a positive number, or 0 for %d", r.Patience, defaultPatience)
	case r.Faithful.DecayByAccuracy && r.Schedule != Exponential:
		return fmt.Errorf("finetune: decay_by_accuracy changes the schedule %q, but the recipe's is %q", Exponential, r.Schedule)
	}
	return nil
}

// needsValidation tells whether the recipe looks at the accuracy on a validation set.
func (r Recipe) needsValidation() (reason string, needs bool) {
	switch {
	case r.Schedule == Plateau:
		return fmt.Sprintf("the schedule %q", Plateau), true
	case r.Faithful.DecayByAccuracy:
		return "decay_by_accuracy", true
	case r.Keep == Best:
		return fmt.Sprintf("keep %q", Best), true
	}
	return "", false
}
