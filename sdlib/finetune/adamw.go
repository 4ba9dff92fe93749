package finetune

import . "github.com/gomlx/gomlx/core/graph"

// AdamW's constants other than the learning rate and the weight decay, which are
// PyTorch's defaults (docs/paper.md 3.1). GoMLX's own optimizer keeps its moments in
// variables of a store; here a training step is a pure function of its state, so
// that a checkpoint is the state and nothing else.
const (
	beta1   = .9
	beta2   = .999
	epsilon = 1e-8
)

// adamW returns the new values of one weight θ and of its two moments, given the
// gradient g, the learning rate and the step number t = 1, 2, ... (Loshchilov & Hutter 2019):
//
//	θ ← θ - lr·λ·θ
//	m ← β₁ m + (1-β₁) g,   v ← β₂ v + (1-β₂) g²
//	θ ← θ - lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε)
func adamW(θ, m, v, g *Node, lr, t *Node, decay float64) (θ1, m1, v1 *Node) {
	m1 = Add(MulScalar(m, beta1), MulScalar(g, 1-beta1))
	v1 = Add(MulScalar(v, beta2), MulScalar(Square(g), 1-beta2))
	bias1 := OneMinus(Pow(Scalar(θ.Graph(), t.DType(), beta1), t))
	bias2 := OneMinus(Pow(Scalar(θ.Graph(), t.DType(), beta2), t))
	update := Div(Div(m1, bias1), AddScalar(Sqrt(Div(v1, bias2)), epsilon))
	θ1 = Sub(Mul(θ, OneMinus(MulScalar(lr, decay))), Mul(lr, update))
	return θ1, m1, v1
}
