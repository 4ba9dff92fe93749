package finetune

import (
	"fmt"
	"math"
)

// Schedule says how the learning rate moves during training.
type Schedule string

const (
	// Constant keeps the learning rate.
	Constant Schedule = "constant"
	// Cosine lowers it to 0 along half a cosine over all steps.
	Cosine Schedule = "cosine"
)

// at returns the factor on the learning rate for step i of n, counted from 0.
// The first warmup steps rise linearly from 1/warmup to 1.
func (s Schedule) at(i, n, warmup int) float64 {
	if i < warmup {
		return float64(i+1) / float64(warmup)
	}
	if s == Cosine {
		return .5 * (1 + math.Cos(math.Pi*float64(i-warmup)/float64(n-warmup)))
	}
	return 1
}

func (s Schedule) validate() error {
	if s != Constant && s != Cosine {
		return fmt.Errorf("finetune: schedule %q is unknown, expected %q or %q", s, Constant, Cosine)
	}
	return nil
}
