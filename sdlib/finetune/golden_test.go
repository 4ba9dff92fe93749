package finetune

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// golden is a file of PyTorch's training steps, made by a script in testdata. Names of
// tensors start with prefix, but for the data that all cases of a file share.
type golden struct {
	*safetensors.File
	prefix string
}

func openGolden(t *testing.T, file, prefix string) golden {
	t.Helper()
	f, err := safetensors.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return golden{f, prefix}
}

func (g golden) tensor(t *testing.T, name string) safetensors.Tensor {
	t.Helper()
	x, ok := g.Tensor(g.prefix + name)
	if !ok {
		x, ok = g.Tensor(name)
	}
	if !ok {
		t.Fatalf("the golden file has no %s", name)
	}
	return x
}

func (g golden) floats(t *testing.T, name string) []float32 {
	t.Helper()
	x, err := g.tensor(t, name).Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (g golden) ints(t *testing.T, name string) []int32 {
	t.Helper()
	x := g.tensor(t, name)
	if x.DType != "I32" {
		t.Fatalf("%s is %s, expected I32", name, x.DType)
	}
	out := make([]int32, x.Len())
	for i := range out {
		out[i] = int32(uint32(x.Data[4*i]) | uint32(x.Data[4*i+1])<<8 | uint32(x.Data[4*i+2])<<16 | uint32(x.Data[4*i+3])<<24)
	}
	return out
}

func (g golden) number(t *testing.T, name string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(g.Metadata()[name], 64)
	if err != nil {
		t.Fatalf("metadata %s: %v", name, err)
	}
	return x
}

func (g golden) data(t *testing.T) *deviceData {
	t.Helper()
	pixels := g.tensor(t, "pixels")
	wrap := func(name string) *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(g.ints(t, name), g.tensor(t, name).Shape...)
	}
	d := &deviceData{
		pixels: tensors.FromFlatDataAndDimensions(append([]uint8{}, pixels.Data...), pixels.Shape...),
		labels: wrap("labels"), tokens: wrap("tokens"), shapes: wrap("shapes"), colors: wrap("colors"),
	}
	if _, ok := g.Tensor("pairs"); ok {
		d.pairs, d.relations = wrap("pairs"), wrap("relations")
	} else { // no loss reads them
		d.pairs, d.relations = wrap("tokens"), wrap("labels")
	}
	return d
}

// TestTrainingEqualsPyTorch repeats PyTorch's 20 steps: model, both losses, their
// gradients, AdamW and the schedule, from the same start on the same batches.
func TestTrainingEqualsPyTorch(t *testing.T) {
	for _, name := range []string{"", backend.Go} {
		be := fixture.Backend(t, name)
		t.Run(be.Choice, func(t *testing.T) {
			g := openGolden(t, "testdata/training.safetensors", "")
			end, err := vit.Load("testdata/end")
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][]float32{}
			for i, name := range end.Config.Names() {
				want[name] = tensors.MustCopyFlatData[float32](end.Weights.Flatten(end.Config)[i])
			}
			start := map[string][]float32{}
			for _, p := range []string{"shape", "color"} {
				for _, part := range []string{"weight", "bias"} {
					start["probe."+p+"."+part] = g.floats(t, "start."+p+"."+part)
					want["probe."+p+"."+part] = g.floats(t, "end."+p+"."+part)
				}
			}
			r := Recipe{LR: g.number(t, "lr"), WeightDecay: g.number(t, "weight_decay"), Schedule: Cosine, Warmup: int(g.number(t, "warmup")),
				Disentangle: Disentangle{Weight: g.number(t, "weight"), After: int(g.number(t, "after"))}}
			repeat(t, be, g, r, start, want)
		})
	}
}

// TestAuxiliaryLossesEqualPyTorch does so with each of the other auxiliary losses, with
// clipped gradients, and with gradients of parts of a batch.
func TestAuxiliaryLossesEqualPyTorch(t *testing.T) {
	be := fixture.Go(t)
	for name, r := range map[string]Recipe{
		"pipeline": {Pipeline: Pipeline{Weight: .5, WithinObject: []int{0, 1}, WithinPair: []int{1}, BetweenPairs: []int{2}, Heads: 2}},
		"pipeline-log": {Pipeline: Pipeline{Weight: .5, WithinObject: []int{0}, WithinPair: []int{1, 2}, Heads: 2,
			Seed: 1, SharedHeads: true, Log: true}},
		"relation":   {Relation: Relation{Weight: .7, After: 1}},
		"identity":   {Disentangle: Disentangle{Weight: .3, After: 0, Identity: true}},
		"clip":       {Relation: Relation{Weight: .7, After: 1}, Clip: 2, LR: 5e-4},
		"accumulate": {Relation: Relation{Weight: .7, After: 1}, Clip: 2, Accumulate: 3, LR: 5e-4},
	} {
		t.Run(name, func(t *testing.T) {
			g := openGolden(t, "testdata/losses.safetensors", name+"/")
			start, want := map[string][]float32{}, map[string][]float32{}
			for _, probe := range r.probes(small) {
				for _, part := range []string{"weight", "bias"} {
					start["probe."+probe.name+"."+part] = g.floats(t, "start."+part)
					want["probe."+probe.name+"."+part] = g.floats(t, "end."+part)
				}
			}
			for _, x := range g.Names() {
				if weight, ok := strings.CutPrefix(x, name+"/end/"); ok {
					want[weight] = g.floats(t, "end/"+weight)
				}
			}
			r.LR, r.WeightDecay, r.Schedule = cmp.Or(r.LR, g.number(t, "lr")), g.number(t, "weight_decay"), Constant
			repeat(t, be, g, r, start, want)
		})
	}
}

