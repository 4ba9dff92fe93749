package vit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// backends are those that every machine has; the CPU's XLA joins them where it is built in.
var backends = []string{backend.Go}

// onBackends runs a test on each backend.
func onBackends(t *testing.T, test func(t *testing.T, be *backend.Backend)) {
	t.Helper()
	for _, name := range backends {
		t.Run(name, func(t *testing.T) { test(t, open(t, name)) })
	}
}

func open(t testing.TB, name string) *backend.Backend {
	t.Helper()
	be, err := backend.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// randomImages returns n images of noise.
func randomImages(c Config, n int, seed uint64) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	pixels := make([]uint8, n*c.Image*c.Image*3)
	for i := range pixels {
		pixels[i] = uint8(rng.UintN(256))
	}
	images, err := c.Images(pixels)
	if err != nil {
		panic(err)
	}
	return images
}

// graphFunc is what Compile takes.
type graphFunc = func(w *Weights[*Node], inputs []*Node) []*Node

// tryRun compiles a program, runs it once and returns its outputs' numbers.
func tryRun(be *backend.Backend, m *Model, fn graphFunc, inputs ...any) ([][]float32, error) {
	p, err := Compile(be, m.Config, fn)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	out, err := p.Run(m, inputs...)
	if err != nil {
		return nil, err
	}
	var all [][]float32
	for _, x := range out {
		values, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return nil, err
		}
		all = append(all, values)
	}
	return all, nil
}

func run(t testing.TB, be *backend.Backend, m *Model, fn graphFunc, inputs ...any) [][]float32 {
	t.Helper()
	out, err := tryRun(be, m, fn, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// forward runs a model on images and returns the values asked for, by name; the logits always.
func forward(t testing.TB, be *backend.Backend, m *Model, images any, opts ...Option) map[string][]float32 {
	t.Helper()
	var names []string
	out := run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
		_, trace := Forward(m.Config, w, in[0], append(opts, Want("logits"))...)
		names = trace.Names()
		return trace.All()
	}, images)
	values := map[string][]float32{}
	for i, name := range names {
		values[name] = out[i]
	}
	return values
}

// distance returns the largest difference of two tensors over the largest absolute value of want, its scale.
func distance(got, want []float32) (float64, error) {
	if len(got) != len(want) {
		return 0, fmt.Errorf("%d numbers, expected %d", len(got), len(want))
	}
	diff, scale := 0., 0.
	for i := range want {
		diff = max(diff, math.Abs(float64(got[i])-float64(want[i]))) // NaN stays NaN
		scale = max(scale, math.Abs(float64(want[i])))
	}
	if scale == 0 {
		return 0, fmt.Errorf("all %d expected numbers are 0", len(want))
	}
	return diff / scale, nil
}

func floatsOf(t testing.TB, x *tensors.Tensor) []float32 {
	t.Helper()
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
