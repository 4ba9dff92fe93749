package finetune

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// golden is testdata/training.safetensors: 20 steps of PyTorch, made by testdata/make_golden.py.
type golden struct{ *safetensors.File }

func openGolden(t *testing.T) golden {
	t.Helper()
	f, err := safetensors.Open("testdata/training.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return golden{f}
}

func (g golden) tensor(t *testing.T, name string) safetensors.Tensor {
	t.Helper()
	x, ok := g.Tensor(name)
	if !ok {
		t.Fatalf("training.safetensors has no %s", name)
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
	return &deviceData{
		pixels: tensors.FromFlatDataAndDimensions(append([]uint8{}, pixels.Data...), pixels.Shape...),
		labels: wrap("labels"), tokens: wrap("tokens"), shapes: wrap("shapes"), colors: wrap("colors"),
	}
}

// TestTrainingEqualsPyTorch repeats PyTorch's 20 steps: model, both losses, their
// gradients, AdamW and the schedule, from the same start on the same batches.
func TestTrainingEqualsPyTorch(t *testing.T) {
	for _, name := range []string{"", backend.Go} {
		be, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(be.Choice, func(t *testing.T) { testGolden(t, be) })
	}
}

func testGolden(t *testing.T, be *backend.Backend) {
	g := openGolden(t)
	m, err := vit.Load("testdata/model")
	if err != nil {
		t.Fatal(err)
	}
	end, err := vit.Load("testdata/end")
	if err != nil {
		t.Fatal(err)
	}
	steps, warmup := int(g.number(t, "steps")), int(g.number(t, "warmup"))
	r := Recipe{LR: g.number(t, "lr"), WeightDecay: g.number(t, "weight_decay"), Schedule: Cosine, Warmup: warmup,
		Disentangle: Disentangle{Weight: g.number(t, "weight"), After: int(g.number(t, "after"))}}
	s, err := newState(m, r)
	if err != nil {
		t.Fatal(err)
	}
	model := len(m.Config.Names())
	want := map[string][]float32{}
	for i, name := range s.names[model:] {
		x := s.weights[model+i]
		key := name[len("probe."):]
		s.weights[model+i] = tensors.FromFlatDataAndDimensions(g.floats(t, "start."+key), x.Shape().Dimensions...)
		want[name] = g.floats(t, "end."+key)
	}
	for i, name := range m.Config.Names() {
		want[name] = tensors.MustCopyFlatData[float32](end.Weights.Flatten(m.Config)[i])
	}

	p, err := newStepper(be, m.Config, r, g.data(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	order, losses, rates := g.ints(t, "order"), g.floats(t, "losses"), g.floats(t, "rates")
	batch := len(order) / steps
	worstLoss := 0.
	for i := range steps {
		lr := r.LR * r.Schedule.at(i, steps, warmup)
		if rel := math.Abs(lr/float64(rates[i]) - 1); rel > 1e-6 {
			t.Errorf("step %d: learning rate %g, PyTorch has %g", i, lr, rates[i])
		}
		if err := p.run(s, lr, order[i*batch:(i+1)*batch]); err != nil {
			t.Fatal(err)
		}
		sums := tensors.MustCopyFlatData[float32](s.sums)
		s.resetSums()
		for j, name := range []string{"loss", "task", "aux"} {
			rel := math.Abs(float64(sums[j]/losses[3*i+j]) - 1)
			worstLoss = max(worstLoss, rel)
			if rel > 1e-5 {
				t.Errorf("step %d: %s %g, PyTorch has %g", i, name, sums[j], losses[3*i+j])
			}
		}
	}
	worst, at, keyBias := 0., "", 0.
	for i, name := range s.names {
		got, scale, diff := tensors.MustCopyFlatData[float32](s.weights[i]), 0., 0.
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

func isKeyBias(name string) bool {
	return strings.HasSuffix(name, "attention.key.bias")
}
