package finetune

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/attention"
	"samediff/sdlib/vit"
)

// Pipeline is the paper's pipeline loss (section 7, App. L): it rewards chosen heads for
// the stages that the paper finds in good models, first attention within each object,
// then between the two objects of a pair, then between the pairs. With A the attention
// weights of a head and |o| the tokens of object o,
//
//	mass(o → p) = 1/|o| Σ_{q∈o} Σ_{k∈p} A[q, k]
//
// and the score of a head on an image is the mean mass over
//
//	WithinObject   every object to itself                                     (WO)
//	WithinPair     every object to its partner: 2 terms for each pair         (WP)
//	BetweenPairs   every object to those of the other pair: RMTS's 8 terms    (BP)
//
// The rows of A sum to 1 over all tokens, those in front of the patches (CLS, registers)
// included, so a score is 1 only where nothing else is attended to; several between-pair
// partners share it, which caps BP at 1/2.
//
// The loss of a block is 1 - mean score over images and heads, or with Log the mean of
// -log(score), which is what the paper's code minimizes (docs/paper.md D12). A kind's
// loss is the mean over its blocks, and the kinds are added up: switching one off
// leaves the others as strong as they were. The zero value switches all off.
type Pipeline struct {
	// Weight multiplies the sum; the paper's code has 1, 0 is off.
	Weight float64 `json:"weight"`
	// Blocks in which each kind of attention is rewarded, counted from 0; none switches
	// the kind off. The paper, of 12: 3, 4, 5; 6, 7; 8, 9.
	WithinObject []int `json:"within_object,omitempty"`
	WithinPair   []int `json:"within_pair,omitempty"`
	BetweenPairs []int `json:"between_pairs,omitempty"`
	// Heads is how many heads of a block are rewarded, drawn at random before training
	// and then fixed; 0 is all. The paper has 4, 6 or 8 of 12.
	Heads int `json:"heads,omitempty"`
	// Seed decides which heads.
	Seed uint64 `json:"seed,omitempty"`
	// SharedHeads gives all blocks the same heads, as the paper's code does.
	SharedHeads bool `json:"shared_heads,omitempty"`
	// Log takes -log(score) in place of 1 - score.
	Log bool `json:"log,omitempty"`
}

func (p Pipeline) on() bool { return p.Weight != 0 }

// A pipelineKind is one of the loss's three parts.
type pipelineKind struct {
	name   string
	blocks []int
}

// kinds returns the parts that are on.
func (p Pipeline) kinds() []pipelineKind {
	all := []pipelineKind{{"wo", p.WithinObject}, {"wp", p.WithinPair}, {"bp", p.BetweenPairs}}
	return slices.DeleteFunc(all, func(k pipelineKind) bool { return len(k.blocks) == 0 })
}

func (p Pipeline) validate(c vit.Config) error {
	switch {
	case !p.on():
		return nil
	case !(p.Weight > 0):
		return fmt.Errorf("finetune: the weight of the pipeline loss is %g, expected a positive number, or 0 for none", p.Weight)
	case len(p.kinds()) == 0:
		return fmt.Errorf("finetune: the pipeline loss has a weight but no blocks: name some in within_object, within_pair or between_pairs")
	case p.Heads < 0 || p.Heads > c.Heads:
		return fmt.Errorf("finetune: the pipeline loss is to reward %d heads of a block, expected 1 to %d, or 0 for all", p.Heads, c.Heads)
	}
	for _, k := range p.kinds() {
		for i, l := range k.blocks {
			if l < 0 || l >= c.Blocks {
				return fmt.Errorf("finetune: the pipeline loss (%s) names block %d, expected 0 to %d", k.name, l, c.Blocks-1)
			}
			if slices.Contains(k.blocks[:i], l) {
				return fmt.Errorf("finetune: the pipeline loss (%s) names block %d twice", k.name, l)
			}
		}
	}
	return nil
}

