package probe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// An Intervention says what is added to the tokens of every pair of every image, one pair at a
// time, after a block.
type Intervention struct {
	Block      int
	Add        Directions
	Directions []Direction // nil is all
	Alphas     []float64   // factors α; 0 adds nothing
}

// An Effect is what adding α times a direction did to a model's answers.
type Effect struct {
	Block     int       `json:"block"`
	Direction Direction `json:"direction"`
	Alpha     float64   `json:"alpha"`
	// Derived says that nothing was computed: what is added after the last block of a model
	// whose head reads CLS alone cannot reach the answer.
	Derived bool   `json:"derived,omitempty"`
	Cells   []Cell `json:"cells"`
}

// A Cell counts interventions of one kind: on a pair that differs in some way, beside another
// pair of some relation, in images that the model answers rightly or wrongly by itself.
type Cell struct {
	Pair  string       `json:"pair"`  // that was changed: "sample", "display", "pair"
	Kind  stimuli.Kind `json:"kind"`  // of that pair
	Other int          `json:"other"` // relation of the other pair, 1 same, 0 different; -1 where there is none
	Right bool         `json:"right"` // the model's own answer is the label
	N     int          `json:"n"`
	// Opposite counts the answers that are the opposite of the label: the paper's success.
	Opposite int `json:"opposite"`
	// Changed counts the answers that are not the model's own.
	Changed int `json:"changed"`
}

// Flipped is how often the answer was the opposite of the label, in the cells that match; nil is all.
func (e Effect) Flipped(match func(Cell) bool) finetune.Score {
	var s finetune.Score
	for _, c := range e.Cells {
		if match == nil || match(c) {
			s.N += c.N
			s.Correct += c.Opposite
		}
	}
	return s
}

// Derivable reports whether a change of objects' tokens after a block cannot reach the answer: after
// the last block of a model whose head reads CLS alone.
func Derivable(c vit.Config, block int) bool {
	return block == c.Blocks-1 && c.Family.Traits().Readout == vit.ReadCLS
}

// Intervene adds directions to the pairs of a set's images and counts which answers flip, for
// each of several blocks, directions and factors. The images are given by their indices (nil
// for all). The first effect, of block -1 and direction "", is the model's own answers: the
// share that is the opposite of the label is the floor of all others.
//
// One pass computes an image's stream up to a block once, lays all variants beside each other,
// and runs the blocks above on them.
func Intervene(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, all []Intervention, report progress.Func) ([]Effect, error) {
	err := runner.Fits(m.Config, set)
	if err == nil {
		images, err = runner.Choose(set, images)
	}
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	if m.Config.Classes != 2 {
		return nil, fmt.Errorf("probe: interventions flip an answer of two, different and same; the model has %d classes", m.Config.Classes)
	}
	t := steering{be: be, m: m, set: set, images: images, P: set.TokensPerObject()}
	for _, i := range images {
		t.Q = max(t.Q, len(set.Stimulus(i).Pairs))
	}
	if t.Q == 0 {
		return nil, fmt.Errorf("probe: none of %d images has a pair of objects to change", len(images))
	}
	total := len(images)
	for i := range all {
		if all[i].Directions == nil {
			all[i].Directions = AllDirections
		}
		if err := t.check(all[i]); err != nil {
			return nil, err
		}
		if !Derivable(m.Config, all[i].Block) {
			total += len(images) * t.Q * all[i].variants()
		}
	}
	meter := progress.New("interventions", "answers", total, report)
	defer meter.Finish("")
	if err := t.answers(ctx, meter); err != nil {
		return nil, err
	}
	effects := []Effect{t.count(func(i, q int) int { return t.own[i] }).effect(-1, "", 0)}
	for _, v := range all {
		more, err := t.intervene(ctx, v, meter)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	return effects, nil
}

func (v Intervention) variants() int { return len(v.Directions) * len(v.Alphas) }

// steering is one call of [Intervene].
type steering struct {
	be     *backend.Backend
	m      *vit.Model
	set    *stimuli.Set
	images []int
	Q, P   int
	own    []int // the model's answers
}

func (t *steering) check(v Intervention) error {
	c := t.m.Config
	if v.Block < 0 || v.Block >= c.Blocks {
		return fmt.Errorf("probe: there is no block %d to change: expected 0 to %d", v.Block, c.Blocks-1)
	}
	if v.variants() == 0 {
		return fmt.Errorf("probe: an intervention on block %d without factors: expected one α or more, such as 1", v.Block)
	}
	for _, α := range v.Alphas {
		if math.IsNaN(α) || math.IsInf(α, 0) {
			return fmt.Errorf("probe: α is %v, expected a number", α)
		}
	}
	for _, d := range v.Directions {
		vectors, ok := v.Add.Vectors[d]
		if F := 2 * t.P * c.Width; !ok || len(vectors[0]) != F || len(vectors[1]) != F {
			return fmt.Errorf("probe: the direction %q of block %d has %d and %d numbers, expected %d: the %d tokens of a pair, of width %d",
				d, v.Block, len(vectors[0]), len(vectors[1]), F, 2*t.P, c.Width)
		}
	}
	return nil
}

// answers finds the model's own.
func (t *steering) answers(ctx context.Context, meter *progress.Meter) error {
	return answer.Run(ctx, t.be, t.m, struct{}{}, runner.Work{
		N: len(t.images), Feed: runner.Images(t.m.Config, t.set, t.images),
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float32](out[0], len(items))
			for _, row := range rows {
				t.own = append(t.own, larger(row))
			}
			meter.Add(len(items))
			return err
		},
	})
}

