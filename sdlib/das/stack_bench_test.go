package das

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// stacked is the problem of S searches that differ in the seed of their starts alone, as one graph: each has a rotation
// and a mask of its own, and the blocks above run once on the S·B streams that they edit.
func (t training) stacked(m *vit.Model, data optimize.Data, S int) optimize.Problem {
	D := t.c.Width
	var starts []float32
	for s := range S {
		starts = append(starts, Orthogonal(D, uint64(s+1))...)
	}
	p := t.problem(m, data, starts[:D*D])
	p.Sets, p.Measures = S, nil
	p.Constants[0] = tensors.FromFlatDataAndDimensions(starts, S, D, D)
	p.Params = []optimize.Param{{Name: skewParam, Start: zeros(S, D, D)}, {Name: maskParam, Start: zeros(S, D), Group: maskGroup}}
	p.Loss = func(in optimize.Inputs) (*Node, map[string]*Node) {
		base, tokens, targets := in.Batch[0], in.Batch[2], in.Batch[3]
		source := shuffled(in.Batch[1], in.Batch[4])
		var edited, penalties []*Node
		for s := range S {
			one := func(x *Node) *Node { return Squeeze(Slice(x, AxisElem(s)), 0) }
			R := rotation(one(in.Constants[0]), one(in.Param(skewParam)), t.squarings(limit32), limit32)
			swap := Sigmoid(Div(one(in.Param(maskParam)), in.Scalars["temperature"]))
			edited = append(edited, interchange(base, source, tokens, R, swap))
			penalties = append(penalties, MulScalar(ReduceAllSum(swap), t.q.Recipe.Sparsity))
		}
		logits, _ := vit.ForwardFrom(t.c, vit.Unflatten(t.c, in.Constants[1:]), t.q.Block, Concatenate(edited, 0), vit.LogitsOnly())
		logits = Reshape(logits, S, -1, t.c.Classes)
		right := ExpandAxes(OneHot(targets, t.c.Classes, dtypes.Float32), 0)
		return Add(Neg(ReduceMean(ReduceSum(Mul(LogSoftmax(logits, -1), right), -1), -1)), Stack(penalties, 0)), nil
	}
	return p
}

// Does it pay to train searches as one graph? It says what a search of das.Course after block 0 takes of the
// processors, alone and as one of a stack of four, in turns: what its steps take, and what compiling takes. Seconds of
// processors, since these hardly depend on what else the machine does:
//
//	go test -run - -bench Stacked -benchtime 1x ./sdlib/das
func BenchmarkStacked(b *testing.B) {
	m, err := vit.Load("../../models/discrimination-256-course")
	if err != nil {
		b.Fatal(err)
	}
	be := fixture.Backend(b, "")
	q := Search{Block: 0, Recipe: Course}
	q.Recipe.Pairs, q.Recipe.Warmup = 256, 0
	pairs, err := q.TrainingPairs(stimuli.Config{Geometry: stimuli.Course, Seed: 1}, stimuli.ColorProperty)
	if err != nil {
		b.Fatal(err)
	}
	s := streamsOf(b, be, m, pairs)
	data, err := newRows(s, q)
	if err != nil {
		b.Fatal(err)
	}
	defer data.close()
	processors := func(S, steps int) float64 {
		t := training{c: m.Config, q: q, form: masked{}, P: s.P} // with as many squarings as all of its steps may need
		q := q
		q.Recipe.Steps = steps
		var before, after syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		if _, err := optimize.Minimize(b.Context(), be, t.stacked(m, data, S), q.settings(), optimize.Options{}); err != nil {
			b.Fatal(err)
		}
		syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		seconds := func(u syscall.Rusage) float64 { return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9 }
		return seconds(after) - seconds(before)
	}
	const steps = 20
	compile, step := map[int]float64{}, map[int]float64{}
	for b.Loop() {
		for _, S := range []int{1, 4} {
			short, long := processors(S, 1), processors(S, 1+steps)
			step[S] += (long - short) / steps / float64(S)
			compile[S] += short/float64(S) - (long-short)/steps/float64(S)
		}
	}
	for S := range step {
		b.ReportMetric(compile[S]/float64(b.N), fmt.Sprintf("s/compile-of-%d", S))
		b.ReportMetric(1e3*step[S]/float64(b.N), fmt.Sprintf("ms/step-of-%d", S))
	}
}
