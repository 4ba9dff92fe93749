package finetune

import (
	"context"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
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

// Evaluate asks a model about every image of a set. Options change the forward pass,
// such as [vit.HeadOff].
func Evaluate(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, report progress.Func, opts ...vit.Option) (Evaluation, error) {
	logits, err := Predict(ctx, be, m, set, report, opts...)
	if err != nil {
		return Evaluation{}, err
	}
	return score(logits, set), nil
}

// Predict returns the model's logits for every image of a set: [n][C].
func Predict(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, report progress.Func, opts ...vit.Option) ([][]float32, error) {
	e, err := newEvaluator(be, m.Config, set, opts...)
	if err != nil {
		return nil, err
	}
	defer e.close()
	return e.run(ctx, m.Weights.Flatten(m.Config), report)
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

// evalBatch is the number of images per forward pass.
const evalBatch = 256

// evaluator runs a configuration's forward pass over a set, for changing weights.
// The images are drawn once and stay on the device.
type evaluator struct {
	exec   *Exec
	pixels *tensors.Tensor
	n      int
}

func newEvaluator(be *backend.Backend, c vit.Config, set *stimuli.Set, opts ...vit.Option) (*evaluator, error) {
	if set.Len() == 0 {
		return nil, fmt.Errorf("finetune: the set to evaluate is empty")
	}
	if err := suits(c, set, "evaluated"); err != nil {
		return nil, err
	}
	pixels, err := c.Images(set.Images(nil))
	if err != nil {
		return nil, err
	}
	exec, err := NewExec(be.Engine, func(in []*Node) *Node {
		w, pixels, indices := in[:len(in)-2], in[len(in)-2], in[len(in)-1]
		logits, _ := vit.Forward(c, vit.Unflatten(c, w), Gather(pixels, ExpandAxes(indices, -1)), append(opts, vit.LogitsOnly())...)
		return logits
	})
	if err != nil {
		return nil, fmt.Errorf("finetune: %s", firstLine(err))
	}
	return &evaluator{exec: exec.WithName("evaluate"), pixels: pixels, n: set.Len()}, nil
}

func (e *evaluator) close() {
	e.exec.Finalize()
	e.pixels.FinalizeAll()
}

// run returns the logits [n][C] of all images. The last batch is filled up with the
// set's last image, so that one compiled graph serves all.
func (e *evaluator) run(ctx context.Context, weights []*tensors.Tensor, report progress.Func) ([][]float32, error) {
	meter := progress.New("evaluate", "images", e.n, report)
	defer meter.Finish("")
	size := min(evalBatch, e.n)
	var logits [][]float32
	for at := 0; at < e.n; at += size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		indices := make([]int32, size)
		for i := range indices {
			indices[i] = int32(min(at+i, e.n-1))
		}
		var args []any
		for _, w := range weights {
			args = append(args, w)
		}
		out, err := e.exec.Call1(append(args, e.pixels, indices)...)
		if err != nil {
			return nil, fmt.Errorf("finetune: evaluate: %s", firstLine(err))
		}
		flat, err := tensors.CopyFlatData[float32](out)
		if err != nil {
			return nil, fmt.Errorf("finetune: evaluate: %w", err)
		}
		classes := out.Shape().Dim(1)
		out.FinalizeAll()
		for i := range min(size, e.n-at) {
			logits = append(logits, flat[i*classes:(i+1)*classes])
		}
		meter.Set(len(logits), "")
	}
	return logits, nil
}