// larger is the class of the larger of two logits, the first of equals.
func larger(logits []float32) int {
	if logits[1] > logits[0] {
		return 1
	}
	return 0
}

// answer computes the logits [B, C] of pixels.
var answer = runner.New("answers", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	logits, _ := vit.Forward(c, w, in[0], vit.LogitsOnly())
	return []*Node{logits}
})

// intervene returns the effects of an intervention, for each direction and α in their order.
func (t *steering) intervene(ctx context.Context, v Intervention, meter *progress.Meter) ([]Effect, error) {
	V := v.variants()
	tallies := make([]tally, V)
	if derived := Derivable(t.m.Config, v.Block); derived {
		for k := range tallies {
			tallies[k] = t.count(func(i, q int) int { return t.own[i] })
		}
	} else {
		for k := range tallies {
			tallies[k] = tally{}
		}
		err := t.logits(ctx, v, func(item, q, k int, logits []float32) {
			tallies[k].add(t, item, q, larger(logits))
		}, meter)
		if err != nil {
			return nil, err
		}
	}
	var effects []Effect
	for d, direction := range v.Directions {
		for a, α := range v.Alphas {
			e := tallies[d*len(v.Alphas)+a].effect(v.Block, direction, α)
			e.Derived = Derivable(t.m.Config, v.Block)
			effects = append(effects, e)
		}
	}
	return effects, nil
}

// logits computes an intervention, and hands over the logits of every item, pair and variant.
func (t *steering) logits(ctx context.Context, v Intervention, take func(item, q, variant int, logits []float32), meter *progress.Meter) error {
	c, V := t.m.Config, v.variants()
	draw := runner.Images(c, t.set, t.images)
	each := t.Q * V
	return steer.Run(ctx, t.be, t.m, v.Block, runner.Work{
		N: len(t.images), Batch: max(1, runner.Size(c, len(t.images)*each, 8*c.Tokens()*c.Width)/each),
		Common: []any{v.vectors(t.P, c.Width)},
		Feed: func(items []int) ([]any, error) {
			in, err := draw(items)
			tokens, relations := t.pairs(items)
			return append(in, tokens, relations), err
		},
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float32](out[0], len(items))
			for b, row := range rows { // [Q, V, C]
				for k := range each {
					logits := row[k*c.Classes : (k+1)*c.Classes]
					if logits[0] != logits[0] || logits[1] != logits[1] {
						return fmt.Errorf("image %d gives no number as its answer after block %d was changed: take a smaller α", t.images[items[b]], v.Block)
					}
					if q := k / V; q < len(t.set.Stimulus(t.images[items[b]]).Pairs) {
						take(items[b], q, k%V, logits)
					}
				}
			}
			meter.Add(len(items) * each)
			return err
		},
	})
}

