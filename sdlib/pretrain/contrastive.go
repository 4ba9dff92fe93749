package pretrain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/optimize"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// Matching are the options of [Contrastive], CLIP's objective (Radford et al. 2021, section 2.3 and figure 3): of B pictures and their
// captions, which belong together. Both are brought to unit length in one space of Dim components, u the pictures, v the captions.
// The temperature τ is learned, from .07; 1/τ is at most 100.
//
//	s_ij = u_i · v_j / τ
//	L = ½ (mean_i -log softmax_j(s_ij)_{j=i}  +  mean_j -log softmax_i(s_ij)_{i=j})
//
// Guessing costs log B. The text side is a bag of words, whose caption is the mean of its words' vectors: of CLIP's text
// transformer only that is left. Vision and its projection are CLIP's.
type Matching struct {
	Dim int `json:"dim,omitempty"` // of the joint space; 0 is 64
}

func (o Matching) dim() int { return cmp.Or(o.Dim, 64) }

func (o Matching) validate() error {
	if o.Dim < 0 || o.Dim > 4096 {
		return fmt.Errorf("pretrain: a joint space of %d components, expected 1 to 4096, or 0 for 64", o.Dim)
	}
	return nil
}

type matching struct {
	m     *vit.Model
	words *tensors.Tensor // [V, Dim]
}

func newMatching(o Matching, m *vit.Model, set *scenes.Set, rng *rand.Rand) task {
	return matching{m, normal(rng, .02, len(set.Words()), o.dim())}
}

const (
	startTau  = .07
	mostScale = 100 // the largest 1/τ
)

func (t matching) problem() optimize.Problem {
	c, n := t.m.Config, len(t.m.Config.Names())
	return optimize.Problem{
		Params: append(params(t.m, ""), param("text.words", t.words),
			param("logit_scale", tensors.FromValue(float32(math.Log(1/startTau))))),
		Measures: []string{"correct", "temperature"}, // the nearest caption is the picture's own
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			u, _ := vit.Forward(c, vit.Unflatten(c, in.Params[:n]), in.Batch[0], vit.LogitsOnly()) // [B, Dim]
			return match(unit(u), unit(bag(in.Batch[1], in.Param("text.words"))), in.Param("logit_scale"))
		},
	}
}

// bag is the mean of the words' vectors, [B, Dim]; tokens are int32 [B, W], -1 behind a caption's end.
func bag(tokens, words *Node) *Node {
	counts := ReduceSum(OneHot(tokens, words.Shape().Dim(0), words.DType()), 1) // [B, V]
	return Div(Dot(counts, words).Product(), ReduceAndKeep(counts, ReduceSum, -1))
}

// match is the loss of unit vectors of pictures and of captions, [B, Dim] each, in the same order. scale is log 1/τ.
func match(u, v, scale *Node) (loss *Node, measures map[string]*Node) {
	scale = Exp(MinScalar(scale, math.Log(mostScale)))
	s := Mul(Einsum("id,jd->ij", u, v), scale) // [B, B]
	B := s.Shape().Dim(0)
	own := OneHot(Iota(s.Graph(), shapes.Make(dtypes.Int32, B), 0), B, s.DType()) // [B, B] the identity
	of := func(axis int) *Node { return DivScalar(ReduceAllSum(Mul(own, LogSoftmax(s, axis))), -float64(B)) }
	loss = MulScalar(Add(of(1), of(0)), .5)
	best := OneHot(ArgMax(s, 1, dtypes.Int32), B, s.DType())
	return loss, map[string]*Node{"correct": DivScalar(ReduceAllSum(Mul(best, own)), float64(B)), "temperature": Reciprocal(scale)}
}

func (t matching) rows(set *scenes.Set, first, n int) ([]*tensors.Tensor, error) {
	captions := make([][]int, n)
	for i := range n {
		captions[i] = set.Tokens(set.Scene(first + i))
	}
	return []*tensors.Tensor{images(set, first, n), paddedTo(set.MaxTokens(), captions)}, nil
}

func (t matching) backbone(got *optimize.Result) []*tensors.Tensor { return first(t.m, got.Params) }
