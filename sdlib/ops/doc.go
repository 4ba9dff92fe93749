// Package ops computes the products, sums and normalizations of a model in the form that is
// fast where the graph runs. What is computed is the textbook's; how, is decided here alone.
//
//	o := ops.For(x.Graph(), ops.F32)       // once per graph
//	y := o.Linear(x, W, b)                 // x Wᵀ + b
//	A := o.Softmax(o.Einsum("bqhd,bkhd->bhqk", q, k))
//
// # Where forms differ
//
// On the pure Go backend LayerNorm, softmax and linear layers are single operations, and these
// are called. XLA on a GPU is given the textbook's form. XLA on a CPU is slow at three things,
// each of which has another form with the same value:
//
//	slow on XLA's CPU                                   instead               faster by
//	sums along an axis: one number after the other      products with ones    3.7
//	x Wᵀ where large weights W meet few rows x          (W xᵀ)ᵀ               1.7
//	the gradient (∂y)ᵀ x of W with in < out             (xᵀ ∂y)ᵀ              1.5
//
// Everywhere layers of one input are computed as one: queries, keys and values ([Ops.Heads]).
//
// The ratios are from docs/benchmarks.md, which says how they were measured, what each form saves
// in a training step, and what was tried and not kept. They are measured again by
//
//	go test -run '^$' -bench Products ./sdlib/ops
//
// On a GPU a sum stays a sum: it is as fast, and products may be computed there in TF32. Forms
// differ in rounding alone. Which one is taken depends on the backend's platform and on shapes,
// so the same graph on the same machine computes the same bits.
//
// # Precision
//
// [Precision] is how exactly products are computed; sums, normalizations and softmax are in
// float32 in any case. Gradients go through all of it.
//
// # Watch for
//
// As everywhere in GoMLX, the methods build a graph, and panic on shapes that do not fit.
// Shapes: B batch, T tokens, D width; [..., n] has any axes before the last.
package ops
