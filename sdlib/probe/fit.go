package probe

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	gonum "gonum.org/v1/gonum/optimize"
)

// converged is the largest entry of the gradient at which a fit ends, and accepted that at
// which one may end when rounding leaves no way down.
const converged, accepted = 1e-7, 1e-5

// Fit returns the best linear probe there is, logistic regression with an L2 penalty:
//
//	min over W, b of  1/n Σᵢ -log softmax(W xᵢ + b)[yᵢ] + λ/2 ‖W‖²
//
// The loss is convex, so the result depends on the data and λ alone, not on a start or an
// order. With two classes one vector w is fitted, the difference of the rows, and the penalty
// is λ/2 ‖w‖²; the probe's rows are -w/2 and w/2. That is scikit-learn's LogisticRegression
// with C = 1/(λ n). Classes that no item has get the weight 0 and are never the answer.
//
// The minimum is found by L-BFGS (Liu & Nocedal 1989), to a gradient of 10⁻⁷. Without a
// penalty there need not be one where items can be separated, as they always can where they
// are fewer than the features: that is an error.
func Fit(ctx context.Context, at Place, s Items, λ float64) (Probe, error) {
	y := s.Answers()
	if err := check([]Place{at}, y, s.Classes); err != nil {
		return Probe{}, err
	}
	F, n := at.Width(), at.Len()
	switch {
	case !(λ >= 0) || math.IsInf(λ, 0):
		return Probe{}, fmt.Errorf("probe: the penalty is %g, expected 0 or a positive number", λ)
	case λ == 0 && n <= F:
		return Probe{}, fmt.Errorf("probe: %d items of %d numbers without a penalty have no best probe, since they can be told apart in many ways: set a penalty, or take more than %d items", n, F, F)
	}
	r, classes := newRegression(at, y, λ)
	x, err := r.minimize(ctx)
	if err != nil {
		return Probe{}, fmt.Errorf("probe: %s: %w", at.Name, err)
	}
	w, b := r.unscale(x)
	p := Probe{Place: at.Name, Weight: make([]float32, s.Classes*F), Bias: make([]float32, s.Classes)}
	if r.K == 1 {
		for j := range F {
			p.Row(classes[0])[j], p.Row(classes[1])[j] = float32(-w[j]/2), float32(w[j]/2)
		}
		p.Bias[classes[0]], p.Bias[classes[1]] = float32(-b[0]/2), float32(b[0]/2)
	} else {
		for k, c := range classes {
			for j := range F {
				p.Row(c)[j] = float32(w[k*F+j])
			}
			p.Bias[c] = float32(b[k])
		}
	}
	if len(classes) < s.Classes {
		for c := range p.Bias {
			p.Bias[c] += never
		}
		for _, c := range classes {
			p.Bias[c] -= never
		}
	}
	return p, nil
}

// never is the bias of a class that is never the answer.
const never = -1e9

// regression is the problem of Fit in coordinates in which it is well scaled. Feature j is
// centered at its mean mⱼ, and its weights are wⱼ = tⱼ uⱼ with tⱼ = 1/√(sⱼ²/4 + λ), where sⱼ is its
// deviation: sⱼ²/4 + λ bounds the curvature of the objective along wⱼ.
type regression struct {
	x    blas64.General // [n, F] (x - m) ⊙ t
	y    []int          // 0..K-1; for K = 1 0 or 1
	K    int            // vectors: one for two classes, else one for each class
	λ    float64
	m, t []float64

	at       []float64 // where value and gradient were computed last
	value    float64
	gradient []float64
	z        blas64.General // [n, K] logits, then the gradient by them
}

// newRegression also returns the classes that occur, in order.
func newRegression(at Place, answers []int, λ float64) (*regression, []int) {
	r := &regression{x: matrix(at, 0, at.Len()), λ: λ, y: make([]int, len(answers))}
	var classes []int
	index := map[int]int{}
	for _, c := range answers {
		index[c] = 0
	}
	for c := range len(index) + maxOf(answers) + 1 {
		if _, ok := index[c]; ok {
			index[c] = len(classes)
			classes = append(classes, c)
		}
	}
	for i, c := range answers {
		r.y[i] = index[c]
	}
	if r.K = len(classes); r.K == 2 {
		r.K = 1
	}
	n, F := r.x.Rows, r.x.Cols
	r.m, r.t = make([]float64, F), make([]float64, F)
	for i := range n {
		floats.AddScaled(r.m, 1/float64(n), r.row(i))
	}
	for i := range n {
		row := r.row(i)
		for j := range row {
			row[j] -= r.m[j]
			r.t[j] += row[j] * row[j] / float64(n)
		}
	}
	for j, variance := range r.t {
		if r.t[j] = 1; variance/4+λ > 0 {
			r.t[j] = 1 / math.Sqrt(variance/4+λ)
		}
	}
	for i := range n {
		floats.Mul(r.row(i), r.t)
	}
	r.z = blas64.General{Rows: n, Cols: r.K, Stride: r.K, Data: make([]float64, n*r.K)}
	r.gradient = make([]float64, r.K*(F+1))
	return r, classes
}

