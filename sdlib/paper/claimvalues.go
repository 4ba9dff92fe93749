package paper

import (
	"fmt"
	"math"
	"strings"

	"samediff/sdlib/finetune"
)

// short writes a share without the zero in front: ".870".
func short(x float64) string { return strings.TrimPrefix(fmt.Sprintf("%.3f", x), "0") }

// interval writes a share with Wilson's 95 % interval: ".870 (.848–.889)".
func interval(s finetune.Score) string {
	low, high := s.Interval()
	return fmt.Sprintf("%s (%s–%s)", short(s.Accuracy()), short(low), short(high))
}

// near judges a value against the paper's: near it, or else in part if holds, what the claim says in words.
func near(value, paper float64, holds bool) Verdict {
	switch {
	case math.Abs(value-paper) <= Near:
		return Agrees
	case holds:
		return Partly
	}
	return Disagrees
}

// whether judges parts: yes if all hold, in part if some do.
func whether(parts ...bool) Verdict {
	n := 0
	for _, holds := range parts {
		if holds {
			n++
		}
	}
	switch n {
	case len(parts):
		return Agrees
	case 0:
		return Disagrees
	}
	return Partly
}
