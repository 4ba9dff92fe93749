package ops

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Sums along an axis, and repetitions, whose gradients are sums. For XLA on a CPU a sum is a
// product with ones. A repetition is written as one too, for the sake of its gradient: XLA
// itself turns it back into a repetition.

// rowSum sums over the last axis and keeps it: [..., n] gives [..., 1].
func (o Ops) rowSum(x *Node) *Node {
	axis := x.Rank() - 1
	if !o.xlaCPU {
		return ReduceAndKeep(x, ReduceSum, axis)
	}
	return Dot(x, ones(x, x.Shape().Dim(axis), 1)).General([]int{axis}, nil, []int{0}, nil)
}

// alongRow repeats x [..., 1] n times along the last axis, or leaves that to the operation
// which takes it.
func (o Ops) alongRow(x *Node, n int) *Node {
	if !o.xlaCPU {
		return x
	}
	return Dot(x, ones(x, 1, n)).General([]int{x.Rank() - 1}, nil, []int{0}, nil)
}

// everywhere repeats v [D] for every token of x [B, T, D] or [B, D], or leaves that to the
// operation which takes it. The gradient is a sum over the tokens of each image, then over images.
func (o Ops) everywhere(v, x *Node) *Node {
	if !o.xlaCPU {
		return ExpandLeftToRank(v, x.Rank())
	}
	B, D := x.Shape().Dim(0), x.Shape().Dim(-1)
	v = Dot(ones(v, B, 1), Reshape(v, 1, D)).Product() // [B, D]
	if x.Rank() == 3 {
		v = Dot(ones(v, B, x.Shape().Dim(1), 1), Reshape(v, B, 1, D)).General([]int{2}, []int{0}, []int{1}, []int{0})
	}
	return v
}

// ones is a constant of ones, of the type of x.
func ones(x *Node, dims ...int) *Node { return Ones(x.Graph(), shapes.Make(x.DType(), dims...)) }
