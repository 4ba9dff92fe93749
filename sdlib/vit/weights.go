package vit

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
)

// Weights holds everything a model learns. T is *tensors.Tensor for a model's
// values, and *graph.Node for the same weights inside a graph. Matrices are
// [out, in], as PyTorch stores them.
type Weights[T any] struct {
	CLS    T         // [1, 1, D]
	Pos    T         // [1, T, D] learned positions, CLS first
	Patch  Linear[T] // W [D, 3, patch, patch]
	Blocks []Block[T]
	Norm   Norm[T]
	Head   Linear[T] // W [C, D]
}

// Block is one transformer block: attention, then an MLP, each behind a LayerNorm.
type Block[T any] struct {
	Norm1      Norm[T]
	Q, K, V, O Linear[T] // W [D, D]
	Norm2      Norm[T]
	Up, Down   Linear[T] // W [MLP, D] and [D, MLP]
}

// Linear is y = x Wᵀ + b.
type Linear[T any] struct{ W, B T }

// Norm is a LayerNorm's gain and bias, both [D].
type Norm[T any] struct{ Scale, Shift T }

// field is one weight: its name in a Hugging Face file, its shape, and where it is kept.
type field[T any] struct {
	name  string
	shape []int
	value *T
}

// fields lists a model's weights in a fixed order. This is the only place that
// knows the names of Hugging Face's ViTForImageClassification.
func (w *Weights[T]) fields(c Config) []field[T] {
	if w.Blocks == nil {
		w.Blocks = make([]Block[T], c.Blocks)
	}
	var all []field[T]
	add := func(name string, value *T, shape ...int) { all = append(all, field[T]{name, shape, value}) }
	linear := func(name string, l *Linear[T], out int, in ...int) {
		add(name+".weight", &l.W, append([]int{out}, in...)...)
		add(name+".bias", &l.B, out)
	}
	norm := func(name string, n *Norm[T]) {
		add(name+".weight", &n.Scale, c.Width)
		add(name+".bias", &n.Shift, c.Width)
	}
	add("vit.embeddings.cls_token", &w.CLS, 1, 1, c.Width)
	add("vit.embeddings.position_embeddings", &w.Pos, 1, c.Tokens(), c.Width)
	linear("vit.embeddings.patch_embeddings.projection", &w.Patch, c.Width, 3, c.Patch, c.Patch)
	for l := range w.Blocks {
		b, at := &w.Blocks[l], fmt.Sprintf("vit.encoder.layer.%d.", l)
		norm(at+"layernorm_before", &b.Norm1)
		linear(at+"attention.attention.query", &b.Q, c.Width, c.Width)
		linear(at+"attention.attention.key", &b.K, c.Width, c.Width)
		linear(at+"attention.attention.value", &b.V, c.Width, c.Width)
		linear(at+"attention.output.dense", &b.O, c.Width, c.Width)
		norm(at+"layernorm_after", &b.Norm2)
		linear(at+"intermediate.dense", &b.Up, c.MLP, c.Width)
		linear(at+"output.dense", &b.Down, c.Width, c.MLP)
	}
	norm("vit.layernorm", &w.Norm)
	linear("classifier", &w.Head, c.Classes, c.Width)
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
// normal distribution of standard deviation .02, cut off at two of them, biases 0,
// LayerNorm gains 1. The numbers depend on the configuration and the seed alone.
func initial(c Config, seed uint64) *Weights[*tensors.Tensor] {
	w := new(Weights[*tensors.Tensor])
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	for _, f := range w.fields(c) {
		values := make([]float32, size(f.shape))
		switch {
		case len(f.shape) > 1:
			for i := range values {
				values[i] = initStd * truncatedNormal(rng)
			}
		case strings.HasSuffix(f.name, ".weight"): // a LayerNorm's gain
			for i := range values {
				values[i] = 1
			}
		}
		*f.value = tensors.FromFlatDataAndDimensions(values, f.shape...)
	}
	return w
}

func truncatedNormal(rng *rand.Rand) float32 {
	for {
		if x := rng.NormFloat64(); -2 < x && x < 2 {
			return float32(x)
		}
	}
}
