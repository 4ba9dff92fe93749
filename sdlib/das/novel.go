package das

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"samediff/sdlib/activations"
	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/vit"
)

// A Novelty is a way to make a representation that the model has for no object. If the model
// compares what a subspace holds, and does not look up what it knows, then two objects with the same novel
// representation are the same to it, and two with different ones are different (paper,
// section 5 and Appendix J).
type Novelty string

const (
	// Added is the sum of two objects' representations, token by token.
	Added Novelty = "added"
	// Interpolated is the mean of the same two.
	Interpolated Novelty = "interpolated"
	// Sampled draws every dimension of the subspace from a normal distribution with the mean and
	// the standard deviation that it has over objects and tokens. All tokens get one vector.
	Sampled Novelty = "sampled"
	// Random draws them from the standard normal distribution.
	Random Novelty = "random"
)

// Novelties are the ways, from those closest to what the model knows to those furthest from it.
var Novelties = []Novelty{Added, Interpolated, Sampled, Random}

// ParseNovelty returns the novelty of a name.
func ParseNovelty(name string) (Novelty, error) {
	return named("novelty", name, Novelties)
}

// String is the novelty's name.
func (n Novelty) String() string { return string(n) }

// A Novel says which novel representations pairs of objects get.
type Novel struct {
	Novelty Novelty `json:"novelty"`
	// Shared is how many pairs in a row get the same vectors. 0 is 1: each pair has vectors of its own.
	// The paper's code draws them once for each batch, [PaperShared] (docs/paper.md D18). Then answers to pairs
	// that share them are not independent, and an interval of the number of pairs is too narrow.
	Shared int    `json:"shared,omitempty"`
	Seed   uint64 `json:"seed"` // of the draws
}

// PaperShared is how many pairs share their vectors in the paper's code. 2,000 pairs then rest on
// 32 draws.
const PaperShared = 64

// Validate reports whether a novel representation can be made.
func (q Novel) Validate() error {
	if _, err := ParseNovelty(string(q.Novelty)); err != nil {
		return fmt.Errorf("das: %w", err)
	}
	if q.Shared < 0 {
		return fmt.Errorf("das: %d pairs share their vectors, expected a positive number, or 0 for 1", q.Shared)
	}
	return nil
}

// NovelAnswers asks the model about pairs of which both objects of the edited pair, at all of
// their tokens, have novel representations in the intervention's subspace. They are made of
// other objects, those of the validation split in the paper. Where the two should become the same
// both get one vector, else one each. In RMTS that turns the relation of one pair, and so the answer.
// It is an error if the streams or the objects are of another model, property, task or number of tokens, or if the
// intervention swaps no dimension.
func (v *Intervention) NovelAnswers(ctx context.Context, be *backend.Backend, m *vit.Model, s *Streams, from *Objects, q Novel, report progress.Func) (Answers, error) {
	if err := cmp.Or(v.of(s), v.alike(s, from), v.madeOf(from), q.Validate()); err != nil {
		return Answers{}, err
	}
	if Derived(v.Config, v.Block) { // objects are seldom kept there
		return Unchanged(s)
	}
	swap, err := v.novelSwap(s, from, q)
	if err != nil {
		return Answers{}, err
	}
	logits, err := v.Apply(ctx, be, m, s, swap, report)
	if err != nil {
		return Answers{}, err
	}
	return answered(s, logits)
}

// novelSwap writes novel representations to the tokens of the edited object, then to its partner's.
func (v *Intervention) novelSwap(s *Streams, from *Objects, q Novel) (Swap, error) {
	vectors, err := v.novelVectors(from, q)
	if err != nil {
		return Swap{}, err
	}
	P, D := s.P, v.Config.Width
	swap := Swap{K: 2 * P, Source: func(pair int, row []float32) {
		write := vectors(pair / max(q.Shared, 1))
		first, second := row[:P*D], row[P*D:]
		write(first)
		if s.Pairs.Record(pair).Relation() == 1 {
			copy(second, first)
		} else {
			write(second)
		}
	}}
	edited, partner := s.Edited(), s.NonEdited()
	for pair := range s.Pairs.Len() {
		swap.Tokens = append(swap.Tokens, edited[pair*P:(pair+1)*P]...)
		swap.Tokens = append(swap.Tokens, partner[pair*P:(pair+1)*P]...)
	}
	return swap, nil
}

