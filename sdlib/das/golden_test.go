package das

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// stepRows gives the rows of each step as an epoch of one batch.
type stepRows struct {
	n     int
	steps [][]*tensors.Tensor
}

func (d stepRows) Len() int { return d.n }

func (d stepRows) Epoch(i int) (optimize.Rows, error) {
	return optimize.Rows{Resident: d.steps[i]}, nil
}

// The losses of 20 steps, and the rotation and mask after them, equal those of PyTorch with its own
// orthogonal parametrization, from the same start on the same batches: testdata/make_golden.py.
func TestGolden(t *testing.T) {
	f, err := safetensors.Open("testdata/search.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read := func(name string) (safetensors.Tensor, []float32) { return goldenFloats(t, f, name) }
	shape, _ := read("base")
	_, start := read("start")
	_, startMask := read("start_mask")
	_, losses := read("losses")
	_, correct := read("correct")
	_, wantR := read("rotation")
	_, wantMask := read("mask")
	steps, B, D := shape.Shape[0], shape.Shape[1], shape.Shape[3]

	q := Search{Block: 0, Recipe: Recipe{Pairs: B, Epochs: steps, Batch: B, LR: .05, MaskLR: .1, Warmup: .2, Schedule: optimize.Linear,
		Sparsity: .01, Temperature: Temperature{From: 1, To: .05}}}
	for _, name := range []string{backend.Go, ""} {
		be := fixture.Backend(t, name)
		m, err := vit.Load("../finetune/testdata/model")
		if err != nil {
			t.Fatal(err)
		}
		data, P := goldenSteps(t, f)
		search := training{c: m.Config, q: q, form: masked{}, P: P}
		p := search.problem(m, data, start)
		p.Params[1].Start = tensors.FromFlatDataAndDimensions(slices.Clone(startMask), D)
		got, err := optimize.Minimize(t.Context(), be, p, q.settings(), optimize.Options{})
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.
		for i, want := range losses {
			diff := math.Abs(got.History[i].Mean("loss") - float64(want))
			if worst = max(worst, diff); diff > 1e-4 || math.Abs(got.History[i].Mean("correct")-float64(correct[i])) > 1e-6 {
				t.Errorf("step %d: loss %.6f with %.3f right, in PyTorch %.6f with %.3f", i+1, got.History[i].Mean("loss"), got.History[i].Mean("correct"), want, correct[i])
			}
		}
		R, err := finalRotation(be, start, got.Param(skewParam), search.squarings(limit64))
		if err != nil {
			t.Fatal(err)
		}
		far := func(got, want []float32) (worst float64) {
			for i := range want {
				worst = max(worst, math.Abs(float64(got[i]-want[i])))
			}
			return worst
		}
		offR, offMask := far(R, wantR), far(tensors.MustCopyFlatData[float32](got.Param(maskParam)), wantMask)
		if t.Logf("%s: losses within %.1e, rotation %.1e, mask %.1e", be.Choice, worst, offR, offMask); offR > 1e-4 || offMask > 1e-4 {
			t.Errorf("%s: the rotation is off by %.1e, the mask by %.1e", be.Choice, offR, offMask)
		}
		if slices.Max(losses)-slices.Min(losses) < .1 {
			t.Error("the golden losses hardly change: they test nothing")
		}
	}
}

// goldenSteps are the batches of a golden file, one for each step, and the number of tokens of an edited object.
func goldenSteps(t *testing.T, f *safetensors.File) (data stepRows, P int) {
	t.Helper()
	shape, base := goldenFloats(t, f, "base")
	_, source := goldenFloats(t, f, "source")
	tokens, order, targets := goldenInts(t, f, "tokens"), goldenInts(t, f, "order"), goldenInts(t, f, "targets")
	steps, B, T, D := shape.Shape[0], shape.Shape[1], shape.Shape[2], shape.Shape[3]
	P = len(tokens) / (steps * B)
	data.n = B
	for i := range steps {
		data.steps = append(data.steps, []*tensors.Tensor{
			tensors.FromFlatDataAndDimensions(base[i*B*T*D:(i+1)*B*T*D], B, T, D),
			tensors.FromFlatDataAndDimensions(source[i*B*P*D:(i+1)*B*P*D], B, P, D),
			tensors.FromFlatDataAndDimensions(tokens[i*B*P:(i+1)*B*P], B, P),
			tensors.FromFlatDataAndDimensions(targets[i*B:(i+1)*B], B),
			tensors.FromFlatDataAndDimensions(order[i*B*P:(i+1)*B*P], B, P),
		})
	}
	return data, P
}

// goldenFloats returns a tensor of a golden file.
func goldenFloats(t *testing.T, f *safetensors.File, name string) (safetensors.Tensor, []float32) {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("the golden file has no %s", name)
	}
	values, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return x, values
}

// goldenInts returns a tensor of whole numbers of a golden file.
func goldenInts(t *testing.T, f *safetensors.File, name string) []int32 {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok || x.DType != "I32" {
		t.Fatalf("the golden file has no whole numbers %s", name)
	}
	out := make([]int32, x.Len())
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(x.Data[4*i:]))
	}
	return out
}
