package das

import "samediff/sdlib/vit"

// A Search is a training of an intervention: after which block, by which recipe, and as
// which control.
type Search struct {
	Block   int     `json:"block"`
	Control Control `json:"control,omitempty"`
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
	return q.Recipe.Validate()
}
