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
	// Log is the file that gets a line of JSON for every epoch, with the seconds it took;
	// "" is log.jsonl in Dir.
	Log string
	// OnEpoch is told all epochs so far after each one, to plot them while the run goes on.
	OnEpoch func(history []Epoch)
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
	t := &trainer{Recipe: r, Options: o, config: m.Config, n: train.Len(), val: val}
	var err error
	if t.state, err = newState(m, r); err != nil {
		return nil, err
	}
	if err := t.openCheckpoints(m, train); err != nil {
		return nil, err
	}
	if err := t.writeLog(); err != nil {
		return nil, err
	}
	t.stream = &stream{config: m.Config, set: train, fresh: r.Fresh, epochs: r.Epochs}
	defer t.stream.close()
	if t.step, err = newStepper(be, m.Config, r); err != nil {
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
	return t.result()
}

// trainer is one run of Train.
type trainer struct {
	Recipe
	Options
	config  vit.Config
	n       int // training images
	val     *stimuli.Set
	state   *state
	stream  *stream
	step    *stepper
	eval    *evaluator
	history []Epoch
	times   []Times
	now     Times // of the epoch under way
	saver   *checkpoints
}

// result fetches the weights.
func (t *trainer) result() (*Result, error) {
	model := func(weights []*tensors.Tensor) *vit.Model {
		return &vit.Model{Config: t.config, Weights: vit.Unflatten(t.config, weights)}
	}
	n := len(t.config.Names())
	for _, x := range t.state.weights {
		if err := x.ToLocal(); err != nil {
			return nil, fmt.Errorf("finetune: fetch the trained weights: %w", err)
		}
	}
	r := &Result{Last: model(t.state.weights[:n]), Epoch: t.Epochs, History: t.history, Times: t.times}
	r.Model = r.Last
	if kept := best(t.history); t.Keep == Best && kept < t.Epochs {
		r.Model, r.Epoch = model(t.state.best), kept
	}
	return r, nil
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
		begin := time.Now()
		data, err := t.stream.at(epoch)
		if err != nil {
			return err
		}
		order := t.order(epoch)
		t.now.Data += lap(&begin)
		for ; i < perEpoch; i++ {
			lr := t.rate(t.state.step, t.n, t.history)
			if err := t.step.run(t.state, data, lr, order[i*t.Batch:(i+1)*t.Batch]); err != nil {
				return err
			}
			if last := i == perEpoch-1; !last && (i+1)%syncEvery != 0 && ctx.Err() == nil {
				continue
			}
			now, err := t.means(i + 1)
			if err != nil {
				return err
			}
			t.now.Step += lap(&begin)
			meter.Set(t.state.step*t.Batch, fmt.Sprintf("epoch %d/%d  %v", epoch+1, t.Epochs, now))
			stopped := ctx.Err()
			if stopped != nil || time.Since(saved) > t.every() {
				if err := t.save(); err != nil {
					return errors.Join(stopped, err)
				}
				saved = time.Now()
				begin = saved
			}
			if stopped != nil {
				return stopped
			}
		}
	}
}

// lap returns the seconds since begin, which it moves to now.
func lap(begin *time.Time) float64 {
	now := time.Now()
	seconds := now.Sub(*begin).Seconds()
	*begin = now
	return seconds
}

// endEpoch adds the epoch's line to the history, evaluates, and saves.
func (t *trainer) endEpoch(ctx context.Context, epoch int) error {
	begin := time.Now()
	e, err := t.means(t.perEpoch(t.n))
	if err != nil {
		return err
	}
	e.Epoch, e.LR, e.Val = epoch+1, t.rate(t.state.step-1, t.n, t.history), -1
	if t.eval != nil {
		logits, err := t.eval.run(ctx, t.state.weights[:len(t.config.Names())], nil)
		if err != nil {
			return err
		}
		e.Val = score(logits, t.val).All.Accuracy()
	}
	t.history = append(t.history, e)
	if t.Keep == Best && best(t.history) == e.Epoch {
		if err := t.state.keepBest(len(t.config.Names())); err != nil {
			return err
		}
	}
	t.now.Evaluation += lap(&begin)
	t.times, t.now = append(t.times, t.now), Times{}
	t.state.resetSums()
	if err := t.save(); err != nil {
		return err
	}
	if err := t.writeLog(); err != nil {
		return err
	}
	if t.OnEpoch != nil {
		t.OnEpoch(t.history)
	}
	return nil
}

func (t *trainer) save() error {
	return t.saver.save(t.state, header{History: t.history, Times: t.times, Now: t.now})
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
			e.Loss, min(syncEvery, steps), t.state.step, t.rate(t.state.step-1, t.n, t.history), t.saver.lastGood())
	}
	return e, nil
}

func (t *trainer) every() time.Duration {
	if t.Every > 0 {
		return t.Every
	}
	return time.Minute
}
