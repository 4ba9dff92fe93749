package das

import (
	"fmt"
	"strings"
)

// A Method says how an intervention's subspace is found.
type Method string

// The methods that learn, by [Train].
const (
	// Trained is distributed alignment search, with a mask that finds how many directions to swap.
	Trained Method = ""
	// LowRank learns as many directions as it is asked for, and no mask.
	LowRank Method = "lowrank"
	// Boundless learns where the directions to swap end, in place of a mask (Wu et al. 2023).
	Boundless Method = "boundless"
)

// The methods that need no search, by [Baseline].
const (
	// Probe swaps the directions that a linear probe of the property reads. Of 16 values there are 15.
	Probe Method = "probe"
	// Whole swaps the whole state of a token.
	Whole Method = "whole"
	// PCA swaps the directions along which the states of source objects vary most.
	PCA Method = "pca"
	// Means swaps the directions in which the mean states of objects with different values of
	// the property differ most. Of 16 values there are 15.
	Means Method = "means"
)

// Methods are the methods, the search first.
var Methods = []Method{Trained, LowRank, Boundless, Probe, Whole, PCA, Means}

// Learned reports whether a method is one of [Train].
func (m Method) Learned() bool { return m == Trained || m == LowRank || m == Boundless }

// Ranked reports whether a method has to be given the number of directions to swap.
func (m Method) Ranked() bool { return m == LowRank || m == Probe || m == PCA || m == Means }

// String is the method's name, "das" for Trained.
func (m Method) String() string {
	if m == Trained {
		return "das"
	}
	return string(m)
}

// ParseMethod returns the method of a name.
func ParseMethod(name string) (Method, error) {
	return named("method", name, Methods)
}

// named returns the one of all that has a name.
func named[T fmt.Stringer](what, name string, all []T) (found T, err error) {
	var names []string
	for _, x := range all {
		if x.String() == name {
			return x, nil
		}
		names = append(names, x.String())
	}
	return found, fmt.Errorf("there is no %s %q, expected one of %s", what, name, strings.Join(names, ", "))
}
