package finetune

import (
	"context"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Score counts right answers.
type Score struct {
	N       int `json:"n"`
	Correct int `json:"correct"`
}

// Accuracy is Correct/N; 0 for no images.
func (s Score) Accuracy() float64 {
	if s.N == 0 {
		return 0
	}
	return float64(s.Correct) / float64(s.N)
}

// Interval returns Wilson's 95 % interval for the accuracy (Wilson 1927), which stays
// within 0..1 and is right for accuracies near 1.
func (s Score) Interval() (low, high float64) {
	if s.N == 0 {
		return 0, 1
	}
	const z = 1.959963984540054 // Φ(z) = .975
	n, p := float64(s.N), s.Accuracy()
	center := p + z*z/(2*n)
	spread := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, (center-spread)/(1+z*z/n)), min(1, (center+spread)/(1+z*z/n))
}

// KindScore is the score on the pairs that differ in one way.
type KindScore struct {
	Kind  stimuli.Kind `json:"kind"`
	Score Score        `json:"score"`
}

// Evaluation is how well a model answers on one set, divided by the set's true size (docs/paper.md D9).
type Evaluation struct {
	All   Score       `json:"all"`
	Kinds []KindScore `json:"kinds"` // same, shape only, color only, both; those that the set has
}

// A Condition changes the forward pass of an evaluation. The zero value leaves it as it is.
type Condition struct {
	Off       []vit.Head    `json:"off,omitempty"`       // heads that are switched off (see [vit.Heads])
	Precision vit.Precision `json:"precision,omitempty"` // of matrix products
}

// Evaluate asks a model about every image of a set. Its classes must be different and same ([vit.Model.Answers]).
func Evaluate(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, under Condition, report progress.Func) (Evaluation, error) {
	if err := m.Answers(); err != nil {
		return Evaluation{}, fmt.Errorf("finetune: %w", err)
	}
	logits, err := Predict(ctx, be, m, set, under, report)
	if err != nil {
		return Evaluation{}, err
	}
	return score(logits, set), nil
}

// Predict returns the model's logits for every image of a set: [n][C].
func Predict(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, under Condition, report progress.Func) ([][]float32, error) {
	e, err := newEvaluator(be, m.Config, set)
	if err != nil {
		return nil, err
	}
	e.hold = false
	return e.predict(ctx, m, under, report)
}

func score(logits [][]float32, set *stimuli.Set) Evaluation {
	var e Evaluation
	byKind := map[stimuli.Kind]*Score{}
	for i, row := range logits {
		s := set.Stimulus(i)
		if byKind[s.Kind] == nil {
			byKind[s.Kind] = new(Score)
		}
		right := 0
		if argmax(row) == s.Label {
			right = 1
		}
		for _, to := range []*Score{&e.All, byKind[s.Kind]} {
			to.N++
			to.Correct += right
		}
	}
	for _, k := range []stimuli.Kind{stimuli.Same, stimuli.ShapeOnly, stimuli.ColorOnly, stimuli.Both} {
		if s := byKind[k]; s != nil {
			e.Kinds = append(e.Kinds, KindScore{k, *s})
		}
	}
	return e
}

func argmax(x []float32) int {
	best := 0
	for i := range x {
		if x[i] > x[best] {
			best = i
		}
	}
	return best
}

// predict computes a model's answers, [B, C], to images under a mask of heads [L, H].
var predict = runner.New("evaluate", func(c vit.Config, p vit.Precision, w *vit.Weights[*Node], in []*Node) []*Node {
	logits, _ := vit.Forward(c, w, in[0], vit.Heads(in[1]), vit.Compute(p), vit.LogitsOnly())
	return []*Node{logits}
})

// mostHeld is how many bytes of pixels an evaluator keeps on the device.
const mostHeld = 1 << 29

// evaluator asks models of one configuration about a set. Between calls it keeps the images
// on the device, where they are not too many.
type evaluator struct {
	be     *backend.Backend
	config vit.Config
	set    *stimuli.Set
	hold   bool
	held   map[int][]any // batches of pixels, by their first image
}

func newEvaluator(be *backend.Backend, c vit.Config, set *stimuli.Set) (*evaluator, error) {
	if set.Len() == 0 {
		return nil, fmt.Errorf("finetune: the set to evaluate is empty")
	}
	if err := suits(c, set, "evaluated"); err != nil {
		return nil, err
	}
	return &evaluator{be, c, set, set.Len()*c.Image*c.Image*3 <= mostHeld, map[int][]any{}}, nil
}

func (e *evaluator) close() {
	for _, pixels := range e.held {
		pixels[0].(*tensors.Tensor).FinalizeAll()
	}
}

// run returns the logits [n][C] of all images, for weights in the order of the configuration's names.
func (e *evaluator) run(ctx context.Context, weights []*tensors.Tensor, report progress.Func) ([][]float32, error) {
	return e.predict(ctx, &vit.Model{Config: e.config, Weights: vit.Unflatten(e.config, weights)}, Condition{}, report)
}

func (e *evaluator) predict(ctx context.Context, m *vit.Model, under Condition, report progress.Func) ([][]float32, error) {
	mask, err := e.config.HeadMask(under.Off...)
	if err != nil {
		return nil, err
	}
	var logits [][]float32
	draw := runner.Images(e.config, e.set, nil)
	err = predict.Run(ctx, e.be, m, under.Precision, runner.Work{
		N: e.set.Len(),
		Feed: func(items []int) (pixels []any, err error) {
			if pixels = e.held[items[0]]; pixels == nil {
				if pixels, err = draw(items); err == nil && e.hold {
					e.held[items[0]] = pixels
				}
			}
			return pixels, err
		},
		Hold:   e.hold,
		Common: []any{mask},
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float32](out[0], len(items))
			logits = append(logits, rows...)
			return err
		},
		Report: report,
	})
	return logits, err
}
