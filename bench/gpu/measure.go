package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A config is one thing to measure: a model in a precision with a batch, or for the model
// "product" the product of two square matrices with so many rows.
type config struct {
	model     string // a variant of package vit that has a geometry of stimuli, or "product"
	precision precision
	batch     int
}

const product = "product"

func (c config) String() string { return fmt.Sprintf("%s/%s/%d", c.model, c.precision, c.batch) }

func parseConfig(text string) (c config, err error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return c, fmt.Errorf("no configuration %q: expected MODEL/PRECISION/BATCH, such as b16/bf16/256", text)
	}
	c = config{model: parts[0], precision: precision(parts[1])}
	if _, ok := bounds[c.precision]; !ok {
		return c, fmt.Errorf("no precision %q in %q: expected f32, tf32 or bf16", parts[1], text)
	}
	if c.batch, err = strconv.Atoi(parts[2]); err != nil || c.batch < 1 {
		return c, fmt.Errorf("no batch %q in %q: expected a positive number", parts[2], text)
	}
	return c, nil
}

// flops is the number of floating-point operations of the forward pass of an image, two for
// each multiplication with its addition, of the products alone. Training takes three times that.
func flops(c vit.Config) float64 {
	T, D, M, L := float64(c.Tokens()), float64(c.Width), float64(c.MLP), float64(c.Blocks)
	patches, pixels := float64(c.Grid()*c.Grid()), float64(3*c.Patch*c.Patch)
	return 2 * (patches*pixels*D + L*(T*(4*D*D+2*D*M)+2*T*T*D))
}

// seconds is about how long a measurement runs, once all is compiled.
const seconds = 3

// A measurement is printed line by line, a name and a number each, so that what was measured
// stays when the process is stopped. In torch_peer.py they have the same names.
const (
	trainingRate = "training" // images per second
	forwardRate  = "forward"
	compileTime  = "compile" // seconds, of the training step
	memoryUse    = "memory"  // MiB that the process took, of the GPU's or of the host's
	productRate  = "product" // TFLOP/s
)

func say(name string, value float64) { fmt.Printf("%s %.6g\n", name, value) }

// measure measures one configuration and prints numbers. It is a process of its own: an error
// costs nothing but itself, and the memory is that of this configuration.
func (o options) measure(ctx context.Context, text string) error {
	c, err := parseConfig(text)
	if err != nil {
		return err
	}
	before := o.memory()
	name, model := c.precision.on(o.backend)
	be, err := backend.Open(name)
	if err != nil {
		return err
	}
	if c.model == product {
		return o.measureProduct(be, c)
	}
	v, err := vit.Variant(c.model)
	if err != nil {
		return err
	}
	m, err := vit.New(v, 1)
	if err != nil {
		return err
	}
	set, err := o.images(c)
	if err != nil {
		return err
	}
	if err := o.measureTraining(ctx, be, m, set, model, c); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	say(memoryUse, o.memory()-before)
	return o.measureForward(ctx, be, m, set, model, c)
}

// stepsPerEpoch is how many steps lie between two looks at the device.
func (o options) stepsPerEpoch() int {
	if o.tiny {
		return 2
	}
	return 8
}

func (o options) images(c config) (*stimuli.Set, error) {
	g, err := stimuli.ParseGeometry(c.model)
	if err != nil {
		return nil, err
	}
	return stimuli.Open(stimuli.Config{Geometry: g, Seed: 1, Size: c.batch * o.stepsPerEpoch()})
}

