package optimize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/keepmemory"
	"samediff/sdlib/progress"
)

// Options say where a run keeps its checkpoints and how it reports.
type Options struct {
	// Dir is the folder of the run's checkpoints; "" keeps none. A run that finds a
	// checkpoint of its own there goes on with it.
	Dir string
	// Devices is how many of the backend's devices a batch is split over, in equal parts; 0 is 1.
	// The result is that of one device up to rounding.
	Devices int

	// Every is the longest time between two checkpoints; there is also one after each epoch. 0 is a minute.
	Every time.Duration
	// Log is the file that gets a line of JSON for every epoch; "" is log.jsonl in Dir.
	Log string
	// Describe returns what log and progress show of an epoch, its JSON and its String; nil shows the [Epoch].
	Describe func(Epoch) fmt.Stringer
	// OnEpoch is called with all epochs so far after each one, to plot them while the run goes on.
	OnEpoch func(history []Epoch)
	// Watch is handed the parameters after chosen steps; the zero value watches nothing.
	Watch Watch
	// Progress gets how far the run is, as Task ("" is "train") in numbers of Unit ("" is "rows").
	Progress   progress.Func
	Task, Unit string
	// Warn gets what went wrong without stopping the run, such as a damaged checkpoint.
	Warn func(message string)
}

// Result is what a run found. Tensors are on the host, in the order of Problem.Params.
type Result struct {
	Params  []*tensors.Tensor // the values that Settings.Keep keeps
	Last    []*tensors.Tensor // those after the last step
	Carried []*tensors.Tensor // in the order of Problem.Carried, after the last step
	Kept    []int             // after which epoch each set had the kept values; one number without sets
	History []Epoch

	names []string
}

// Param returns the kept value of a name, nil where there is none.
func (r *Result) Param(name string) *tensors.Tensor {
	if i := slices.Index(r.names, name); i >= 0 {
		return r.Params[i]
	}
	return nil
}

// Minimize solves a problem: it takes the steps that the settings say, and returns the
// parameters.
//
// The result depends on the problem and the settings alone: an interrupted run that is
// started again with the same Dir ends with the same values, to the bit, as one that
// was not (on one machine and backend).
//
// When ctx ends, a checkpoint is written and ctx's error returned. A loss or measure that
// is no longer a finite number stops the run; the error names the step, the learning rate
// and the last good checkpoint.
func Minimize(ctx context.Context, be *backend.Backend, p Problem, s Settings, o Options) (*Result, error) {
	if err := p.check(&s); err != nil {
		return nil, err
	}
	if err := p.checkDevices(&s, be, o.Devices); err != nil {
		return nil, err
	}
	if o.Describe == nil {
		o.Describe = func(e Epoch) fmt.Stringer { return e }
	}
	t := &trainer{Problem: p, Settings: s, Options: o, plan: s.plan(p.Data.Len())}
	if err := o.Watch.validate(t.steps); err != nil {
		return nil, err
	}
	t.saver = &checkpoints{dir: o.Dir, warn: o.Warn, step: -1}
	var err error
	if t.state, err = newState(&p); err != nil {
		return nil, err
	}
	if o.Dir != "" {
		if t.saver.run, err = identity(&p, &s); err != nil {
			return nil, err
		}
	}
	h, err := t.saver.load(t.state)
	if err != nil {
		return nil, err
	}
	t.history, t.now = h.History, h.Now
	if err := t.writeLog(); err != nil {
		return nil, err
	}
	if err := t.state.toDevice(be.Engine); err != nil {
		return nil, err
	}
	if t.stepper, err = newStepper(be, &t.Problem, &t.Settings, o.Devices); err != nil {
		return nil, err
	}
	large := t.state.size() >= largeState
	if large {
		debug.FreeOSMemory() // the host's copies, which the collector would leave for minutes
	}
	err = t.run(ctx)
	t.stepper.close()
	t.state.freeMoments()
	if large {
		keepmemory.Release()
	}
	if err != nil {
		return nil, err
	}
	return t.result()
}

// largeState is the bytes of a state from which on memory that is free goes back to the system at
// once, which takes some milliseconds.
const largeState = 256 << 20

// trainer is one run of Minimize.
type trainer struct {
	Problem
	Settings
	Options
	plan
	state   *state
	stepper *stepper
	stepped bool // since the start of the process
	history []Epoch
	now     Times // of the epoch under way
	saver   *checkpoints
	saved   time.Time // when the last checkpoint was written
}

// result fetches the values.
func (t *trainer) result() (*Result, error) {
	for i, x := range t.state.θ {
		if err := x.ToLocal(); err != nil {
			return nil, fmt.Errorf("optimize: fetch %s: %w", t.state.names[i], err)
		}
	}
	for i, x := range t.state.carried {
		if err := x.ToLocal(); err != nil {
			return nil, fmt.Errorf("optimize: fetch %s: %w", t.state.carriedNames[i], err)
		}
	}
	r := &Result{Params: t.state.θ, Last: t.state.θ, Carried: t.state.carried, History: t.history, names: t.state.names}
	for set := range t.sets() {
		kept := t.epochs
		if t.Keep == Best {
			kept, r.Params = best(validated(t.history, set)), t.state.best
		}
		r.Kept = append(r.Kept, kept)
	}
	return r, nil
}

// syncEvery is how many steps pass between two looks at the running sums, which make
// the host wait for the device.
const syncEvery = 10