// novelVectors returns for each draw a function that writes one state [P, D] after the other.
// Only the part of a state that lies in the subspace counts; the rest never comes to the stream.
func (v *Intervention) novelVectors(from *Objects, q Novel) (func(draw int) func(state []float32), error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if err := v.madeOf(from); err != nil {
		return nil, err
	}
	basis := v.Directions()
	if len(basis) == 0 {
		return nil, errors.New("das: the intervention swaps no dimension, so there is no subspace to write a novel representation to")
	}
	objects, err := from.After(v.Block)
	if err != nil {
		return nil, err
	}
	var mean, sd []float64
	if q.Novelty == Sampled {
		mean, sd = moments(objects, v.Config.Width, basis)
	}
	return func(draw int) func([]float32) {
		rng := drawing(q.Seed, draw)
		switch q.Novelty {
		case Added:
			return combined(objects, distinct(rng, objects.Shape[0]), 1)
		case Interpolated:
			return combined(objects, distinct(rng, objects.Shape[0]), .5)
		}
		return func(state []float32) {
			vector := state[:v.Config.Width] // Σ z r over directions r
			clear(vector)
			for j, direction := range basis {
				z := rng.NormFloat64()
				if q.Novelty == Sampled {
					z = mean[j] + sd[j]*z
				}
				for i, r := range direction {
					vector[i] += float32(z) * r
				}
			}
			for rest := state[len(vector):]; len(rest) > 0; rest = rest[len(vector):] {
				copy(rest, vector)
			}
		}
	}, nil
}

// madeOf returns an error unless novel representations in the intervention's subspace can be made of objects.
func (v *Intervention) madeOf(from *Objects) error {
	if from == nil {
		return errors.New("das: novel representations are made of objects, and none were given: compute them with das.KeepObjects")
	}
	made := from.Pairs.Config().Property
	switch {
	case from.Model != v.Model:
		return fmt.Errorf("das: the intervention was learned in model %.12s, the objects are those of model %.12s: a subspace of one model means nothing in another", v.Model, from.Model)
	case made != v.Property():
		return fmt.Errorf("das: the intervention is one of %s, the objects are of pairs for %s: expected one property", v.Property(), made)
	case from.Pairs.Len() < 4:
		return fmt.Errorf("das: two vectors are made of 4 objects, and there are %d", from.Pairs.Len())
	}
	return nil
}

// alike returns an error unless pairs can be tested with what is made of objects.
func (v *Intervention) alike(s *Streams, from *Objects) error {
	if from == nil {
		return v.madeOf(from)
	}
	made, on := from.Pairs.Config(), s.Pairs.Config()
	switch {
	case on.Property != v.Property():
		return fmt.Errorf("das: the intervention is one of %s, the pairs to test on are for %s: expected one property", v.Property(), on.Property)
	case made.Set.Task != on.Set.Task:
		return fmt.Errorf("das: the objects are of the task %s, the pairs of %s: expected one task", made.Set.Task, on.Set.Task)
	case from.P != s.P:
		return fmt.Errorf("das: the objects have %d tokens, those of the pairs %d: expected the same geometry", from.P, s.P)
	}
	return nil
}

// drawing is the source of a draw, which does not depend on the others.
func drawing(seed uint64, draw int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0x0e1<<48+uint64(draw)))
}

// distinct draws four different numbers below n: the objects of the first vector and of the second.
func distinct(rng *rand.Rand, n int) (objects [4]int) {
	for i := range objects {
		objects[i] = rng.IntN(n)
		for slices.Contains(objects[:i], objects[i]) {
			objects[i] = rng.IntN(n)
		}
	}
	return objects
}

// combined writes the sum of two objects' states, times scale, then that of the next two.
func combined(all activations.Values, objects [4]int, scale float32) func(state []float32) {
	next := 0
	return func(state []float32) {
		a, b := all.Row(objects[next]), all.Row(objects[next+1])
		next += 2
		for i := range state {
			state[i] = scale * (a[i] + b[i])
		}
	}
}

// moments returns the mean and the standard deviation of states along directions, over all
// objects and tokens.
func moments(objects activations.Values, D int, directions [][]float32) (mean, sd []float64) {
	var states, basis []float64
	for i := range objects.Shape[0] {
		for _, x := range objects.Row(i) {
			states = append(states, float64(x))
		}
	}
	for _, direction := range directions {
		for _, x := range direction {
			basis = append(basis, float64(x))
		}
	}
	var along mat.Dense // [dims, N·P]
	along.Mul(mat.NewDense(len(directions), D, basis), mat.NewDense(len(states)/D, D, states).T())
	for j := range directions {
		m, s := stat.MeanStdDev(along.RawRowView(j), nil)
		mean, sd = append(mean, m), append(sd, s)
	}
	return mean, sd
}
