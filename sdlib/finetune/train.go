package finetune

import (
	"context"
	"fmt"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Options say where a training run keeps its checkpoints and how it reports.
type Options struct {
	// Dir is the folder of the run's checkpoints; "" keeps none. A run that finds a
	// checkpoint of its own there goes on with it.
	Dir string
	// Every is the longest time between two checkpoints; there is also one after each epoch. 0 is a minute.
	Every time.Duration
	// Devices is how many of the backend's devices a batch is split over; 0 is 1. The result is that of one device up to rounding.
	Devices int
	// Progress gets how far the run is.
	Progress progress.Func
	// Warn gets what went wrong without stopping the run, such as a damaged checkpoint.
	Warn func(message string)
	// Log is the file that gets a line of JSON for every epoch, with the seconds it took;
	// "" is log.jsonl in Dir.
	Log string
	// OnEpoch is called with all epochs so far after each one, to plot them while the run goes on.
	OnEpoch func(history []Epoch)
	// OnStep is called with the model after each of Steps, 0 being before the first one, and must
	// not keep or change its weights. The training ends with the same weights, to the bit, as one
	// that nobody looks at. See [optimize.Watch] for errors and interruptions.
	OnStep func(ctx context.Context, step int, m *vit.Model) error
	Steps  []int
}

// Result is a trained model and how it got there.
type Result struct {
	Model   *vit.Model // the weights that the recipe keeps
	Epoch   int        // after which Model had them: the last, or the best of Keep Best
	Last    *vit.Model // the weights after the last epoch; Model, unless an earlier epoch was kept
	History []Epoch
	Times   []Times // of each epoch
}

// Train fine-tunes a copy of the model m on a set of stimuli and returns it. val, where
// not nil, is evaluated after every epoch. It decides nothing, unless the recipe says so
// (schedule Plateau, Keep Best).
//
// The result depends on m, the sets and the recipe alone: an interrupted run that is
// started again with the same Dir ends with the same weights, to the bit, as one that
// was not (on one machine and backend).
//
// When ctx ends, a checkpoint is written and ctx's error returned. A loss that is no
// longer a finite number stops the run; the error names the step, the learning rate
// and the last good checkpoint.
func Train(ctx context.Context, be *backend.Backend, m *vit.Model, train, val *stimuli.Set, r Recipe, o Options) (*Result, error) {
	if err := r.check(m.Config, train, val); err != nil {
		return nil, err
	}
	data := r.data(m.Config, train)
	defer data.Close()
	p := r.problem(m, data)
	key := []any{r, train.Config(), nil}
	n := len(m.Config.Names())
	if val != nil {
		eval, err := newEvaluator(be, m.Config, val)
		if err != nil {
			return nil, err
		}
		defer eval.close()
		p.Validate = func(ctx context.Context, θ []*tensors.Tensor) ([]float64, error) {
			logits, err := eval.run(ctx, θ[:n], nil)
			if err != nil {
				return nil, err
			}
			return []float64{score(logits, val).All.Accuracy()}, nil
		}
		key[2] = val.Config()
	}
	p.Key = key
	with := optimize.Options{Dir: o.Dir, Every: o.Every, Devices: o.Devices, Log: o.Log, Unit: "images", Progress: o.Progress, Warn: o.Warn,
		Describe: func(e optimize.Epoch) fmt.Stringer { return logLine{epochOf(e), e.Seconds} }}
	if o.OnEpoch != nil {
		with.OnEpoch = func(history []optimize.Epoch) { o.OnEpoch(epochsOf(history)) }
	}
	origin := m.Origin.FineTuned()
	model := func(θ []*tensors.Tensor) *vit.Model {
		return &vit.Model{Config: m.Config, Weights: vit.Unflatten(m.Config, θ[:n]), Origin: origin}
	}
	if o.OnStep != nil {
		with.Watch = optimize.Watch{Steps: o.Steps, See: func(ctx context.Context, step int, θ []*tensors.Tensor) error {
			return o.OnStep(ctx, step, model(θ))
		}}
	}
	got, err := optimize.Minimize(ctx, be, p, r.settings(), with)
	if err != nil {
		return nil, err
	}
	res := &Result{Last: model(got.Last), Epoch: got.Kept[0], History: epochsOf(got.History)}
	if res.Model = res.Last; res.Epoch < r.Epochs {
		res.Model = model(got.Params)
	}
	for _, e := range got.History {
		res.Times = append(res.Times, e.Seconds)
	}
	return res, nil
}

// problem is what the recipe minimizes: the weights of the model, then the probes', are
// learned from data as [Recipe.data] draws it.
func (r Recipe) problem(m *vit.Model, data optimize.Data) optimize.Problem {
	c := m.Config
	p := optimize.Problem{Data: data, Measures: r.measures()}
	for i, w := range m.Weights.Flatten(c) {
		p.Params = append(p.Params, optimize.Param{Name: c.Names()[i], Start: w})
	}
	p.Params = append(p.Params, r.probeParams(c)...)
	p.Loss = func(in optimize.Inputs) (*Node, map[string]*Node) { return r.loss(c, in.Params, batch{in.Batch}) }
	return p
}
