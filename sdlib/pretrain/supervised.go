package pretrain

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/optimize"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// Naming are the options of [Supervised]. A scene has a set S of names, C names there are in all, and z are the logits.
//
//	L = -1/|S| Σ_{c∈S} log softmax(z)_c                                 each name an answer (Mahajan et al. 2018, section 3)
//	L = -Σ_{c∈S} log σ(z_c) - Σ_{c∉S} log σ(-z_c)                       Sigmoid: each name a question (Dosovitskiy et al. 2021, B.1)
//
// With one thing in a scene the first is the usual cross-entropy. Guessing costs log C; the least that it can be is log |S|.
type Naming struct {
	Sigmoid bool `json:"sigmoid,omitempty"`
	// Words takes all words of a scene's caption for its names: how things look, too, and the ground. Else the names are those of
	// the things' kinds.
	Words bool `json:"words,omitempty"`
}

// classes are the names that there are.
func (o Naming) classes(set *scenes.Set) []string {
	if o.Words {
		return set.Words()
	}
	return set.Names()
}

// of returns a scene's names, as places in classes, and the most that there can be.
func (o Naming) of(set *scenes.Set, scene scenes.Scene) (names []int, most int) {
	if !o.Words {
		return scene.Kinds(), set.Config().Most
	}
	names = set.Tokens(scene)
	slices.Sort(names)
	return slices.Compact(names), set.MaxTokens()
}

type naming struct {
	Naming
	m *vit.Model
}

func (t naming) problem() optimize.Problem {
	c := t.m.Config
	return optimize.Problem{
		Params:   params(t.m, ""),
		Measures: []string{"correct"}, // the largest logit is that of a name which fits
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			logits, _ := vit.Forward(c, vit.Unflatten(c, in.Params), in.Batch[0], vit.LogitsOnly()) // [B, C]
			return t.loss(logits, in.Batch[1])
		},
	}
}

// loss is that of logits [B, C]; names are int32 [B, most], -1 where there are fewer.
func (t naming) loss(logits, names *Node) (loss *Node, measures map[string]*Node) {
	C := logits.Shape().Dim(-1)
	there := ReduceSum(OneHot(names, C, logits.DType()), 1) // [B, C] 1 for the names of the scene
	if t.Sigmoid {
		// -log σ(z) = softplus(-z), and -log σ(-z) = z + softplus(-z)
		each := Add(Mul(OneMinus(there), logits), Softplus(Neg(logits)))
		loss = ReduceAllMean(ReduceSum(each, -1))
	} else {
		share := Div(there, ReduceAndKeep(there, ReduceSum, -1)) // 1/|S|
		loss = Neg(ReduceAllMean(ReduceSum(Mul(share, LogSoftmax(logits, -1)), -1)))
	}
	best := OneHot(ArgMax(logits, -1, dtypes.Int32), C, logits.DType())
	return loss, map[string]*Node{"correct": ReduceAllMean(ReduceSum(Mul(best, there), -1))}
}

func (t naming) rows(set *scenes.Set, first, n int) ([]*tensors.Tensor, error) {
	names, most := make([][]int, n), 0
	for i := range n {
		names[i], most = t.of(set, set.Scene(first+i))
	}
	return []*tensors.Tensor{images(set, first, n), paddedTo(most, names)}, nil
}

func (t naming) backbone(got *optimize.Result) []*tensors.Tensor { return got.Params }