func (t *trainer) run(ctx context.Context) error {
	meter := progress.New(cmp.Or(t.Task, "train"), cmp.Or(t.Unit, "rows"), t.steps*t.batch, t.Progress)
	meter.Start(t.state.step * t.batch)
	defer meter.Finish("")
	t.saved = time.Now()
	for epoch := len(t.history); epoch < t.epochs; epoch++ {
		show := func(e Epoch) {
			meter.Set(t.state.step*t.batch, fmt.Sprintf("epoch %d/%d  %v", epoch+1, t.epochs, t.Describe(e)))
		}
		if err := t.learn(ctx, epoch, show); err != nil {
			return err
		}
		if err := t.endEpoch(ctx, epoch); err != nil {
			return err
		}
		show(t.history[epoch])
	}
	now := time.Now()
	return t.watch(ctx, &now) // after the last step
}

// learn takes the steps of an epoch that are left.
func (t *trainer) learn(ctx context.Context, epoch int, show func(Epoch)) error {
	done, steps := t.state.step-epoch*t.perEpoch, t.stepsOf(epoch)
	if done == steps {
		return nil
	}
	begin := time.Now()
	rows, err := t.Data.Epoch(epoch)
	if err == nil {
		err = rows.check(t.Data.Len())
	}
	if err != nil {
		return err
	}
	f := &feed{Rows: rows, engine: t.stepper.be.Engine, turns: t.stepper.n}
	defer f.close()
	order := order(t.Seed, epoch, t.Data.Len())[done*t.batch : steps*t.batch]
	f.parts = slices.Collect(slices.Chunk(order, t.batch/t.parts()/t.stepper.n))
	t.now.Data += lap(&begin)
	for done < steps {
		if err := t.watch(ctx, &begin); err != nil {
			return err
		}
		at := t.moment(t.state.step)
		if err := t.stepper.run(t.state, at, t.ratesOf(at), f); err != nil {
			return err
		}
		if !t.stepped {
			t.stepped = true
			t.now.Compile += lap(&begin)
		}
		done++
		if done < steps && done%syncEvery != 0 && ctx.Err() == nil {
			continue
		}
		now, err := t.means(done)
		if err != nil {
			return err
		}
		t.now.Step += lap(&begin) - f.waited.Seconds()
		t.now.Data += f.waited.Seconds()
		f.waited = 0
		show(now)
		stopped := ctx.Err()
		if stopped != nil || time.Since(t.saved) > cmp.Or(t.Every, time.Minute) {
			if err := t.save(); err != nil {
				return errors.Join(stopped, err)
			}
			begin = t.saved
		}
		if stopped != nil {
			return stopped
		}
	}
	return nil
}

// lap returns the seconds since begin, which it moves to now.
func lap(begin *time.Time) float64 {
	now := time.Now()
	seconds := now.Sub(*begin).Seconds()
	*begin = now
	return seconds
}

// endEpoch adds the epoch's line to the history, validates, and saves.
func (t *trainer) endEpoch(ctx context.Context, epoch int) error {
	begin := time.Now()
	e, err := t.means(t.stepsOf(epoch))
	if err != nil {
		return err
	}
	e.Epoch, e.LR = epoch+1, t.ratesOf(t.moment(t.state.step-1))
	if t.Problem.Validate != nil {
		if e.Validated, err = t.Problem.Validate(ctx, t.state.θ); err != nil {
			return err
		}
		if len(e.Validated) != t.sets() || slices.ContainsFunc(e.Validated, unfit) {
			return fmt.Errorf("optimize: validation returned %v after epoch %d, expected %d finite numbers", e.Validated, e.Epoch, t.sets())
		}
	}
	t.history = append(t.history, e)
	if t.Keep == Best {
		better := make([]bool, t.sets())
		for set := range better {
			better[set] = best(validated(t.history, set)) == e.Epoch
		}
		if slices.Contains(better, true) {
			if err := t.state.keepBest(better); err != nil {
				return err
			}
		}
	}
	t.now.Evaluation += lap(&begin)
	t.history[epoch].Seconds, t.now = t.now, Times{}
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
	err := t.saver.save(t.state, header{History: t.history, Now: t.now})
	t.saved = time.Now()
	return err
}

func (t *trainer) ratesOf(at Moment) map[string][]float64 {
	return t.rates(t.stepper.groups, t.sets(), at, t.history)
}

// means returns the epoch's running means after a number of its steps.
func (t *trainer) means(steps int) (Epoch, error) {
	sums, err := tensors.CopyFlatData[float32](t.state.sums)
	if err != nil {
		return Epoch{}, fmt.Errorf("optimize: step %d: %w", t.state.step, err)
	}
	e := Epoch{Means: map[string][]float64{}}
	for i, name := range t.sums() {
		for set, sum := range sums[i*t.sets() : (i+1)*t.sets()] {
			mean := float64(sum) / float64(steps)
			if unfit(mean) {
				return Epoch{}, t.diverged(name, set, mean, steps)
			}
			e.Means[name] = append(e.Means[name], mean)
		}
	}
	return e, nil
}

// unfit reports whether x is NaN or infinite.
func unfit(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

func (t *trainer) diverged(name string, set int, mean float64, steps int) error {
	if t.Sets > 0 {
		name = fmt.Sprintf("%s of set %d", name, set)
	}
	var rates []string
	at := t.ratesOf(t.moment(t.state.step - 1))
	for _, group := range t.stepper.groups {
		rates = append(rates, fmt.Sprintf("%.3g", at[group][set]))
	}
	return fmt.Errorf("optimize: the %s became %v within %d steps before step %d, at a learning rate of %s: lower the learning rate; %s",
		name, mean, min(syncEvery, steps), t.state.step, strings.Join(rates, " and "), t.saver.lastGood())
}
