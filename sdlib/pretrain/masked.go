package pretrain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/ops"
	"samediff/sdlib/optimize"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// Masking are the options of [Masked], MAE's objective (He et al. 2022, section 3): of an image's patches a random part is left
// out, the set M. The encoder sees the others alone. A smaller decoder gets what the encoder made of them, and a learned mask token in
// every other place, all with the places' sine-cosine positions, and predicts the pixels ŷ of each patch. The target y are
// the patch's own pixels, less their mean and over their standard deviation:
//
//	L = 1/|M| Σ_{p∈M} ‖ŷ_p - y_p‖² / n,   n = 3·patch²
//
// Guessing a patch of one color, ŷ = 0, costs about 1. The encoder is kept, a plain ViT.
type Masking struct {
	Ratio  float64 `json:"ratio,omitempty"`  // part of the patches that is left out; 0 is .75
	Width  int     `json:"width,omitempty"`  // of the decoder; 0 is 64
	Blocks int     `json:"blocks,omitempty"` // of the decoder; 0 is 2
	Heads  int     `json:"heads,omitempty"`  // of the decoder; 0 is 2
}

func (o Masking) ratio() float64 { return cmp.Or(o.Ratio, .75) }

// visible returns V, the number of patches that the encoder sees.
func (o Masking) visible(c vit.Config) int {
	n := c.Grid() * c.Grid()
	return n - int(math.Round(o.ratio()*float64(n)))
}

// decoder returns the decoder's configuration: a ViT on the encoder's grid whose head writes the pixels of a patch.
func (o Masking) decoder(c vit.Config) vit.Config {
	d := c
	d.Width, d.Blocks, d.Heads = cmp.Or(o.Width, 64), cmp.Or(o.Blocks, 2), cmp.Or(o.Heads, 2)
	d.MLP, d.Classes = 4*d.Width, 3*c.Patch*c.Patch
	return d
}

func (o Masking) validate(c vit.Config) error {
	n := c.Grid() * c.Grid()
	if v := o.visible(c); o.Ratio < 0 || v < 1 || v >= n {
		return fmt.Errorf("pretrain: masking %g of %d patches leaves %d to be seen, expected 1 to %d", o.ratio(), n, v, n-1)
	}
	d := o.decoder(c)
	if err := d.Validate(); err != nil {
		return fmt.Errorf("pretrain: the decoder: %w", err)
	}
	if d.Width%4 != 0 || c.Width%4 != 0 {
		return fmt.Errorf("pretrain: widths of %d and, in the decoder, %d: expected multiples of 4, for the sine-cosine positions", c.Width, d.Width)
	}
	return nil
}

type masking struct {
	Masking
	m       *vit.Model
	decoder vit.Config
	start   *vit.Model // of the decoder
	embed   [2]*tensors.Tensor
	token   *tensors.Tensor
	seed    uint64
}

func newMasking(o Masking, m *vit.Model, seed uint64, rng *rand.Rand) task {
	d := o.decoder(m.Config)
	start, err := vit.New(d, rng.Uint64())
	if err != nil {
		panic(err) // Validate has seen it
	}
	encoder := *m.Weights
	encoder.Pos = sineCosine(m.Config)
	return masking{Masking: o, m: &vit.Model{Config: m.Config, Weights: &encoder}, decoder: d, start: start, seed: seed,
		embed: [2]*tensors.Tensor{normal(rng, .02, d.Width, m.Config.Width), normal(rng, 0, d.Width)},
		token: normal(rng, .02, 1, 1, d.Width)}
}

// decoded reports whether the decoder has a weight of this name: it has no patches and no CLS of its own, and fixed positions.
func decoded(name string) bool { return !strings.Contains(name, "embeddings.") }

const decoderPrefix = "decoder."

func (t masking) problem() optimize.Problem {
	c, n := t.m.Config, len(t.m.Config.Names())
	all := append(params(t.m, ""), param(decoderPrefix+"embed.weight", t.embed[0]), param(decoderPrefix+"embed.bias", t.embed[1]),
		param(decoderPrefix+"mask_token", t.token))
	for _, p := range params(t.start, decoderPrefix) {
		if decoded(p.Name) {
			all = append(all, p)
		}
	}
	return optimize.Problem{
		Params: all,
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			V := t.visible(c)
			order := in.Batch[1] // [B, g²]: the first V patches are seen
			seen := Slice(order, AxisRange(), AxisRangeFromStart(V))
			_, trace := vit.Forward(c, vit.Unflatten(c, in.Params[:n]), in.Batch[0], vit.Visible(seen), vit.Want("final"))
			drawn := t.decode(trace.Get("final"), seen, in) // [B, g², n]
			hidden := Slice(order, AxisRange(), AxisRangeToEnd(V))
			return maskedError(drawn, normalized(patchPixels(c, in.Batch[0])), hidden), nil
		},
	}
}