// repeat takes the steps of a golden file, with probes that start as given, and
// compares losses, scores and the weights at the end.
func repeat(t *testing.T, be *backend.Backend, g golden, r Recipe, start, want map[string][]float32) {
	m, err := vit.Load("testdata/model")
	if err != nil {
		t.Fatal(err)
	}
	steps := int(g.number(t, "steps"))
	order, losses := g.ints(t, "order"), g.floats(t, "losses")
	batch := len(order) / steps
	r.Batch, r.Epochs = batch, steps // epochs of one step
	p := r.problem(m, &optimize.Drawn{N: batch, Fresh: steps, Draw: func(step int) (rows []*tensors.Tensor, err error) {
		for _, x := range g.data(t).all() {
			rows = append(rows, pick(x, order[step*batch:(step+1)*batch]))
		}
		return rows, nil
	}})
	for i, x := range p.Params {
		if values, ok := start[x.Name]; ok {
			p.Params[i].Start = tensors.FromFlatDataAndDimensions(values, x.Start.Shape().Dimensions...)
		}
	}
	res, err := optimize.Minimize(t.Context(), be, p, r.settings(), optimize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rates, seen []float32
	if r.Schedule == Cosine {
		rates = g.floats(t, "rates")
	} else {
		seen = g.floats(t, "seen")
	}
	worstLoss := 0.
	for i, e := range res.History {
		if lr := epochOf(e).LR; rates != nil && math.Abs(lr/float64(rates[i])-1) > 1e-6 {
			t.Errorf("step %d: learning rate %g, PyTorch has %g", i, lr, rates[i])
		}
		for j, name := range []string{"loss", "task", "aux"} {
			rel := math.Abs(e.Mean(name)/float64(losses[3*i+j]) - 1)
			worstLoss = max(worstLoss, rel)
			if rel > 1e-5 {
				t.Errorf("step %d: %s %g, PyTorch has %g", i, name, e.Mean(name), losses[3*i+j])
			}
		}
		measured := []string{"wo", "wp", "bp"}
		if !r.Pipeline.on() {
			measured = r.measures()[3:]
		}
		for j, name := range measured[:len(seen)/steps] {
			if want := float64(seen[i*len(seen)/steps+j]); math.Abs(e.Mean(name)-want) > 1e-5 {
				t.Errorf("step %d: %s %g, PyTorch has %g", i, name, e.Mean(name), want)
			}
		}
	}
	worst, at, keyBias := 0., "", 0.
	for i, x := range p.Params {
		name := x.Name
		got, scale, diff := tensors.MustCopyFlatData[float32](res.Params[i]), 0., 0.
		if len(want[name]) != len(got) {
			t.Fatalf("%s has %d numbers, PyTorch's %d", name, len(got), len(want[name]))
		}
		for j, w := range want[name] {
			scale = max(scale, math.Abs(float64(w)))
			diff = max(diff, math.Abs(float64(got[j]-w)))
		}
		if isKeyBias(name) {
			keyBias = max(keyBias, diff)
			continue
		}
		if diff/scale > worst {
			worst, at = diff/scale, name
		}
		if limit := 1e-5; diff/scale > limit {
			t.Errorf("%s differs from PyTorch's by %.2g of its scale %.2g after %d steps, expected at most %g", name, diff/scale, scale, steps, limit)
		}
	}
	// A key's bias moves all scores of a query alike, which softmax ignores: its gradient is
	// rounding and nothing else, and AdamW moves it by about the learning rate all the same.
	if limit := 2 * r.LR * float64(steps); keyBias > limit {
		t.Errorf("key biases differ from PyTorch's by %.2g, expected at most %.2g, two random walks", keyBias, limit)
	}
	t.Logf("losses agree to %.1e; weights after %d steps to %.1e of their scale (%s); key biases, whose gradient is 0, to %.1e",
		worstLoss, steps, worst, at, keyBias)
}

// pick returns rows of a tensor of bytes or of int32.
func pick(x *tensors.Tensor, rows []int32) *tensors.Tensor {
	dims := x.Shape().Clone().Dimensions
	size := x.Size() / dims[0]
	dims[0] = len(rows)
	if x.DType() == dtypes.Uint8 {
		return tensors.FromFlatDataAndDimensions(pickRows(tensors.MustCopyFlatData[uint8](x), size, rows), dims...)
	}
	return tensors.FromFlatDataAndDimensions(pickRows(tensors.MustCopyFlatData[int32](x), size, rows), dims...)
}

func pickRows[T any](flat []T, size int, rows []int32) (picked []T) {
	for _, i := range rows {
		picked = append(picked, flat[int(i)*size:int(i+1)*size]...)
	}
	return picked
}

func isKeyBias(name string) bool {
	return strings.HasSuffix(name, "attention.key.bias")
}
