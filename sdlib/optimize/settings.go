package optimize

import (
	"cmp"
	"fmt"
)

// Settings say how a problem is solved. Required are a learning rate, and Epochs or Steps;
// every other zero value is the plain choice.
type Settings struct {
	Epochs int `json:"epochs,omitempty"` // passes over the rows
	Steps  int `json:"steps,omitempty"`  // in place of Epochs: steps in all; the last pass may be shorter
	Batch  int `json:"batch,omitempty"`  // rows per step; the last incomplete batch of a pass is dropped; 0 is all rows
	// Accumulate cuts each batch into so many parts, whose gradients are computed one after the
	// other and averaged: the same step, up to rounding, in less memory. It divides Batch.
	Accumulate int    `json:"accumulate,omitempty"`
	Seed       uint64 `json:"seed,omitempty"` // of the rows' order

	Optimizer   Optimizer        `json:"optimizer,omitempty"`
	LR          float64          `json:"lr,omitempty"`           // the learning rate at its highest
	LRs         []float64        `json:"lrs,omitempty"`          // in place of LR: one for each of Problem.Sets
	WeightDecay float64          `json:"weight_decay,omitempty"` // λ of Optimizer
	Groups      map[string]Group `json:"groups,omitempty"`       // of parameters that have others
	Beta1       float64          `json:"beta1,omitempty"`        // decay of Adam's first moment; 0 is .9
	Beta2       float64          `json:"beta2,omitempty"`        // and of its second; 0 is .999
	// Clip is the largest norm of the gradient over all parameters (of a set) together; a
	// larger one is scaled down to it. 0 leaves gradients as they are.
	Clip float64 `json:"clip,omitempty"`

	Schedule Schedule `json:"schedule,omitempty"` // "" is Constant
	Warmup   int      `json:"warmup,omitempty"`   // steps over which the learning rate rises from 0
	Gamma    float64  `json:"gamma,omitempty"`    // of Exponential; 0 is .95
	Patience int      `json:"patience,omitempty"` // of Plateau, in epochs; 0 is 40
	Factor   float64  `json:"factor,omitempty"`   // of Plateau; 0 is .1
	// Scale is a schedule of your own: after the warm-up the learning rate is LR·Scale. It is
	// given what Problem.Validate returned after each of the epochs before, for the set at hand.
	Scale func(at Moment, validated []float64) float64 `json:"-"`

	Keep Keep `json:"keep,omitempty"`
}

// A Group has a learning rate and a decay for some of the parameters. What it leaves out is 0.
type Group struct {
	LR          float64   `json:"lr,omitempty"`
	LRs         []float64 `json:"lrs,omitempty"`
	WeightDecay float64   `json:"weight_decay,omitempty"`
}

// Keep says which values become the result.
type Keep string

const (
	// Last keeps the values after the last step.
	Last Keep = ""
	// Best keeps those after the epoch for which Problem.Validate returned the most, the
	// earliest of equals. With sets each has its own best epoch.
	Best Keep = "best"
)

// Validate reports whether the settings are possible for data of n rows.
func (s *Settings) Validate(n int) error {
	steps := s.plan(max(n, 1)).steps
	switch {
	case n < 1:
		return fmt.Errorf("optimize: the data has no rows")
	case s.Epochs < 0 || s.Steps < 0 || (s.Epochs == 0) == (s.Steps == 0):
		return fmt.Errorf("optimize: %d epochs and %d steps, expected one of the two", s.Epochs, s.Steps)
	case s.Batch < 0 || s.Batch > n:
		return fmt.Errorf("optimize: batches of %d rows, expected 1 to %d, all that there are", s.Batch, n)
	case s.Accumulate < 0 || s.plan(n).batch%s.parts() != 0:
		return fmt.Errorf("optimize: batches of %d rows cannot be cut into %d equal parts: accumulate must divide batch", s.plan(n).batch, s.Accumulate)
	case s.Optimizer != AdamW && s.Optimizer != Adam:
		return fmt.Errorf("optimize: optimizer %q is unknown, expected %q, or %q for AdamW", s.Optimizer, Adam, AdamW)
	case !(s.beta1() >= 0 && s.beta1() < 1 && s.beta2() >= 0 && s.beta2() < 1):
		return fmt.Errorf("optimize: moments that decay by %g and %g, expected less than 1", s.Beta1, s.Beta2)
	case !(s.Clip >= 0):
		return fmt.Errorf("optimize: gradients are clipped at norm %g, expected a positive number, or 0 for no clipping", s.Clip)
	case s.Warmup < 0 || s.Warmup >= steps:
		return fmt.Errorf("optimize: %d warm-up steps, expected 0 to %d (there are %d steps in all)", s.Warmup, steps-1, steps)
	case s.Keep != Last && s.Keep != Best:
		return fmt.Errorf("optimize: keep is %q, expected %q, or %q for the last values", s.Keep, Best, Last)
	}
	if len(s.Groups) == 0 {
		if g, _ := s.group(""); g.validate() != nil {
			return g.validate()
		}
	}
	return s.validateSchedule()
}

func (g Group) validate() error {
	for _, lr := range g.rates() {
		if !(lr > 0) {
			return fmt.Errorf("optimize: the learning rate is %g, expected a positive number", lr)
		}
	}
	if !(g.WeightDecay >= 0) {
		return fmt.Errorf("optimize: the weight decay is %g, expected 0 or a positive number", g.WeightDecay)
	}
	return nil
}

// rates returns LRs, or LR where one serves all sets.
func (g Group) rates() []float64 {
	if g.LRs != nil {
		return g.LRs
	}
	return []float64{g.LR}
}

// group returns a group of parameters and whether there is one of the name.
func (s *Settings) group(name string) (Group, bool) {
	if name == "" {
		return Group{s.LR, s.LRs, s.WeightDecay}, true
	}
	g, ok := s.Groups[name]
	return g, ok
}

// parts is the number of parts of a batch.
func (s *Settings) parts() int { return max(s.Accumulate, 1) }

// A plan counts what is to be done: rows of a batch, steps of an epoch and in all, and
// epochs, of which the last may have fewer steps.
type plan struct{ batch, perEpoch, steps, epochs int }

func (s *Settings) plan(n int) plan {
	p := plan{batch: cmp.Or(s.Batch, n)}
	p.perEpoch = max(n/p.batch, 1)
	p.steps = cmp.Or(s.Steps, s.Epochs*p.perEpoch)
	p.epochs = (p.steps + p.perEpoch - 1) / p.perEpoch
	return p
}

// Count returns how many steps an epoch has for data of n rows, and how many there are in all.
func (s *Settings) Count(n int) (perEpoch, all int) {
	p := s.plan(n)
	return p.perEpoch, p.steps
}

// moment returns where step i lies, counted from 0.
func (p plan) moment(i int) Moment { return Moment{i, p.steps, i / p.perEpoch, p.epochs} }

// stepsOf returns the number of steps of an epoch.
func (p plan) stepsOf(epoch int) int { return min(p.perEpoch, p.steps-epoch*p.perEpoch) }
