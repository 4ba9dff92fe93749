package probe

import (
	"fmt"
	"math"
	"math/rand/v2"

	"samediff/sdlib/activations"
)

// Features are what a probe reads: a vector of F numbers for each item. Row is called from
// several goroutines.
type Features interface {
	Len() int   // items
	Width() int // F
	// Row copies the features of item i into dst, which holds F numbers.
	Row(dst []float32, i int)
}

// FromActivations returns the features of items in kept activations, [N, O, P, D]: the vectors of
// each item's tokens, one after the other. They are read from the file when they are asked for.
func FromActivations(v activations.Values, s Items) (Features, error) {
	if len(v.Shape) != 4 {
		return nil, fmt.Errorf("probe: %s has the shape %d, expected [images, objects, patches, width]: keep it with Plan.AtObjects", v.Name, v.Shape)
	}
	slots := v.Shape[1] * v.Shape[2]
	for _, i := range s.All {
		if i.Image < 0 || i.Image >= v.Shape[0] || len(i.Slots) != s.Slots || max(i.Slots[0], i.Slots[len(i.Slots)-1]) >= slots {
			return nil, fmt.Errorf("probe: an item reads the tokens %d of image %d, but %s has %d images of %d tokens: were the activations kept for these images?",
				i.Slots, i.Image, v.Name, v.Shape[0], slots)
		}
	}
	return streams{v, s, v.Shape[3]}, nil
}

type streams struct {
	v activations.Values
	s Items
	D int
}

func (f streams) Len() int   { return len(f.s.All) }
func (f streams) Width() int { return f.s.Slots * f.D }

func (f streams) Row(dst []float32, i int) {
	item := f.s.All[i]
	from := f.v.Row(item.Image)
	for k, slot := range item.Slots {
		copy(dst[k*f.D:(k+1)*f.D], from[slot*f.D:])
	}
}

// Noise are features that know nothing: Gaussian numbers of mean 0 and deviation 1. What a
// probe of the same size reads from them it has learned by heart.
type Noise struct {
	N, F int
	Seed uint64 // another one for the items that a probe is tested on
}

// Len returns N.
func (f Noise) Len() int { return f.N }

// Width returns F.
func (f Noise) Width() int { return f.F }

// Row draws the numbers of item i, which depend on Seed and i alone.
func (f Noise) Row(dst []float32, i int) {
	rng := rand.New(rand.NewPCG(f.Seed, uint64(i)))
	for k := range dst {
		dst[k] = float32(rng.NormFloat64())
	}
}

// Matrix is features in memory, [N, F] row-major.
type Matrix struct {
	X []float32
	F int
}

// Len returns N.
func (f Matrix) Len() int { return len(f.X) / f.F }

// Width returns F.
func (f Matrix) Width() int { return f.F }

// Row copies row i.
func (f Matrix) Row(dst []float32, i int) { copy(dst, f.X[i*f.F:(i+1)*f.F]) }

// A Place is where probes read: a name, such as a value of the forward pass, and its features.
type Place struct {
	Name string
	Features
}

// check reports, before anything is trained, why probes cannot be trained on the answers y at
// these places.
func check(places []Place, y []int, classes int) error {
	if len(places) == 0 || len(y) == 0 {
		return fmt.Errorf("probe: %d items at %d places, expected one or more", len(y), len(places))
	}
	seen := make([]int, classes)
	for i, c := range y {
		if c < 0 || c >= classes {
			return fmt.Errorf("probe: the answer of item %d is %d, expected 0 to %d", i, c, classes-1)
		}
		seen[c]++
	}
	for c, n := range seen {
		if n == len(y) {
			return fmt.Errorf("probe: all %d items have the same answer, %d: a probe needs two classes or more, take a set with both", n, c)
		}
	}
	row := make([]float32, places[0].Width())
	for _, p := range places {
		if p.Len() != len(y) || p.Width() != len(row) {
			return fmt.Errorf("probe: %s has %d items of %d numbers, expected %d of %d as at %s", p.Name, p.Len(), p.Width(), len(y), len(row), places[0].Name)
		}
		for i := range y {
			p.Row(row, i)
			for k, v := range row {
				if v != v || math.IsInf(float64(v), 0) {
					return fmt.Errorf("probe: number %d of item %d at %s is %v: the model's weights are damaged or too large", k, i, p.Name, v)
				}
			}
		}
	}
	return nil
}
