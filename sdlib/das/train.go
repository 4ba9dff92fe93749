package das

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/optimize"
	"samediff/sdlib/progress"
	"samediff/sdlib/vit"
)

// Options say where a training keeps its checkpoints and how it reports.
type Options struct {
	// Dir is the folder of the checkpoints; "" keeps none. A search that finds a checkpoint of
	// its own there goes on with it, and ends with the same bits.
	Dir   string
	Every time.Duration // the longest time between two checkpoints; 0 is a minute
	// Progress gets how far the training is.
	Progress progress.Func
	// Times gets the seconds that the training took, at its end.
	Times func(optimize.Times)
	// Warn gets what went wrong without stopping the training, such as a damaged checkpoint.
	Warn func(message string)
}

// Train learns a rotation and a mask from the streams of counterfactual pairs, such that the model,
// whose weights stay as they are, gives the target as its answer when the subspace is swapped. It
// minimizes (paper, section 4)
//
//	cross-entropy(answers, targets) + Sparsity · Σ s,    s = σ(m/T)
//
// where the temperature T falls, so that s becomes 0 or 1. A step runs the blocks above alone.
func Train(ctx context.Context, be *backend.Backend, m *vit.Model, s *Streams, q Search, o Options) (*Intervention, error) {
	if err := q.Validate(m.Config); err != nil {
		return nil, err
	}
	if Derived(m.Config, q.Block) {
		return nil, fmt.Errorf("das: after the last block, %d, no token of an object reaches CLS, which the head reads: there is nothing to learn, and an intervention leaves every answer as it is (das.Derived)", q.Block)
	}
	if err := s.of(m, q.Recipe.Pairs); err != nil {
		return nil, err
	}
	data, err := newRows(s, q)
	if err != nil {
		return nil, err
	}
	defer data.close()
	form, err := q.form(m.Config.Width)
	if err != nil {
		return nil, err
	}
	t := training{c: m.Config, q: q, form: form, P: s.P}
	start := Orthogonal(m.Config.Width, q.Seed)
	p := t.problem(m, data, start)
	p.Key = []any{"das", s.Model, s.Pairs.Config(), q}
	got, err := optimize.Minimize(ctx, be, p, q.settings(), optimize.Options{
		Dir: o.Dir, Every: o.Every, Progress: o.Progress, Warn: o.Warn, Task: "das", Unit: "pairs"})
	if err != nil {
		return nil, err
	}
	v := &Intervention{Model: s.Model, Config: m.Config, Pairs: s.Pairs.Config(), Search: q, Rotation: start}
	var spent optimize.Times
	for _, e := range got.History {
		spent.Data, spent.Compile, spent.Step = spent.Data+e.Seconds.Data, spent.Compile+e.Seconds.Compile, spent.Step+e.Seconds.Step
		v.History = append(v.History, Epoch{e.Mean("loss"), e.Mean("correct"), e.Mean("dims")})
	}
	if o.Times != nil {
		o.Times(spent)
	}
	if v.Mask, err = form.mask(got, m.Config.Width); err != nil {
		return nil, err
	}
	if X := got.Param(skewParam); X != nil {
		if v.Rotation, err = finalRotation(be, start, X, t.squarings(limit64)); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// of returns an error unless the streams are those of a model, of so many pairs.
func (s *Streams) of(m *vit.Model, pairs int) error {
	if s.Pairs.Len() != pairs {
		return fmt.Errorf("das: the recipe learns from %d pairs, the streams are of %d", pairs, s.Pairs.Len())
	}
	return s.ofModel(m)
}

func (s *Streams) ofModel(m *vit.Model) error {
	hash, err := m.Hash()
	if err != nil {
		return err
	}
	if s.Model != hash {
		return fmt.Errorf("das: the streams are those of model %.12s, the model is %.12s: compute them with das.Keep", s.Model, hash)
	}
	return nil
}

// training builds the loss of a search.
type training struct {
	c    vit.Config
	q    Search
	form form
	P    int
}

// squarings is how many the exponential may need by the end: no step of Adam is much longer than
// the learning rate, and few entries move the same way in all of them.
func (t training) squarings(limit float64) int {
	return squarings(t.c.Width, t.q.Recipe.LR*float64(t.q.Recipe.steps())/2, limit)
}

func (t training) problem(m *vit.Model, data optimize.Data, start []float32) optimize.Problem {
	D := t.c.Width
	p := optimize.Problem{
		Data: data, Loss: t.loss, Measures: []string{"correct", "dims"},
		Constants: append([]*tensors.Tensor{tensors.FromFlatDataAndDimensions(start, D, D)}, m.Weights.Flatten(t.c)...),
		Scalars:   map[string]func(optimize.Moment) float64{"temperature": t.q.Recipe.Temperature.at},
	}
	for _, param := range t.form.params(D) {
		if t.q.Control != RandomRotation || param.Name != skewParam {
			p.Params = append(p.Params, param)
		}
	}
	if t.q.Recipe.Shuffle == PerBatch {
		for i := range t.P {
			p.Scalars[placeScalar(i)] = func(at optimize.Moment) float64 { return float64(permutation(t.q.Seed, at.Step, t.P)[i]) }
		}
	}
	return p
}

// placeScalar is the scalar of the token that comes to place i of every pair of a batch.
func placeScalar(i int) string { return fmt.Sprintf("token %d", i) }

// permutation is the shuffle of a step, or of a pair.
func permutation(seed uint64, of, P int) []int {
	return rand.New(rand.NewPCG(seed, 0x5f0f+uint64(of)<<20)).Perm(P)
}

// loss is what a step minimizes, with the share of answers that are the target, and the number of
// dimensions that are swapped.
func (t training) loss(in optimize.Inputs) (*Node, map[string]*Node) {
	g := in.Params[0].Graph()
	base, source, tokens, targets := in.Batch[0], in.Batch[1], in.Batch[2], in.Batch[3] // [B, T, D], [B, P, D], [B, P], [B]
	switch t.q.Recipe.Shuffle {
	case PerPair:
		source = shuffled(source, in.Batch[4])
	case PerBatch:
		var order []*Node
		for i := range t.P {
			order = append(order, in.Scalars[placeScalar(i)])
		}
		same := ConvertDType(ExpandAxes(Stack(order, 0), 0), dtypes.Int32) // [1, P]
		source = shuffled(source, BroadcastToDims(same, tokens.Shape().Dimensions...))
	}
	R := in.Constants[0]
	if t.q.Control != RandomRotation {
		R = rotation(R, in.Param(skewParam), t.squarings(limit32), limit32)
	}
	s := t.form.swapped(in, t.c.Width)                        // [J]
	R = Slice(R, AxisRange(), AxisRange(0, s.Shape().Dim(0))) // [D, J]
	w := vit.Unflatten(t.c, in.Constants[1:])
	edited := interchange(base, source, tokens, R, s)
	logits, _ := vit.ForwardFrom(t.c, w, t.q.Block, edited, vit.LogitsOnly(), vit.Compute(t.q.Recipe.Precision)) // [B, C]

	target := OneHot(targets, t.c.Classes, dtypes.Float32)
	crossEntropy := Neg(ReduceAllMean(ReduceSum(Mul(target, LogSoftmax(logits, -1)), -1)))
	loss := Add(crossEntropy, MulScalar(ReduceAllSum(s), t.q.Recipe.Sparsity))
	correct := ConvertDType(Equal(ArgMax(logits, -1, dtypes.Int32), targets), dtypes.Float32)
	swapped := ConvertDType(GreaterThan(s, Scalar(g, s.DType(), .5)), dtypes.Float32)
	return loss, map[string]*Node{"correct": ReduceAllMean(correct), "dims": ReduceAllSum(swapped)}
}

// rows are the pairs that a search learns from, on the device: base [N, T, D], source [N, P, D],
// tokens [N, P], targets [N], and where each pair is shuffled by itself the epoch's order [N, P].
type rows struct {
	fixed   []*tensors.Tensor
	n, P    int
	seed    uint64
	perPair bool
	order   *tensors.Tensor
}

func newRows(s *Streams, q Search) (_ *rows, err error) {
	base, err := s.Base(q.Block)
	if err != nil {
		return nil, err
	}
	cf, err := s.Sources(q.Block)
	if err != nil {
		return nil, err
	}
	d := &rows{n: s.Pairs.Len(), P: s.P, seed: q.Seed, perPair: q.Recipe.Shuffle == PerPair}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	add := func(dims []int, fill func(pair int, row []float32)) {
		if err == nil {
			var t *tensors.Tensor
			t, err = tensor(all(d.n), dims, fill)
			d.fixed = append(d.fixed, t)
		}
	}
	add(base.Shape[1:], func(pair int, row []float32) { copy(row, base.Row(pair)) })
	add(cf.Shape[2:], func(pair int, row []float32) { copy(row, s.source(cf, pair, q.Control)) })
	if err != nil {
		return nil, err
	}
	d.fixed = append(d.fixed,
		tensors.FromFlatDataAndDimensions(s.Edited(), d.n, d.P),
		tensors.FromFlatDataAndDimensions(q.targets(s), d.n))
	return d, nil
}

// targets are those of the pairs, or for shuffled labels the same dealt out anew.
func (q Search) targets(s *Streams) []int32 {
	targets := s.Pairs.Targets()
	if q.Control == ShuffledLabels {
		rng := rand.New(rand.NewPCG(q.Seed, 0x1abe1))
		rng.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	}
	return targets
}

func (d *rows) Len() int { return d.n }

func (d *rows) Epoch(epoch int) (optimize.Rows, error) {
	if !d.perPair {
		return optimize.Rows{Resident: d.fixed}, nil
	}
	order := make([]int32, 0, d.n*d.P)
	for pair := range d.n {
		for _, token := range permutation(d.seed, epoch*d.n+pair, d.P) {
			order = append(order, int32(token))
		}
	}
	if d.order != nil {
		d.order.FinalizeAll()
	}
	d.order = tensors.FromFlatDataAndDimensions(order, d.n, d.P)
	return optimize.Rows{Resident: append(d.fixed[:len(d.fixed):len(d.fixed)], d.order)}, nil
}

func (d *rows) close() {
	for _, x := range append(d.fixed, d.order) {
		if x != nil {
			x.FinalizeAll()
		}
	}
}

// all are the numbers 0 to n-1.
func all(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}
