package das

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/vit"
)

// Answers are what a model answers to pairs under an intervention, pair by pair: 1 same, 0 different.
type Answers struct {
	Targets []int `json:"targets"` // what the intervention should bring about
	Base    []int `json:"base"`    // answers without it
	Answers []int `json:"answers"` // answers with it
	// Derived says that they were not computed: no intervention after the last block reaches CLS,
	// so the answers are those without it.
	Derived bool `json:"derived,omitempty"`
}

// Score counts the answers that are the target.
func (a Answers) Score() finetune.Score { return agree(a.Answers, a.Targets) }

// Without counts the answers that would be the target without the intervention, which are the
// model's mistakes: its accuracy is 1 - base accuracy, the level of a useless intervention.
func (a Answers) Without() finetune.Score { return agree(a.Base, a.Targets) }

// BaseScore counts the right answers to the base images.
func (a Answers) BaseScore() finetune.Score {
	s := a.Without()
	s.Correct = s.N - s.Correct
	return s
}

// ByTarget returns the scores of the pairs that should become different, and of those that should become same.
func (a Answers) ByTarget() (different, same finetune.Score) {
	of := [2]*finetune.Score{&different, &same}
	for i, target := range a.Targets {
		of[target].N++
		if a.Answers[i] == target {
			of[target].Correct++
		}
	}
	return different, same
}

func agree(answers, targets []int) finetune.Score {
	s := finetune.Score{N: len(targets)}
	for i, target := range targets {
		if answers[i] == target {
			s.Correct++
		}
	}
	return s
}

// Answers asks the model about pairs, with the intervention's subspace swapped between aligned
// tokens of the places that its control reads and those of the edited object.
func (v *Intervention) Answers(ctx context.Context, be *backend.Backend, m *vit.Model, s *Streams, report progress.Func) (Answers, error) {
	if err := v.of(s); err != nil {
		return Answers{}, err
	}
	if Derived(v.Config, v.Block) {
		return Unchanged(s)
	}
	cf, err := s.Sources(v.Block)
	if err != nil {
		return Answers{}, err
	}
	logits, err := v.Apply(ctx, be, m, s, Swap{Tokens: s.Edited(), K: s.P,
		Source: func(pair int, row []float32) { copy(row, s.source(cf, pair, v.Control)) }}, report)
	if err != nil {
		return Answers{}, err
	}
	return answered(s, logits)
}

// answered returns the answers to pairs under an intervention that gave these logits, [N][C].
func answered(s *Streams, logits [][]float32) (Answers, error) {
	a, err := Unchanged(s)
	if err != nil {
		return Answers{}, err
	}
	a.Answers, a.Derived = nil, false
	for _, row := range logits {
		a.Answers = append(a.Answers, argmax(row))
	}
	return a, nil
}

// Unchanged returns the answers of an intervention that changes nothing, such as any after the
// last block of a model whose head reads CLS.
func Unchanged(s *Streams) (Answers, error) {
	base, err := s.BaseAnswers()
	if err != nil {
		return Answers{}, err
	}
	a := Answers{Base: base, Answers: base, Derived: true}
	for _, target := range s.Pairs.Targets() {
		a.Targets = append(a.Targets, int(target))
	}
	return a, nil
}

// A Swap says what an intervention puts where.
type Swap struct {
	K      int     // tokens that are written to in each base image
	Tokens []int32 // [N, K], counted from CLS: [Streams.Edited]
	// Source writes the state [K, D] whose part in the subspace the tokens of a pair get.
	Source func(pair int, row []float32)
}

// Apply returns the model's logits for the base images of pairs, [N][C], when the part that
// lies in the intervention's subspace has been replaced at some tokens by that of other states.
func (v *Intervention) Apply(ctx context.Context, be *backend.Backend, m *vit.Model, s *Streams, swap Swap, report progress.Func) (logits [][]float32, err error) {
	if err := v.of(s); err != nil {
		return nil, err
	}
	base, err := s.Base(v.Block)
	if err != nil {
		return nil, err
	}
	D := v.Config.Width
	rotation := tensors.FromFlatDataAndDimensions(v.Rotation, D, D)
	defer rotation.FinalizeAll()
	err = intervene.Run(ctx, be, m, upper{v.Block, v.Recipe.Precision}, runner.Work{
		N: s.Pairs.Len(), Unit: "pairs", Report: report,
		Feed: func(items []int) ([]any, error) {
			stream, err := tensor(items, base.Shape[1:], func(pair int, row []float32) { copy(row, base.Row(pair)) })
			if err != nil {
				return nil, err
			}
			source, err := tensor(items, []int{swap.K, D}, swap.Source)
			if err != nil {
				return nil, err
			}
			var tokens []int32
			for _, pair := range items {
				tokens = append(tokens, swap.Tokens[pair*swap.K:(pair+1)*swap.K]...)
			}
			return []any{stream, source, tensors.FromFlatDataAndDimensions(tokens, len(items), swap.K)}, nil
		},
		Common: []any{rotation, v.Swapped()},
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float32](out[0], len(items))
			logits = append(logits, rows...)
			return err
		},
	})
	return logits, err
}

// upper is what the graph of an intervention depends on.
type upper struct {
	block     int
	precision vit.Precision
}

// intervene computes the answers [B, C] to base streams [B, T, D] with sources [B, K, D] swapped
// in at tokens [B, K], by a rotation [D, D] and a mask [D].
var intervene = runner.New("intervene", func(c vit.Config, p upper, w *vit.Weights[*Node], in []*Node) []*Node {
	edited := interchange(in[0], in[1], in[2], in[3], in[4])
	logits, _ := vit.ForwardFrom(c, w, p.block, edited, vit.LogitsOnly(), vit.Compute(p.precision))
	return []*Node{logits}
})
