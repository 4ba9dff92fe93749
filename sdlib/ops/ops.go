package ops

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
)

// Ops builds the operations of one graph. Make it with [For].
type Ops struct {
	precision Precision
	xlaCPU    bool // XLA compiles the graph for a CPU
}

// For returns the operations for a graph: in the form that suits its backend, with products in
// the precision p. It panics when there is no such precision.
func For(g *Graph, p Precision) Ops {
	if err := p.Check(); err != nil {
		panic(fmt.Errorf("ops: %w", err))
	}
	return Ops{precision: p, xlaCPU: backend.Of(g.Backend()).IsCPU()}
}

// Einsum is the product of a and b that an equation describes, as in [graph.Einsum].
func (o Ops) Einsum(equation string, a, b *Node) *Node {
	return o.precision.result(Einsum(equation, o.precision.factor(a), o.precision.factor(b)))
}

// LayerNorm is y = (x - μ)/√(σ² + ε) ⊙ γ + β over the last axis of x [B, T, D] or [B, D];
// γ and β are [D].
func (o Ops) LayerNorm(x, γ, β *Node, ε float64) *Node {
	axis := x.Rank() - 1
	y, _ := InternalFusedOpCaller(
		func() *Node { return BackendFusedLayerNorm(x, []int{axis}, ε, γ, β) },
		func() *Node {
			D := x.Shape().Dim(axis)
			mean := func(x *Node) *Node { return DivScalar(o.rowSum(x), float64(D)) } // [B, T, 1]
			centered := Sub(x, o.alongRow(mean(x), D))
			y := Div(centered, o.alongRow(Sqrt(AddScalar(mean(Square(centered)), ε)), D))
			return Add(Mul(y, o.everywhere(γ, y)), o.everywhere(β, y))
		}, true)
	return y
}

// Softmax is eˣ / Σ eˣ over the last axis of x [..., n].
func (o Ops) Softmax(x *Node) *Node {
	axis := x.Rank() - 1
	y, _ := InternalFusedOpCaller(
		func() *Node { return BackendFusedSoftmax(x, axis) },
		func() *Node {
			e := Exp(Sub(x, StopGradient(ReduceAndKeep(x, ReduceMax, axis)))) // the largest is 1
			return Div(e, o.alongRow(o.rowSum(e), x.Shape().Dim(axis)))
		}, true)
	return y
}
