package finetune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Options say where a training run keeps its checkpoints and whom it tells.
type Options struct {
	// Dir is the folder of the run's checkpoints; "" keeps none. A run that finds a
	// checkpoint of its own there goes on with it.
	Dir string
	// Every is the longest time between two checkpoints; there is also one after each epoch. 0 is a minute.
	Every time.Duration
	// Progress is told how far the run is.
	Progress progress.Func
	// Warn is told what went wrong without stopping the run, such as a damaged checkpoint.
	Warn func(message string)
}

// Epoch is what was measured in one pass over the training set.
type Epoch struct {
	Epoch int     `json:"epoch"` // counted from 1
	LR    float64 `json:"lr"`    // of the epoch's last step
	Loss  float64 `json:"loss"`  // mean over the epoch's steps of the whole loss
	Task  float64 `json:"task"`  // its part from the answers
	Aux   float64 `json:"aux"`   // its part from auxiliary losses, weighted
	Train float64 `json:"train"` // accuracy on the training images, while they were learned
	Shape float64 `json:"shape"` // accuracy of the shape probe of the disentanglement loss, over object tokens
	Color float64 `json:"color"` // and of the color probe
	Val   float64 `json:"val"`   // accuracy on the validation set after the epoch; -1 without one

	// What the auxiliary losses measured, 0 for those that are off.
	Identity     float64 `json:"identity,omitempty"`      // accuracy of the identity probe, over object tokens
	WithinObject float64 `json:"within_object,omitempty"` // scores of the pipeline loss, 0..1
	WithinPair   float64 `json:"within_pair,omitempty"`
	BetweenPairs float64 `json:"between_pairs,omitempty"`
	Relation     float64 `json:"relation,omitempty"` // accuracy of the relation probe, over pairs
}

// Result is a trained model and how it got there.
type Result struct {
	Model   *vit.Model
	History []Epoch
}

