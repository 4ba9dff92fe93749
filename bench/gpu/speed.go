package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"samediff/sdlib/vit"
)

// The engines that are compared.
const (
	ours     = "xla"
	eager    = "torch"
	compiled = "torch.compile"
)

// A job is a configuration on an engine.
type job struct {
	config
	engine string
	flags  string // for XLA, besides those that are set
}

// jobs are what is measured, the most telling first: time may end before the list does. The
// card's largest rate is measured first, to take shares of it.
func (o options) jobs() []job {
	var all []job
	add := func(engines []string, configs ...config) {
		for _, c := range configs {
			for _, e := range engines {
				all = append(all, job{config: c, engine: e})
			}
		}
	}
	both := []string{ours, eager}
	if o.tiny {
		add(both, config{product, bf16, 64})
		add([]string{ours, eager, compiled}, config{"course-quick", bf16, 4})
		return all
	}
	add(both, config{product, bf16, 8192})
	add(both, config{"b16", bf16, 256}, config{"b16", tf32, 256})
	add([]string{compiled}, config{"b16", bf16, 256})
	add(both, config{"b16", f32, 256}, config{"course", f32, 64}, config{"course-quick", f32, 64})
	add([]string{ours, eager, compiled}, config{"b16", bf16, 64})
	add(both, config{"b16", tf32, 64}, config{"b16", f32, 64})
	add([]string{compiled}, config{"b16", tf32, 256}, config{"b16", f32, 256}, config{"b16", tf32, 64}, config{"b16", f32, 64})
	add([]string{ours, eager, compiled}, config{"course", bf16, 64})
	add([]string{compiled}, config{"course", f32, 64}, config{"course-quick", f32, 64})
	add(both, config{product, tf32, 8192}, config{product, f32, 8192})
	return all
}

// expected is about how long a job of an engine takes, most of it compiling, before one was
// measured. Less than half of that left is not enough to begin one.
var expected = map[string]time.Duration{ours: 50 * time.Second, eager: 12 * time.Second, compiled: 50 * time.Second}

// XLA tries out many programs of Triton's for each product. Where that took longer than
// patience allows, the configurations that follow are compiled with cuBLAS alone, and say so.
const (
	patience    = 45. // seconds
	cublasAlone = "--xla_gpu_enable_triton_gemm=false"
)

// speed measures all configurations, as far as time goes.
func (o options) speed(ctx context.Context, only string) error {
	be, err := o.start(o.backend)
	if be == nil {
		return err
	}
	be.Engine.Finalize() // the card is for the processes that measure
	torch := &torchPeer{python: o.python, script: o.root + "/bench/gpu/torch_peer.py", gpu: isGPU(o.backend)}
	defer torch.stop()
	peak, hurry := 0., false
	for _, j := range o.jobs() {
		if only != "" && !strings.Contains(j.config.String()+"/"+j.engine, only) && j.model != product {
			continue
		}
		if hurry && j.engine == ours {
			j.flags = cublasAlone
		}
		found, state, note := o.run(ctx, torch, j)
		if x, ok := found[productRate]; ok && j.precision == bf16 {
			peak = max(peak, x)
		}
		if err := o.report(j, found, state, note, peak); err != nil {
			return err
		}
		hurry = hurry || isGPU(o.backend) && j.engine == ours && found[compileTime] > patience
	}
	return nil
}

// run measures a job. The state is "" if all went well; what was measured before an error is found all the same.
func (o options) run(ctx context.Context, torch *torchPeer, j job) (found map[string]float64, state, note string) {
	deadline, _ := ctx.Deadline()
	if left := time.Until(deadline); left < expected[j.engine]/2 && !o.tiny || left < 0 {
		return nil, skipped, fmt.Sprintf("%.0f s left", max(left.Seconds(), 0))
	}
	begin := time.Now()
	var err error
	if j.engine == ours {
		found, err = o.child(ctx, j)
	} else {
		found, err = torch.ask(ctx, j)
	}
	absent := (*absentError)(nil)
	switch {
	case err == nil:
		if j.model != product {
			expected[j.engine] = (expected[j.engine] + time.Since(begin)) / 2
		}
		return found, "", ""
	case ctx.Err() != nil:
		return found, skipped, fmt.Sprintf("stopped after %.0f s, no time was left", time.Since(begin).Seconds())
	case errors.As(err, &absent):
		return found, missing, oneLine(err)
	}
	return found, no, oneLine(err)
}

// An absentError says that something to compare with is not here or does not work; that is
// no failure of the library.
type absentError struct{ text string }

func (e *absentError) Error() string { return e.text }

// child measures a configuration in a process of its own.
func (o options) child(ctx context.Context, j job) (map[string]float64, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"-backend", o.backend, "-root", o.root, "-measure", j.config.String(), fmt.Sprintf("-tiny=%v", o.tiny)}
	cmd := exec.CommandContext(ctx, program, append(args, "speed")...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), "XLA_FLAGS="+strings.TrimSpace(os.Getenv("XLA_FLAGS")+" "+j.flags))
	var said, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &wrong
	err = cmd.Run()
	os.Stderr.Write(wrong.Bytes())
	found := map[string]float64{}
	for lines := bufio.NewScanner(&said); lines.Scan(); {
		if name, number, ok := strings.Cut(lines.Text(), " "); ok {
			if x, err := strconv.ParseFloat(number, 64); err == nil {
				found[name] = x
			}
		}
	}
	if err != nil {
		return found, fmt.Errorf("%w: %s", err, lastLine(wrong.String()))
	}
	return found, nil
}

// lastLine is what a program said last, the reason of its end in most.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// report adds the rows of a job.
func (o options) report(j job, found map[string]float64, state, note string, peak float64) error {
	name := j.config.String() + "/" + j.engine
	var rows []row
	number := func(what string, unit, note string) {
		if x, ok := found[what]; ok {
			rows = append(rows, row{what: what, config: name, value: digits(x), unit: unit, note: note})
		}
	}
	number(productRate, "TFLOP/s", "")
	for _, pass := range []string{trainingRate, forwardRate} {
		note := ""
		if x, ok := found[pass]; ok && peak > 0 {
			v, err := vit.Variant(j.model)
			if err != nil {
				return err
			}
			operations := flops(v) * x
			if pass == trainingRate {
				operations *= 3
			}
			note = fmt.Sprintf("%.3g %% of the card's bf16 rate", 100*operations/1e12/peak)
		}
		number(pass, "images/s", note)
	}
	number(compileTime, "s", j.flags)
	where := "of the GPU's memory"
	if !isGPU(o.backend) {
		where = "largest resident size"
	}
	number(memoryUse, "MiB", where)
	if state != "" {
		rows = append(rows, row{what: "speed", config: name, ok: state, note: note})
	}
	for _, r := range rows {
		if err := o.results.add(r); err != nil {
			return err
		}
	}
	return nil
}
