package probe

import (
	"fmt"
	"math/rand/v2"
)

// A Direction says which vector an intervention adds to a pair's tokens.
type Direction string

// The directions. Each is one vector for pairs that are the same, and one for others.
const (
	// Opposite is the probe's row of the relation that the pair does not have (the paper's intervention).
	Opposite Direction = "opposite"
	// Present is the row of the relation that it has (the paper's control): it should change nothing.
	Present Direction = "present"
	// Random is a vector of the length of Opposite that points anywhere.
	Random Direction = "random"
	// Means is the mean of the items of the opposite relation minus that of the relation that is there.
	Means Direction = "means"
)

// AllDirections lists them.
var AllDirections = []Direction{Opposite, Present, Random, Means}

// Directions are the vectors to add to pairs at one place.
type Directions struct {
	Place string
	// Vectors has for each direction a vector of F numbers for pairs that are different, [0], and
	// for pairs that are the same, [1].
	Vectors map[Direction][2][]float32
}

// NewDirections takes them from a probe of [Relation] and, for [Means], from the items that it
// was trained on. Random vectors depend on the seed and the place's name.
func NewDirections(p Probe, x Features, s Items, seed uint64) (Directions, error) {
	if s.Target != Relation || len(p.Bias) != 2 {
		return Directions{}, fmt.Errorf("probe: directions of a probe of %d classes for the target %s: expected one of %s, which has two", len(p.Bias), s.Target, Relation)
	}
	if x.Width() != p.Width() || x.Len() != len(s.All) {
		return Directions{}, fmt.Errorf("probe: %d items of %d numbers for directions of %d items and a probe of %d", x.Len(), x.Width(), len(s.All), p.Width())
	}
	d := Directions{Place: p.Place, Vectors: map[Direction][2][]float32{
		Opposite: {p.Row(1), p.Row(0)},
		Present:  {p.Row(0), p.Row(1)},
	}}
	means, err := classMeans(x, s)
	if err != nil {
		return d, err
	}
	d.Vectors[Means] = [2][]float32{minus(means[1], means[0]), minus(means[0], means[1])}
	rng := rand.New(rand.NewPCG(seed, nameSeed(p.Place)))
	var random [2][]float32
	for r := range random {
		random[r] = make([]float32, p.Width())
		for k := range random[r] {
			random[r][k] = float32(rng.NormFloat64())
		}
		scale := float32(norm(p.Row(1-r)) / norm(random[r]))
		for k := range random[r] {
			random[r][k] *= scale
		}
	}
	d.Vectors[Random] = random
	return d, nil
}

// Scaled returns the directions of a probe, and those of their length, times a factor. The
// difference of the means stays as it is.
func (d Directions) Scaled(by float64) Directions {
	all := map[Direction][2][]float32{Means: d.Vectors[Means]}
	for name, both := range d.Vectors {
		if name == Means {
			continue
		}
		var scaled [2][]float32
		for r, vector := range both {
			for _, v := range vector {
				scaled[r] = append(scaled[r], float32(by*float64(v)))
			}
		}
		all[name] = scaled
	}
	return Directions{d.Place, all}
}

// nameSeed makes a number of a name (FNV-1a).
func nameSeed(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// classMeans returns the mean features of the items of both answers.
func classMeans(x Features, s Items) (means [2][]float32, err error) {
	var sums [2][]float64
	var n [2]int
	for c := range sums {
		sums[c] = make([]float64, x.Width())
	}
	row := make([]float32, x.Width())
	for i, item := range s.All {
		x.Row(row, i)
		n[item.Class]++
		for k, v := range row {
			sums[item.Class][k] += float64(v)
		}
	}
	for c := range means {
		if n[c] == 0 {
			return means, fmt.Errorf("probe: none of %d items has the answer %d, so that there is no mean to subtract", len(s.All), c)
		}
		means[c] = make([]float32, x.Width())
		for k := range means[c] {
			means[c][k] = float32(sums[c][k] / float64(n[c]))
		}
	}
	return means, nil
}

func minus(x, y []float32) []float32 {
	z := make([]float32, len(x))
	for i := range z {
		z[i] = x[i] - y[i]
	}
	return z
}

// InputOf returns the value that a block finds: what the one before it left, or the embedding.
// The paper's probe of block l reads it, while its intervention changes what block l leaves
// (D19); by default both are the latter.
func InputOf(block int) string {
	if block == 0 {
		return "embed"
	}
	return OutputOf(block - 1)
}

// OutputOf returns the value that a block leaves.
func OutputOf(block int) string { return fmt.Sprintf("block%02d/resid_post", block) }
