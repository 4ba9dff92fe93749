package optimize

import (
	"cmp"

	. "github.com/gomlx/gomlx/core/graph"
)

// Optimizer is the rule of a step, by PyTorch's definition and with its constants. (GoMLX's
// own optimizers keep their moments in variables of a store; here a step is a pure function
// of its state, so that a checkpoint is the state and nothing else.)
type Optimizer string

const (
	// AdamW lets parameters decay beside the gradient's step (Loshchilov & Hutter 2019).
	AdamW Optimizer = ""
	// Adam adds the decay, where there is one, to the gradient (Kingma & Ba 2015).
	Adam Optimizer = "adam"
)

const epsilon = 1e-8

func (s *Settings) beta1() float64 { return cmp.Or(s.Beta1, .9) }
func (s *Settings) beta2() float64 { return cmp.Or(s.Beta2, .999) }

// adam returns the new values of a parameter θ and of its two moments, given the gradient
// g, the learning rate, the decay λ and the step number t = 1, 2, ...
//
//	θ ← θ - lr·λ·θ                       AdamW
//	g ← g + λ·θ                          Adam
//	m ← β₁ m + (1-β₁) g,   v ← β₂ v + (1-β₂) g²
//	θ ← θ - lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε)
//
// With sets the learning rate is [S].
func (s *Settings) adam(θ, m, v, g, lr, t *Node, λ float64) (θ1, m1, v1 *Node) {
	if s.Optimizer == Adam && λ != 0 {
		g = Add(g, MulScalar(θ, λ))
	}
	m1 = Add(MulScalar(m, s.beta1()), MulScalar(g, 1-s.beta1()))
	v1 = Add(MulScalar(v, s.beta2()), MulScalar(Square(g), 1-s.beta2()))
	bias1 := OneMinus(Pow(Scalar(θ.Graph(), t.DType(), s.beta1()), t))
	bias2 := OneMinus(Pow(Scalar(θ.Graph(), t.DType(), s.beta2()), t))
	update := Div(Div(m1, bias1), AddScalar(Sqrt(Div(v1, bias2)), epsilon))
	lr = ofEach(lr, θ)
	if s.Optimizer == AdamW {
		θ = Mul(θ, OneMinus(MulScalar(lr, λ)))
	}
	return Sub(θ, Mul(lr, update)), m1, v1
}

// clip scales all gradients by the same factor so that their norm together is at most
// limit. As in torch.nn.utils.clip_grad_norm_ the factor is min(1, limit/(‖g‖ + 10⁻⁶)).
// With sets each has its own.
func clip(g []*Node, limit float64, sets int) []*Node {
	squares := make([]*Node, len(g))
	for i := range g {
		if squares[i] = Square(g[i]); sets > 0 {
			squares[i] = ReduceSum(Reshape(squares[i], sets, g[i].Shape().Size()/sets), 1)
		} else {
			squares[i] = ReduceAllSum(squares[i])
		}
	}
	norm := Sqrt(ReduceSum(Stack(squares, 0), 0))
	factor := MinScalar(Div(Scalar(norm.Graph(), norm.DType(), limit), AddScalar(norm, 1e-6)), 1)
	out := make([]*Node, len(g))
	for i := range g {
		out[i] = Mul(g[i], ofEach(factor, g[i]))
	}
	return out
}

// ofEach makes numbers of each set, [S], fit x, [S, ...]. A scalar stays as it is.
func ofEach(numbers, x *Node) *Node {
	if numbers.IsScalar() {
		return numbers
	}
	for numbers.Rank() < x.Rank() {
		numbers = ExpandAxes(numbers, -1)
	}
	return numbers
}
