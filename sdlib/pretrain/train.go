package pretrain

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
	"samediff/sdlib/progress"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// Options say where a pretraining keeps its checkpoints and how it reports.
type Options struct {
	// Dir is the folder of the checkpoints; "" keeps none. A run that finds a checkpoint of its own there goes on with it, and
	// ends with the same bits.
	Dir   string
	Every time.Duration // the longest time between two checkpoints; 0 is a minute
	// Log is the file that gets a line of JSON for every epoch; "" is log.jsonl in Dir.
	Log      string
	Progress progress.Func
	// Warn gets what went wrong without stopping the run, such as a damaged checkpoint.
	Warn func(message string)
	// OnEpoch is called with all epochs so far after each one, to plot them while the run goes on.
	OnEpoch func(history []Epoch)
}

// An Epoch is what was measured in one pass: Mean("loss"), and the objective's measures, such as Mean("correct").
type Epoch = optimize.Epoch

// Result is a pretrained model and how it got there.
type Result struct {
	Model   *vit.Model
	History []Epoch
}

// A task is an objective at work: what it minimizes, and of what rows.
type task interface {
	// problem has Params, Loss, Measures, and what is carried. The model's weights are the first parameters.
	problem() optimize.Problem
	// rows draws the rows of scenes first to first + n - 1.
	rows(set *scenes.Set, first, n int) ([]*tensors.Tensor, error)
	// backbone returns the weights that are kept, of what a run found.
	backbone(got *optimize.Result) []*tensors.Tensor
}

// Train pretrains a copy of the model m, which [Recipe.Config] describes, on scenes.
//
// The result depends on m, the scenes and the recipe alone: an interrupted run that is started again with the same Dir ends with
// the same weights, to the bit, as one that was not (on one machine and backend).
//
// When ctx ends, a checkpoint is written and ctx's error returned. A loss that is no longer a finite number stops the run; the
// error names the step, the learning rate and the last good checkpoint.
func Train(ctx context.Context, be *backend.Backend, m *vit.Model, set *scenes.Set, r Recipe, o Options) (*Result, error) {
	if err := r.Validate(m.Config, set); err != nil {
		return nil, err
	}
	t := r.task(m, set)
	p := t.problem()
	data := &optimize.Drawn{N: r.Images, Fresh: r.Epochs, Draw: func(epoch int) ([]*tensors.Tensor, error) {
		return t.rows(set, epoch*r.Images, r.Images)
	}}
	defer data.Close()
	p.Data, p.Key = data, []any{"pretrain", r, m.Config, set.Config()}
	got, err := optimize.Minimize(ctx, be, p, r.settings(), optimize.Options{Dir: o.Dir, Every: o.Every, Log: o.Log,
		Progress: o.Progress, Warn: o.Warn, OnEpoch: o.OnEpoch, Task: "pretrain", Unit: "images"})
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	trained := &vit.Model{Config: m.Config, Weights: vit.Unflatten(m.Config, t.backbone(got)),
		Origin: &vit.Origin{Name: string(r.Objective) + " analogue", From: "pretrained on scenes of " + things(set)}}
	if r.Objective == Supervised {
		trained.Labels = r.Naming.classes(set)
	}
	return &Result{trained, got.History}, nil
}

func things(set *scenes.Set) string {
	if emoji := set.Config().Emoji; emoji != "" {
		return "emoji, " + emoji
	}
	return "random outlines"
}

// task returns the recipe's objective for a model that starts as m.
func (r Recipe) task(m *vit.Model, set *scenes.Set) task {
	rng := rand.New(rand.NewPCG(r.Seed, 0x9e7a1))
	switch r.Objective {
	case Contrastive:
		return newMatching(r.Matching, m, set, rng)
	case Masked:
		return newMasking(r.Masking, m, r.Seed, rng)
	case Distilled:
		return newTeaching(r.Teaching, m, r.Seed, rng)
	}
	return naming{r.Naming, m}
}

// params returns a model's weights as parameters, under names that begin with a prefix.
func params(m *vit.Model, prefix string) (all []optimize.Param) {
	for i, w := range m.Weights.Flatten(m.Config) {
		all = append(all, param(prefix+m.Config.Names()[i], w))
	}
	return all
}

// param puts a parameter into its group.
func param(name string, start *tensors.Tensor) optimize.Param {
	p := optimize.Param{Name: name, Start: start}
	if start.Rank() < 2 {
		p.Group = undecayed
	}
	return p
}

// first returns the values of the first parameters, those of the model.
func first(m *vit.Model, of []*tensors.Tensor) []*tensors.Tensor { return of[:len(m.Config.Names())] }

// normal returns a tensor of normal numbers of a standard deviation.
func normal(rng *rand.Rand, sd float64, dims ...int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(sd * rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// unit scales the last axis of x to length 1, as torch.nn.functional.normalize does.
func unit(x *Node) *Node {
	length := Sqrt(ReduceAndKeep(Square(x), ReduceSum, -1))
	return Div(x, MaxScalar(length, 1e-12))
}

// images draws scenes as bytes [n, side, side, 3].
func images(set *scenes.Set, first, n int) *tensors.Tensor {
	side := set.Config().Image
	return tensors.FromFlatDataAndDimensions(set.Images(first, first+n), n, side, side, 3)
}

// paddedTo writes lists as rows of int32 of a width, -1 behind the end of each.
func paddedTo(width int, lists [][]int) *tensors.Tensor {
	flat := make([]int32, 0, len(lists)*width)
	for _, l := range lists {
		for i := range width {
			v := -1
			if i < len(l) {
				v = l[i]
			}
			flat = append(flat, int32(v))
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, len(lists), width)
}