// decode predicts the pixels of all patches, [B, g², n], from what the encoder made of those seen, x [B, 1+V, D].
func (t masking) decode(x, seen *Node, in optimize.Inputs) *Node {
	g, d := x.Graph(), t.decoder
	x = ops.For(g, ops.F32).Linear(x, in.Param(decoderPrefix+"embed.weight"), in.Param(decoderPrefix+"embed.bias"))
	cls, patches := Slice(x, AxisRange(), AxisRangeFromStart(1)), Slice(x, AxisRange(), AxisRangeToEnd(1))
	places := OneHot(seen, d.Grid()*d.Grid(), x.DType())    // [B, V, g²]
	empty := ExpandAxes(OneMinus(ReduceSum(places, 1)), -1) // [B, g², 1]
	patches = Einsum("bvt,bvd->btd", places, patches)       // [B, g², D]
	patches = Add(patches, Mul(empty, in.Param(decoderPrefix+"mask_token")))
	x = Add(Concatenate([]*Node{cls, patches}, 1), ConstTensor(g, sineCosine(d)))
	flat := make([]*Node, len(d.Names()))
	for i, name := range d.Names() {
		if decoded(name) {
			flat[i] = in.Param(decoderPrefix + name)
		}
	}
	w := vit.Unflatten(d, flat)
	_, trace := vit.ForwardFrom(d, w, -1, x, vit.Want("final"))
	patches = Slice(trace.Get("final"), AxisRange(), AxisRangeToEnd(1))
	return ops.For(g, ops.F32).Linear(patches, w.Head.W, w.Head.B)
}

// patchPixels cuts images into the pixels of their patches, [B, g², patch·patch·3], row by row, normalized as the model sees them.
func patchPixels(c vit.Config, images *Node) *Node {
	B, g, side := images.Shape().Dim(0), c.Grid(), c.Patch
	x := Reshape(c.Pixels(images), B, g, side, g, side, 3)
	return Reshape(TransposeAllAxes(x, 0, 1, 3, 2, 4, 5), B, g*g, side*side*3)
}

// normalized is (y - mean)/√(variance + 10⁻⁶) over the last axis; the variance is that of a sample, divided by n - 1.
func normalized(y *Node) *Node {
	n := float64(y.Shape().Dim(-1))
	y = Sub(y, ReduceAndKeep(y, ReduceMean, -1))
	variance := MulScalar(ReduceAndKeep(Square(y), ReduceMean, -1), n/(n-1))
	return Div(y, Sqrt(AddScalar(variance, 1e-6)))
}

// maskedError is the mean squared error of the hidden patches; drawn and target are [B, g², n], hidden int32 [B, |M|].
func maskedError(drawn, target, hidden *Node) *Node {
	of := ReduceMean(Square(Sub(drawn, target)), -1)                      // [B, g²]
	masked := ReduceSum(OneHot(hidden, of.Shape().Dim(1), of.DType()), 1) // [B, g²]
	return DivScalar(ReduceAllSum(Mul(of, masked)), float64(hidden.Shape().Size()))
}

// sineCosine returns MAE's positions, [1, 1+g², D]: CLS has zeros, and the patch in column x and row y has the sines and
// cosines of x ω_k, then those of y ω_k, with ω_k = 10000^(-k/(D/4)), k = 0 to D/4 - 1.
func sineCosine(c vit.Config) *tensors.Tensor {
	g, quarter := c.Grid(), c.Width/4
	values := make([]float32, c.Width, (1+g*g)*c.Width)
	for y := range g {
		for x := range g {
			for _, at := range []int{x, y} {
				angle := func(k int) float64 { return float64(at) / math.Pow(10000, float64(k)/float64(quarter)) }
				for k := range quarter {
					values = append(values, float32(math.Sin(angle(k))))
				}
				for k := range quarter {
					values = append(values, float32(math.Cos(angle(k))))
				}
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(values, 1, 1+g*g, c.Width)
}

func (t masking) rows(set *scenes.Set, first, n int) ([]*tensors.Tensor, error) {
	patches := t.m.Config.Grid() * t.m.Config.Grid()
	order := make([]int32, 0, n*patches)
	for i := range n {
		for _, p := range rand.New(rand.NewPCG(t.seed, uint64(first+i)<<8|0xa5)).Perm(patches) {
			order = append(order, int32(p))
		}
	}
	return []*tensors.Tensor{images(set, first, n), tensors.FromFlatDataAndDimensions(order, n, patches)}, nil
}

func (t masking) backbone(got *optimize.Result) []*tensors.Tensor { return first(t.m, got.Params) }
