package vit

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"
)

// Weights holds everything a model learns. T is *tensors.Tensor for a model's
// values, and *graph.Node for the same weights inside a graph. Matrices are
// [out, in], as PyTorch stores them.
//
// A weight that the model lacks is T's zero value, nil.
type Weights[T any] struct {
	CLS       T         // [1, 1, D]; SigLIP has none
	Distill   T         // [1, 1, D] DeiT's second token
	Registers T         // [1, Registers, D]
	Pos       T         // [1, positions, D] learned: the special tokens' first, then PosGrid² or g² of the patches
	Patch     Linear[T] // W [D, 3, patch, patch]
	PreNorm   Norm[T]   // CLIP's, before block 0
	Blocks    []Block[T]
	Norm      Norm[T]
	Head      Linear[T] // W [C, D], or [C, 2D] where it reads two vectors
}

// Block is one transformer block: attention, then an MLP, each behind a LayerNorm.
type Block[T any] struct {
	Norm1      Norm[T]
	Q, K, V, O Linear[T] // W [D, D]
	Norm2      Norm[T]
	Up, Down   Linear[T] // W [MLP, D] and [D, MLP]

	Scale1, Scale2 T // [D] LayerScale of what attention and MLP add
}

// Linear is y = x Wᵀ + b.
type Linear[T any] struct{ W, B T }

// Norm is a LayerNorm's gain and bias, both [D].
type Norm[T any] struct{ Scale, Shift T }

// field is one weight: its name in a Hugging Face file, its shape, and where it is kept.
type field[T any] struct {
	name  string
	shape []int
	file  []int // the shape in the file
	start float32
	value *T
}

// fields lists a model's weights in a fixed order, under the names of the family's layout.
func (w *Weights[T]) fields(c Config) []field[T] {
	if w.Blocks == nil {
		w.Blocks = make([]Block[T], c.Blocks)
	}
	f := c.Family.Traits()
	n, D := f.layout, c.Width
	var all []field[T]
	add := func(name string, value *T, start float32, shape ...int) {
		all = append(all, field[T]{name, shape, shape, start, value})
	}
	linear := func(name string, l *Linear[T], bias bool, out int, in ...int) {
		add(name+".weight", &l.W, 0, append([]int{out}, in...)...)
		if bias {
			add(name+".bias", &l.B, 0, out)
		}
	}
	norm := func(name string, l *Norm[T]) {
		add(name+".weight", &l.Scale, 1, D)
		add(name+".bias", &l.Shift, 0, D)
	}
	// A token or table of them, [1, count, D], which some layouts keep without the leading 1, and a single one as [D].
	tokens := func(name string, value *T, count int) {
		add(n.prefix+name, value, 0, 1, count, D)
		if last := &all[len(all)-1]; n.flat {
			last.file = []int{count, D}
			if value == &w.CLS {
				last.file = []int{D}
			}
		}
	}
	if f.CLS {
		tokens(n.cls, &w.CLS, 1)
	}
	if f.Distill {
		tokens(n.distill, &w.Distill, 1)
	}
	if c.Registers > 0 {
		tokens(n.registers, &w.Registers, c.Registers)
	}
	tokens(n.positions, &w.Pos, c.special()+c.posGrid()*c.posGrid())
	linear(n.prefix+n.patch, &w.Patch, f.PatchBias, D, 3, c.Patch, c.Patch)
	if f.PreNorm {
		norm(n.prefix+n.preNorm, &w.PreNorm)
	}
	for l := range w.Blocks {
		b, at := &w.Blocks[l], n.prefix+fmt.Sprintf(n.block, l)
		norm(at+n.norm1, &b.Norm1)
		linear(at+n.q, &b.Q, !c.NoQKVBias, D, D)
		linear(at+n.k, &b.K, !c.NoQKVBias, D, D)
		linear(at+n.v, &b.V, !c.NoQKVBias, D, D)
		linear(at+n.o, &b.O, true, D, D)
		norm(at+n.norm2, &b.Norm2)
		linear(at+n.up, &b.Up, true, c.MLP, D)
		linear(at+n.down, &b.Down, true, D, c.MLP)
		if f.LayerScale {
			add(at+n.scale1, &b.Scale1, 1, D)
			add(at+n.scale2, &b.Scale2, 1, D)
		}
	}
	norm(n.prefix+n.norm, &w.Norm)
	linear(n.head, &w.Head, f.HeadBias, c.Classes, c.readout())
	return all
}

// Flatten returns the weights in the order of [Config.Names].
func (w *Weights[T]) Flatten(c Config) []T {
	fields := w.fields(c)
	flat := make([]T, len(fields))
	for i, f := range fields {
		flat[i] = *f.value
	}
	return flat
}

// Unflatten is the inverse of Flatten. It panics when the number of values is not the model's.
func Unflatten[T any](c Config, flat []T) *Weights[T] {
	w := new(Weights[T])
	fields := w.fields(c)
	if len(fields) != len(flat) {
		panic(fmt.Sprintf("vit: %d weights given, expected %d", len(flat), len(fields)))
	}
	for i, f := range fields {
		*f.value = flat[i]
	}
	return w
}

// Shapes returns the weights' shapes in a Hugging Face file, in the order of Flatten. A table
// of tokens, [1, count, D] in [Weights], is [count, D] or [D] in some families' files.
func (c Config) Shapes() [][]int {
	var shapes [][]int
	for _, f := range new(Weights[bool]).fields(c) { // fields tells weights apart by their addresses: they need a size
		shapes = append(shapes, f.file)
	}
	return shapes
}

// Names returns the weights' names in a Hugging Face file, in the order of Flatten.
func (c Config) Names() []string {
	var names []string
	for _, f := range new(Weights[struct{}]).fields(c) {
		names = append(names, f.name)
	}
	return names
}

// initStd is the standard deviation of a new model's weights (docs/paper.md section 2: Hugging Face's default).
const initStd = .02

// initial returns the starting values of a new model: matrices and embeddings from a
// normal distribution of standard deviation .02, cut off at two of them, biases 0, gains
// of LayerNorm and LayerScale 1. The numbers depend on the configuration and the seed alone.
func initial(c Config, seed uint64) *Weights[*tensors.Tensor] {
	w := new(Weights[*tensors.Tensor])
	rng := random(seed)
	for _, f := range w.fields(c) {
		initialize(f, rng)
	}
	return w
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eed)) }

// initialize gives a weight its starting value.
func initialize(f field[*tensors.Tensor], rng *rand.Rand) {
	values := make([]float32, size(f.shape))
	for i := range values {
		values[i] = f.start
		if len(f.shape) > 1 {
			values[i] = initStd * truncatedNormal(rng)
		}
	}
	*f.value = tensors.FromFlatDataAndDimensions(values, f.shape...)
}

func truncatedNormal(rng *rand.Rand) float32 {
	for {
		if x := rng.NormFloat64(); -2 < x && x < 2 {
			return float32(x)
		}
	}
}
