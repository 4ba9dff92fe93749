package das

import (
	"fmt"

	"samediff/sdlib/vit"
)

// A Search is a training of an intervention: after which block, by which method and recipe, and
// as which control.
type Search struct {
	Block   int     `json:"block"`
	Control Control `json:"control,omitempty"`
	Method  Method  `json:"method,omitempty"`
	Rank    int     `json:"rank,omitempty"` // how many directions to swap, for a method that does not find the number itself
	Recipe  Recipe  `json:"recipe"`
	Seed    uint64  `json:"seed"` // of the random start, the order of the pairs, and the shuffles
}

// Validate reports whether a search is possible in a model of this configuration.
func (q Search) Validate(c vit.Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := checkBlock(c, q.Block); err != nil {
		return err
	}
	if err := q.Control.check(); err != nil {
		return err
	}
	if _, err := ParseMethod(q.Method.String()); err != nil {
		return fmt.Errorf("das: %w", err)
	}
	if q.Method == LowRank && q.Control == RandomRotation {
		return fmt.Errorf("das: control %s of method %s: nothing would be left to learn", q.Control, q.Method)
	}
	if q.Rank != 0 && q.Method.Learned() && !q.Method.Ranked() {
		return fmt.Errorf("das: %d directions by %s, which finds the number itself: only %s, %s, %s and %s take a rank", q.Rank, q.Method, LowRank, Probe, PCA, Means)
	}
	return q.Recipe.Validate()
}