// measureTraining trains as `sd train` does, and takes the time of all epochs but the first, which
// compiles. Their number is guessed from what such a GPU can do.
func (o options) measureTraining(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, p vit.Precision, c config) error {
	guess := map[precision]float64{f32: 3e13, tf32: 1.5e14, bf16: 2e14}[c.precision] // operations per second
	perEpoch := 3*flops(m.Config)*float64(set.Len())/guess + .004*float64(o.stepsPerEpoch())
	epochs := 1 + min(max(int(math.Ceil(seconds/perEpoch)), 2), 60)
	if o.tiny {
		epochs = 2
	}
	r := finetune.Recipe{Epochs: epochs, Batch: c.batch, LR: 1e-6, WeightDecay: .01, Schedule: finetune.Constant, Seed: 1, Precision: p}
	result, err := finetune.Train(ctx, be, m, set, nil, r, finetune.Options{})
	if err != nil {
		return err
	}
	took := 0.
	for _, t := range result.Times[1:] {
		took += t.Step
	}
	say(trainingRate, float64((epochs-1)*set.Len())/took)
	say(compileTime, result.Times[0].Compile)
	return nil
}

// measureForward runs the pass to the logits on images that are on the device.
func (o options) measureForward(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, precision vit.Precision, c config) error {
	indices := make([]int, c.batch)
	for i := range indices {
		indices[i] = i
	}
	images, err := m.Config.Images(set.Images(indices))
	if err != nil {
		return err
	}
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, _ := vit.Forward(m.Config, w, in[0], vit.LogitsOnly(), vit.Compute(precision))
		return []*Node{logits}
	})
	if err != nil {
		return err
	}
	defer p.Close()
	return o.repeat(ctx, forwardRate, float64(c.batch), func() error {
		out, err := p.Run(m, images)
		if err != nil {
			return err
		}
		defer out[0].FinalizeAll()
		return out[0].ToLocal() // the host has it
	})
}

// measureProduct multiplies matrices of random numbers, many times in one graph.
func (o options) measureProduct(be *backend.Backend, c config) error {
	n, times := c.batch, 16
	rng := rand.New(rand.NewPCG(1, 0))
	matrix := func(scale float64) *tensors.Tensor {
		values := make([]float32, n*n)
		for i := range values {
			values[i] = float32(scale * (2*rng.Float64() - 1))
		}
		return tensors.FromFlatDataAndDimensions(values, n, n)
	}
	x, w := matrix(1), matrix(math.Sqrt(3/float64(n))) // a product with w keeps the size of numbers
	exec, err := NewExec(be.Engine, func(x, w *Node) *Node {
		if c.precision == bf16 {
			x, w = ConvertDType(x, dtypes.BFloat16), ConvertDType(w, dtypes.BFloat16)
		}
		for range times {
			x = MatMul(x, w)
		}
		return ReduceAllMax(ConvertDType(x, dtypes.Float32))
	})
	if err != nil {
		return err
	}
	defer exec.Finalize()
	operations := 2 * math.Pow(float64(n), 3) * float64(times)
	return o.repeat(context.Background(), productRate, operations/1e12, func() error {
		out, err := exec.Call(x, w)
		if err != nil {
			return err
		}
		defer out[0].FinalizeAll()
		if largest := tensors.ToScalar[float32](out[0]); !(largest > 0 && largest < 1e3) {
			return fmt.Errorf("the product's largest entry is %g, expected about 5", largest)
		}
		return nil
	})
}

// repeat runs something twice, to compile, and then for some seconds; it prints the amount
// of work per second.
func (o options) repeat(ctx context.Context, name string, amount float64, run func() error) error {
	for range 2 {
		if err := run(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	begin, n := time.Now(), 0
	for n < 3 || time.Since(begin) < seconds*time.Second/2 {
		if err := errors.Join(ctx.Err(), run()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if n++; o.tiny && n == 2 {
			break
		}
	}
	say(name, amount*float64(n)/time.Since(begin).Seconds())
	return nil
}

// memory is the MiB in use: of the GPU's memory by everyone, or on the CPU the largest
// resident size of this process. 0 where nothing says.
func (o options) memory() float64 {
	if isGPU(o.backend) {
		out, err := exec.Command("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0").Output()
		if err != nil {
			return 0
		}
		used, _ := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		return used
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "VmHWM:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			return kb / 1024
		}
	}
	return 0
}