// vectors returns α times the direction of every variant, float32 [V, 2, 2P, D].
func (v Intervention) vectors(P, D int) *tensors.Tensor {
	var all []float32
	for _, d := range v.Directions {
		for _, α := range v.Alphas {
			for _, vector := range v.Add.Vectors[d] {
				for _, x := range vector {
					all = append(all, float32(α*float64(x)))
				}
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(all, v.variants(), 2, 2*P, D)
}

// pairs returns the patches of the pairs of some images, int32 [B, Q, 2P] with -1 where there
// is none, and the pairs' relations, int32 [B, Q].
func (t *steering) pairs(items []int) (tokens, relations *tensors.Tensor) {
	patches, labels := make([]int32, len(items)*t.Q*2*t.P), make([]int32, len(items)*t.Q)
	for i := range patches {
		patches[i] = -1
	}
	for b, item := range items {
		s := t.set.Stimulus(t.images[item])
		for q, pair := range s.Pairs {
			at := (b*t.Q + q) * 2 * t.P
			for k, o := range []int{pair.First, pair.Second} {
				for p, patch := range s.Objects[o].Tokens {
					patches[at+k*t.P+p] = int32(patch)
				}
			}
			labels[b*t.Q+q] = int32(pair.Label)
		}
	}
	return tensors.FromFlatDataAndDimensions(patches, len(items), t.Q, 2*t.P), tensors.FromFlatDataAndDimensions(labels, len(items), t.Q)
}

// steer computes the logits [B, Q, V, C] that images have when V vectors are added, one at a
// time, to the tokens of one of their Q pairs after a block, its parameter. Inputs: pixels,
// patches [B, Q, 2P], relations [B, Q], vectors [V, 2, 2P, D].
var steer = runner.New("interventions", func(c vit.Config, block int, w *vit.Weights[*Node], in []*Node) []*Node {
	images, patches, relations, vectors := in[0], in[1], in[2], in[3]
	_, trace := vit.Forward(c, w, images, vit.Want(OutputOf(block)))
	x := trace.Get(OutputOf(block)) // [B, T, D]
	B, Q, V := x.Shape().Dim(0), patches.Shape().Dim(1), vectors.Shape().Dim(0)

	there := ConvertDType(GreaterOrEqual(patches, ZerosLike(patches)), x.DType())
	at := OneHot(AddScalar(MaxScalar(patches, 0), c.Prefix()), c.Tokens(), x.DType())
	at = Mul(at, ExpandAxes(there, -1))                                             // [B, Q, 2P, T]
	own := Einsum("bqr,vrpd->bqvpd", OneHot(relations, 2, x.DType()), vectors)      // of each pair's relation
	y := Add(Einsum("bqpt,bqvpd->bqvtd", at, own), ExpandAxes(ExpandAxes(x, 1), 1)) // x + α d, [B, Q, V, T, D]
	logits, _ := vit.ForwardFrom(c, w, block, Reshape(y, B*Q*V, c.Tokens(), c.Width), vit.LogitsOnly())
	return []*Node{Reshape(logits, B, Q, V, c.Classes)}
})

// A tally counts answers by cell.
type tally map[Cell]*Cell // the key has no counts

// count counts the answers that a function gives for every pair of every image.
func (t *steering) count(answer func(item, q int) int) tally {
	counts := tally{}
	for i := range t.images {
		for q := range t.set.Stimulus(t.images[i]).Pairs {
			counts.add(t, i, q, answer(i, q))
		}
	}
	return counts
}

// add counts an answer to an image whose pair q was changed.
func (counts tally) add(t *steering, item, q, answer int) {
	s := t.set.Stimulus(t.images[item])
	pair := relation(s, s.Pairs[q], item, t.P)
	key := Cell{Pair: pair.Pair, Kind: pair.Kind, Other: -1, Right: t.own[item] == s.Label}
	if len(s.Pairs) == 2 {
		key.Other = s.Pairs[1-q].Label
	}
	c := counts[key]
	if c == nil {
		c = new(Cell)
		*c = key
		counts[key] = c
	}
	c.N++
	if answer != s.Label {
		c.Opposite++
	}
	if answer != t.own[item] {
		c.Changed++
	}
}

// effect returns the counts, in an order of their own.
func (counts tally) effect(block int, d Direction, α float64) Effect {
	e := Effect{Block: block, Direction: d, Alpha: α}
	for _, c := range counts {
		e.Cells = append(e.Cells, *c)
	}
	slices.SortFunc(e.Cells, func(a, b Cell) int {
		right := func(c Cell) int {
			if c.Right {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Pair, b.Pair), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Other, b.Other), cmp.Compare(right(a), right(b)))
	})
	return e
}