// Chosen returns the heads of a block that are rewarded, of a model with so many heads per block, in rising order.
func (p Pipeline) Chosen(block, heads int) []int {
	stream := uint64(block)
	if p.SharedHeads {
		stream = 0
	}
	order := rand.New(rand.NewPCG(p.Seed, 0x4ead5+stream<<20)).Perm(heads)
	if p.Heads > 0 {
		order = order[:p.Heads]
	}
	slices.Sort(order)
	return order
}

// loss returns the weighted loss, and puts into seen the mean score of each kind.
func (p Pipeline) loss(c vit.Config, trace *vit.Trace, b batch, seen map[string]*Node) *Node {
	rows := meanRows(b.tokens(), c) // [B, O, T]
	member := ConvertDType(GreaterThan(rows, ZerosLike(rows)), rows.DType())
	terms := objectTerms(member, b.pairs())
	var total *Node
	for _, k := range p.kinds() {
		var loss, scores *Node
		for _, l := range k.blocks {
			A := trace.Get(vit.BlockNode(l, "attn/weights"))          // [B, H, T, T]
			mass := attention.Mass(A, rows, member)                   // [B, H, O, O]
			score := Einsum("bhop,bop->bh", mass, terms[k.name])      // [B, H]
			score = Einsum("bh,ih->bi", score, p.chosen(c, l, score)) // [B, heads]
			lost := OneMinus(ReduceAllMean(score))
			if p.Log {
				lost = Neg(ReduceAllMean(Log(MaxScalar(score, leastScore))))
			}
			if loss == nil {
				loss, scores = lost, ReduceAllMean(score)
			} else {
				loss, scores = Add(loss, lost), Add(scores, ReduceAllMean(score))
			}
		}
		n := float64(len(k.blocks))
		seen[k.name] = DivScalar(scores, n)
		if loss = DivScalar(loss, n); total == nil {
			total = loss
		} else {
			total = Add(total, loss)
		}
	}
	return MulScalar(total, p.Weight)
}

// leastScore keeps -log finite where a softmax has underflowed.
const leastScore = 1e-30

// chosen is the matrix that picks a block's rewarded heads: [heads, H], one-hot rows.
func (p Pipeline) chosen(c vit.Config, block int, like *Node) *Node {
	heads := p.Chosen(block, c.Heads)
	rows := make([]int32, len(heads))
	for i, h := range heads {
		rows[i] = int32(h)
	}
	return OneHot(ConstTensor(like.Graph(), tensors.FromValue(rows)), c.Heads, like.DType())
}

// objectTerms returns by kind the share [B, O, O] of each mass(o → p) in the score, which
// sum to 1 for every image. member is [B, O, T], pairs int32 [B, Q, 2].
func objectTerms(member, pairs *Node) map[string]*Node {
	O := member.Shape().Dim(1)
	ends := OneHot(pairs, O, dtypes.Float32) // [B, Q, 2, O]
	first := Squeeze(Slice(ends, AxisRange(), AxisRange(), AxisElem(0)), 2)
	second := Squeeze(Slice(ends, AxisRange(), AxisRange(), AxisElem(1)), 2) // [B, Q, O]
	exists := ReduceMax(member, -1)                                          // [B, O] 1 for the objects an image has
	own := Mul(ExpandAxes(exists, -1), ExpandAxes(DiagonalWithValue(Scalar(member.Graph(), member.DType(), 1), O), 0))
	to := Einsum("bqo,bqp->bop", first, second)
	partner := Add(to, TransposeAllAxes(to, 0, 2, 1))
	in := Add(first, second)
	all := ReduceSum(in, 1) // [B, O]
	others := Sub(Einsum("bo,bp->bop", all, all), Einsum("bqo,bqp->bop", in, in))
	share := func(x *Node) *Node { return Div(x, MaxScalar(ReduceAndKeep(x, ReduceSum, 1, 2), 1)) }
	return map[string]*Node{"wo": share(own), "wp": share(partner), "bp": share(others)}
}
