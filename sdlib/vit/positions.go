package vit

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// positions returns what is added to the special tokens and patches, [1, special+g², D].
//
// Positions that were learned on another grid G are resampled to the image's own, g,
// as transformers does: the values on the new grid are R P Rᵀ with R [g, G], for each
// component of the vectors. The product stands in the graph, so that training moves
// the positions as they were learned, and always in f32.
func (c Config) positions(pos *Node) *Node {
	if c.PosGrid == 0 {
		return pos
	}
	g, G, special := c.Grid(), c.PosGrid, c.special()
	weights := bicubic
	if c.Family.Traits().Antialias {
		weights = bicubicAntialias
	}
	R := Const(pos.Graph(), weights(G, g))                                        // [g, G]
	P := Reshape(Slice(pos, AxisRange(), AxisRangeToEnd(special)), G, G, c.Width) // [G, G, D], row by column
	P = Einsum("xj,yjd->yxd", R, Einsum("yi,ijd->yjd", R, P))                     // [g, g, D]
	P = Reshape(P, 1, g*g, c.Width)
	if special == 0 {
		return P
	}
	return Concatenate([]*Node{Slice(pos, AxisRange(), AxisRangeFromStart(special)), P}, 1)
}

// bicubic returns the matrix [to, from] that resamples from points to others, as
// torch.nn.functional.interpolate(mode="bicubic", align_corners=False) does: the new
// points lie at (i + ½) from/to - ½ among the old ones, each is a weighted sum of the
// four around it, and what lies outside is the edge's value. The kernel is Keys' with
// a = -.75 (Keys, Cubic convolution interpolation, 1981).
func bicubic(from, to int) [][]float32 {
	scale := float64(from) / float64(to)
	R := make([][]float32, to)
	for i := range R {
		R[i] = make([]float32, from)
		at := (float64(i)+.5)*scale - .5
		first := int(math.Floor(at)) - 1
		for j := first; j < first+4; j++ {
			R[i][min(max(j, 0), from-1)] += float32(cubic(at-float64(j), -.75))
		}
	}
	return R
}

// bicubicAntialias is bicubic with antialias=True: where there are fewer new points the
// kernel is stretched by their distance, its a is -.5, and weights that fall outside are
// left out, the others scaled to sum to 1.
func bicubicAntialias(from, to int) [][]float32 {
	scale := float64(from) / float64(to)
	stretch := max(scale, 1)
	R := make([][]float32, to)
	for i := range R {
		R[i] = make([]float32, from)
		weights, sum := make([]float64, from), 0.
		for j := range weights {
			weights[j] = cubic((float64(j)+.5-(float64(i)+.5)*scale)/stretch, -.5)
			sum += weights[j]
		}
		for j, w := range weights {
			R[i][j] = float32(w / sum)
		}
	}
	return R
}

// cubic is Keys' kernel at distance x: 1 at 0, 0 at the other whole numbers and from 2 on.
func cubic(x, a float64) float64 {
	switch x = math.Abs(x); {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((x-5)*x+8)*a*x - 4*a
	}
	return 0
}
