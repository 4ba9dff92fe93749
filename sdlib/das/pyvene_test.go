package das

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A whole search gives what pyvene's gives, from the same start on the same pairs in the same order:
// the losses of the first 20 steps, and accuracy on pairs of another split. pyvene computes the
// streams anew in every step, by hooks, here they were kept: testdata/make_pyvene.py.
func TestPyvene(t *testing.T) {
	f, err := safetensors.Open("testdata/pyvene.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, start := goldenFloats(t, f, "start")
	_, startMask := goldenFloats(t, f, "start_mask")
	shape, losses := goldenFloats(t, f, "losses")
	rows, order := goldenInts(t, f, "rows"), goldenInts(t, f, "order")
	answers, targets := goldenInts(t, f, "answers"), goldenInts(t, f, "targets")
	steps, D, P := shape.Shape[0], len(startMask), len(order)/len(rows)
	B := len(rows) / steps

	m, err := vit.Load("../../models/discrimination-256-course")
	if err != nil {
		t.Fatal(err)
	}
	be := fixture.Backend(t, "")
	streams := func(which string) *Streams {
		var c stimuli.CounterfactualConfig
		if err := json.Unmarshal([]byte(f.Metadata()[which]), &c); err != nil {
			t.Fatal(err)
		}
		pairs, err := stimuli.OpenCounterfactuals(c)
		if err != nil {
			t.Fatal(err)
		}
		return streamsOf(t, be, m, pairs)
	}
	train, test := streams("train"), streams("test")
	q := Search{Block: 1, Recipe: Course}
	q.Recipe.Pairs, q.Recipe.Batch, q.Recipe.Steps, q.Recipe.Epochs = B, B, 0, steps
	all, err := newRows(train, q)
	if err != nil {
		t.Fatal(err)
	}
	defer all.close()
	data := stepRows{n: B}
	for i := range steps {
		of := rows[i*B : (i+1)*B]
		var step []*tensors.Tensor
		for _, x := range all.fixed {
			step = append(step, chosen(t, x, of))
		}
		data.steps = append(data.steps, append(step, tensors.FromFlatDataAndDimensions(order[i*B*P:(i+1)*B*P], B, P)))
	}
	search := training{c: m.Config, q: q, form: masked{}, P: P}
	p := search.problem(m, data, start)
	p.Params[1].Start = tensors.FromFlatDataAndDimensions(startMask, D)
	got, err := optimize.Minimize(t.Context(), be, p, q.settings(), optimize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.
	for i, want := range losses[:20] {
		diff := math.Abs(got.History[i].Mean("loss") - float64(want))
		if worst = max(worst, diff); diff > 1e-4 {
			t.Errorf("step %d: loss %.6f, in pyvene %.6f", i+1, got.History[i].Mean("loss"), want)
		}
	}
	v := &Intervention{Model: train.Model, Config: m.Config, Search: q, Mask: tensors.MustCopyFlatData[float32](got.Param(maskParam))}
	if v.Rotation, err = finalRotation(be, start, got.Param(skewParam), search.squarings(limit64)); err != nil {
		t.Fatal(err)
	}
	a, err := v.Answers(t.Context(), be, m, test, nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, same := 0, 0
	for i, answer := range answers {
		if int(targets[i]) != a.Targets[i] {
			t.Fatalf("pair %d: the target is %d, in pyvene %d", i, a.Targets[i], targets[i])
		}
		if answer == targets[i] {
			theirs++
		}
		if int(answer) == a.Answers[i] {
			same++
		}
	}
	ours := a.Score()
	t.Logf("losses of 20 steps within %.1e; the last %.4f, in pyvene %.4f; right %d and %d of %d, %d answers equal, %d dimensions",
		worst, got.History[steps-1].Mean("loss"), losses[steps-1], ours.Correct, theirs, ours.N, same, v.Dims())
	if low, high := ours.Interval(); float64(theirs)/float64(ours.N) < low || float64(theirs)/float64(ours.N) > high {
		t.Errorf("%d of %d answers became the target, in pyvene %d: outside of the interval %.3f to %.3f", ours.Correct, ours.N, theirs, low, high)
	}
	if without := a.Without(); theirs < 2*without.Correct+ours.N/4 {
		t.Errorf("%d right in pyvene, %d without an intervention: the golden search found nothing", theirs, without.Correct)
	}
	if slices.Max(losses)-slices.Min(losses) < .1 {
		t.Error("the golden losses hardly change: they test nothing")
	}
}

// chosen copies rows of a tensor.
func chosen(t *testing.T, x *tensors.Tensor, rows []int32) *tensors.Tensor {
	t.Helper()
	dims := slices.Clone(x.Shape().Dimensions)
	n := x.Shape().Size() / dims[0]
	dims[0] = len(rows)
	if values, err := tensors.CopyFlatData[float32](x); err == nil {
		return tensors.FromFlatDataAndDimensions(picked(values, n, rows), dims...)
	}
	values, err := tensors.CopyFlatData[int32](x)
	if err != nil {
		t.Fatal(err)
	}
	return tensors.FromFlatDataAndDimensions(picked(values, n, rows), dims...)
}

func picked[E any](values []E, n int, rows []int32) (out []E) {
	for _, r := range rows {
		out = append(out, values[int(r)*n:(int(r)+1)*n]...)
	}
	return out
}