// Train fine-tunes a copy of the model m on a set of stimuli and returns it. val, where
// not nil, is evaluated after every epoch; it decides nothing.
//
// The result depends on m, the sets and the recipe alone: an interrupted run that is
// started again with the same Dir ends with the same weights, to the bit, as one that
// was not (on one machine and backend).
//
// When ctx ends, a checkpoint is written and ctx's error returned. A loss that is no
// longer a finite number stops the run; the error names the step, the learning rate
// and the last good checkpoint.
func Train(ctx context.Context, be *backend.Backend, m *vit.Model, train, val *stimuli.Set, r Recipe, o Options) (*Result, error) {
	if err := r.Validate(m.Config, train.Len()); err != nil {
		return nil, err
	}
	if err := r.fits(train); err != nil {
		return nil, err
	}
	t := &trainer{Recipe: r, Options: o, config: m.Config, n: train.Len(), val: val}
	var err error
	if t.state, err = newState(m, r); err != nil {
		return nil, err
	}
	if err := t.openCheckpoints(m, train); err != nil {
		return nil, err
	}
	data, err := load(m.Config, train)
	if err != nil {
		return nil, err
	}
	if t.step, err = newStepper(be, m.Config, r, data); err != nil {
		return nil, err
	}
	defer t.step.close()
	if val != nil {
		if t.eval, err = newEvaluator(be, m.Config, val); err != nil {
			return nil, err
		}
		defer t.eval.close()
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	w := vit.Unflatten(m.Config, t.state.weights[:len(m.Config.Names())])
	for _, x := range t.state.weights {
		if err := x.ToLocal(); err != nil {
			return nil, fmt.Errorf("finetune: fetch the trained weights: %w", err)
		}
	}
	return &Result{Model: &vit.Model{Config: m.Config, Weights: w}, History: t.history}, nil
}

// trainer is one run of Train.
type trainer struct {
	Recipe
	Options
	config  vit.Config
	n       int // training images
	val     *stimuli.Set
	state   *state
	step    *stepper
	eval    *evaluator
	history []Epoch
	saver   *checkpoints
}

// syncEvery is how many steps pass between two looks at the running sums, which make
// the host wait for the device.
const syncEvery = 10

func (t *trainer) run(ctx context.Context) error {
	perEpoch, total := t.perEpoch(t.n), t.steps(t.n)
	meter := progress.New("train", "images", total*t.Batch, t.Progress)
	meter.Start(t.state.step * t.Batch)
	defer meter.Finish("")
	saved := time.Now()
	for {
		epoch, i := t.state.step/perEpoch, t.state.step%perEpoch
		if i == 0 && len(t.history) < epoch { // the epoch's steps are done, its evaluation is not
			if err := t.endEpoch(ctx, epoch-1); err != nil {
				return err
			}
			saved = time.Now()
			meter.Set(t.state.step*t.Batch, fmt.Sprintf("epoch %d/%d  %v", epoch, t.Epochs, t.history[epoch-1]))
		}
		if t.state.step == total {
			return nil
		}
		order := t.order(epoch)
		for ; i < perEpoch; i++ {
			lr := t.LR * t.Schedule.at(t.state.step, total, t.Warmup)
			if err := t.step.run(t.state, lr, order[i*t.Batch:(i+1)*t.Batch]); err != nil {
				return err
			}
			if last := i == perEpoch-1; !last && (i+1)%syncEvery != 0 && ctx.Err() == nil {
				continue
			}
			now, err := t.means(i + 1)
			if err != nil {
				return err
			}
			meter.Set(t.state.step*t.Batch, fmt.Sprintf("epoch %d/%d  %v", epoch+1, t.Epochs, now))
			stopped := ctx.Err()
			if stopped != nil || time.Since(saved) > t.every() {
				if err := t.saver.save(t.state, t.history); err != nil {
					return errors.Join(stopped, err)
				}
				saved = time.Now()
			}
			if stopped != nil {
				return stopped
			}
		}
	}
}

// endEpoch writes the epoch's line of history, evaluates, and saves.
func (t *trainer) endEpoch(ctx context.Context, epoch int) error {
	e, err := t.means(t.perEpoch(t.n))
	if err != nil {
		return err
	}
	e.Epoch, e.LR, e.Val = epoch+1, t.LR*t.Schedule.at(t.state.step-1, t.steps(t.n), t.Warmup), -1
	if t.eval != nil {
		logits, err := t.eval.run(ctx, t.state.weights[:len(t.config.Names())], nil)
		if err != nil {
			return err
		}
		e.Val = score(logits, t.val).All.Accuracy()
	}
	t.history = append(t.history, e)
	t.state.resetSums()
	return t.saver.save(t.state, t.history)
}

// order returns the images of an epoch in the order in which they are learned: a
// permutation that depends on the recipe's seed and the epoch alone.
func (t *trainer) order(epoch int) []int32 {
	rng := rand.New(rand.NewPCG(t.Seed, 0x0bde5+uint64(epoch)<<20))
	order := make([]int32, t.n)
	for i := range order {
		order[i] = int32(i)
	}
	rng.Shuffle(t.n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// means returns the epoch's running means after a number of its steps.
func (t *trainer) means(steps int) (Epoch, error) {
	sums, err := tensors.CopyFlatData[float32](t.state.sums)
	if err != nil {
		return Epoch{}, fmt.Errorf("finetune: step %d: %w", t.state.step, err)
	}
	mean := map[string]float64{}
	for i, name := range t.sumNames() {
		mean[name] = float64(sums[i]) / float64(steps)
	}
	e := Epoch{Loss: mean["loss"], Task: mean["task"], Aux: mean["aux"], Train: mean["correct"], Shape: mean["shape"], Color: mean["color"],
		Identity: mean["identity"], WithinObject: mean["wo"], WithinPair: mean["wp"], BetweenPairs: mean["bp"], Relation: mean["relation"]}
	if math.IsNaN(e.Loss) || math.IsInf(e.Loss, 0) {
		return Epoch{}, fmt.Errorf("finetune: the loss became %v within %d steps before step %d, at a learning rate of %.3g: lower the learning rate; %s",
			e.Loss, min(syncEvery, steps), t.state.step, t.LR*t.Schedule.at(t.state.step-1, t.steps(t.n), t.Warmup), t.saver.lastGood())
	}
	return e, nil
}

func (t *trainer) every() time.Duration {
	if t.Every > 0 {
		return t.Every
	}
	return time.Minute
}

// String is an epoch in a line of progress: "loss 0.412  train .871  val .902".
func (e Epoch) String() string {
	s := fmt.Sprintf("loss %.3f  train %.3f", e.Loss, e.Train)
	if e.Epoch > 0 && e.Val >= 0 {
		s += fmt.Sprintf("  val %.3f", e.Val)
	}
	return s
}