func (r *regression) row(i int) []float64 { return r.x.Data[i*r.x.Cols : (i+1)*r.x.Cols] }

func maxOf(x []int) (m int) {
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// minimize returns the best parameters: u [K, F], then the biases [K].
func (r *regression) minimize(ctx context.Context) ([]float64, error) {
	settings := &gonum.Settings{GradientThreshold: converged, Converger: gonum.NeverTerminate{}, MajorIterations: 5000,
		Recorder: stopper{ctx}}
	problem := gonum.Problem{
		Func: func(x []float64) float64 { r.evaluate(x); return r.value },
		Grad: func(g, x []float64) { r.evaluate(x); copy(g, r.gradient) },
	}
	res, err := gonum.Minimize(problem, make([]float64, len(r.gradient)), settings, &gonum.LBFGS{Store: 20, Linesearcher: &gonum.MoreThuente{}})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if res == nil {
		return nil, err
	}
	r.evaluate(res.X)
	left := floats.Norm(r.gradient, math.Inf(1))
	if left > accepted || math.IsNaN(left) {
		return nil, errors.Join(fmt.Errorf("L-BFGS ended at a gradient of %.2g (%v), expected %g: set a larger penalty", left, res.Status, accepted), err)
	}
	return res.X, nil
}

// stopper ends a minimization with its context.
type stopper struct{ ctx context.Context }

func (s stopper) Init() error { return nil }

func (s stopper) Record(*gonum.Location, gonum.Operation, *gonum.Stats) error { return s.ctx.Err() }

// evaluate computes the objective and its gradient at x, unless it was there last.
func (r *regression) evaluate(x []float64) {
	if r.at != nil && floats.Equal(r.at, x) {
		return
	}
	r.at = append(r.at[:0], x...)
	n, F, K := r.x.Rows, r.x.Cols, r.K
	u := blas64.General{Rows: K, Cols: F, Stride: F, Data: x[:K*F]}
	bias := x[K*F:]
	for i := range n {
		copy(r.z.Data[i*K:], bias)
	}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, r.x, u, 1, r.z) // z = x uᵀ + b
	loss := 0.
	gb := r.gradient[K*F:]
	clear(gb)
	for i := range n {
		z := r.z.Data[i*K : (i+1)*K]
		if K == 1 {
			loss += twoClasses(z, r.y[i])
		} else {
			loss += manyClasses(z, r.y[i])
		}
		floats.Add(gb, z)
	}
	floats.Scale(1/float64(n), gb)
	g := blas64.General{Rows: K, Cols: F, Stride: F, Data: r.gradient[:K*F]}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1/float64(n), r.z, r.x, 0, g) // ∂u = 1/n ∂zᵀ x
	r.value = loss / float64(n)
	for k := range K { // λ/2 ‖w‖², w = t u
		for j, t := range r.t {
			w := t * u.Data[k*F+j]
			r.value += r.λ / 2 * w * w
			g.Data[k*F+j] += r.λ * t * w
		}
	}
}

// twoClasses returns -log σ(±z) of one logit, which it replaces by the gradient σ(z) - y.
func twoClasses(z []float64, y int) float64 {
	v := z[0]
	loss := math.Log1p(math.Exp(-math.Abs(v))) + max(v, 0) - float64(y)*v
	z[0] = 1/(1+math.Exp(-v)) - float64(y)
	return loss
}

// manyClasses returns -log softmax(z)[y], and replaces z by the gradient softmax(z) - 1[y].
func manyClasses(z []float64, y int) float64 {
	top, right, sum := floats.Max(z), z[y], 0.
	for k := range z {
		z[k] = math.Exp(z[k] - top)
		sum += z[k]
	}
	floats.Scale(1/sum, z)
	z[y]--
	return top + math.Log(sum) - right
}

// unscale returns W [K, F] and b [K] in the coordinates of the features.
func (r *regression) unscale(x []float64) (w, b []float64) {
	F := r.x.Cols
	w, b = make([]float64, r.K*F), append([]float64{}, x[r.K*F:]...)
	for k := range r.K {
		for j := range F {
			w[k*F+j] = r.t[j] * x[k*F+j]
			b[k] -= w[k*F+j] * r.m[j]
		}
	}
	return w, b
}
