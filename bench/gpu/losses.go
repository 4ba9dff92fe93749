package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// trainings are the course's models with their auxiliary losses, at a constant learning rate.
var trainings = []struct {
	name string
	study.Training
}{
	{"course-quick", study.Quick},
	{"course", study.Course},
}

const trainingSteps = 20

// lossBounds are how far the loss of any of the steps may be from the CPU's in float32, as a
// part of it. On the CPU they are up to 4e-7 (the pure Go backend in float32), 3e-5 and
// 2.5e-4: testdata/losses.csv has each. A GPU rounds gradients to TF32 too.
var lossBounds = map[precision]float64{f32: 1e-5, tf32: 5e-4, bf16: 5e-3}

// losses trains for 20 steps, each on new images, and compares the losses with those of the
// CPU, which -write writes.
func (o options) losses(ctx context.Context, write bool) error {
	path := filepath.Join(o.root, "bench", "gpu", "testdata", "losses.csv")
	if write {
		return o.writeLosses(ctx, path)
	}
	want, err := readLosses(path)
	if err != nil {
		return err
	}
	if be, err := o.start(o.backend); be == nil {
		return err
	}
	runs, steps := trainings, trainingSteps
	precisions := []precision{f32, tf32, bf16}
	if o.tiny {
		runs, steps, precisions = runs[:1], 3, precisions[2:]
	}
	for _, t := range runs {
		for _, p := range precisions {
			config := t.name + " " + string(p)
			if ctx.Err() != nil {
				if err := o.results.add(row{what: "training loss", config: config, ok: skipped, note: "no time left"}); err != nil {
					return err
				}
				continue
			}
			name, model := p.on(o.backend)
			be, err := o.start(name)
			if err != nil {
				return err
			}
			if be == nil {
				continue
			}
			got, err := trainingLosses(ctx, be, t.Training, model, steps)
			if errors.Is(err, context.DeadlineExceeded) {
				continue // the next round says so
			}
			if err != nil {
				if err := o.results.add(row{what: "training loss", config: config, ok: no, note: oneLine(err)}); err != nil {
					return err
				}
				continue
			}
			fmt.Printf("%s: %.6g, on the CPU %.6g\n", config, got, want[t.name][:steps])
			worst, at := 0., 0
			for i, x := range got {
				if d := math.Abs(x/want[t.name][i] - 1); !(d <= worst) { // NaN too
					worst, at = d, i+1
				}
			}
			note := fmt.Sprintf("largest at step %d of %d", at, steps)
			if err := o.results.within("training loss", config, worst, "of the CPU's", lossBounds[p], note); err != nil {
				return err
			}
		}
	}
	return nil
}

// trainingLosses are the losses of a training's first steps.
func trainingLosses(ctx context.Context, be *backend.Backend, t study.Training, p vit.Precision, steps int) ([]float64, error) {
	r := t.Recipe
	r.Precision, r.Schedule, r.Warmup, r.LR = p, finetune.Constant, 0, 1e-3
	r.Epochs, r.Fresh = steps, true // an epoch is a step on a batch of its own
	s := t.Stimuli
	s.Size = r.Batch
	set, err := stimuli.Open(s)
	if err != nil {
		return nil, err
	}
	m, err := vit.New(t.Model, t.ModelSeed)
	if err != nil {
		return nil, err
	}
	result, err := finetune.Train(ctx, be, m, set, nil, r, finetune.Options{})
	if err != nil {
		return nil, err
	}
	var losses []float64
	for _, e := range result.History {
		losses = append(losses, e.Loss)
	}
	return losses, nil
}

// writeLosses makes the golden file, and adds what other backends and precisions have on this machine.
func (o options) writeLosses(ctx context.Context, path string) error {
	be, err := backend.Open(backend.CPU)
	if err != nil {
		return err
	}
	plain, err := backend.Open(backend.Go)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	fmt.Fprintf(file, "# The loss of each of %d training steps of the course's models on batches of their own, seed 1, and how far\n", trainingSteps)
	fmt.Fprintf(file, "# it is in other precisions on the CPU, and on the pure Go backend: relative, float32 on XLA's CPU being 0.\n")
	fmt.Fprintf(file, "# go run ./bench/gpu -write losses, with %v, %s\n", be, runtime.Version())
	w := csv.NewWriter(file)
	if err := w.Write([]string{"model", "step", "loss", "tf32", "bf16", "go"}); err != nil {
		return err
	}
	for _, t := range trainings {
		var all [][]float64
		for _, run := range []struct {
			be *backend.Backend
			p  vit.Precision
		}{{be, vit.F32}, {be, vit.TF32}, {be, vit.BF16}, {plain, vit.F32}} {
			losses, err := trainingLosses(ctx, run.be, t.Training, run.p, trainingSteps)
			if err != nil {
				return err
			}
			all = append(all, losses)
		}
		for i, loss := range all[0] {
			line := []string{t.name, strconv.Itoa(i + 1), strconv.FormatFloat(loss, 'g', 9, 64)}
			for _, other := range all[1:] {
				line = append(line, fmt.Sprintf("%.1e", other[i]/loss-1))
			}
			if err := w.Write(line); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return errors.Join(w.Error(), file.Close())
}

// readLosses reads the losses of each model.
func readLosses(path string) (map[string][]float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	from := csv.NewReader(file)
	from.Comment = '#'
	lines, err := from.ReadAll()
	if err != nil {
		return nil, err
	}
	losses := map[string][]float64{}
	for _, line := range lines[1:] {
		loss, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		losses[line[0]] = append(losses[line[0]], loss)
	}
	for _, t := range trainings {
		if n := len(losses[t.name]); n != trainingSteps {
			return nil, fmt.Errorf("%s has %d losses of %s, expected %d", path, n, t.name, trainingSteps)
		}
	}
	return losses, nil
}
