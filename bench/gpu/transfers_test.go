//go:build cgo && !noxla && linux && (amd64 || arm64)

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// traffic is what a backend was asked to do.
type traffic struct {
	executions, toDevice, fromDevice int // runs; bytes
}

func (t traffic) minus(o traffic) traffic {
	return traffic{t.executions - o.executions, t.toDevice - o.toDevice, t.fromDevice - o.fromDevice}
}

// cudaOnCPU opens a plugin that calls itself CUDA's, computes on the CPU, and shares no memory
// with the host: graphs and transfers are those of a GPU. It returns what counts them.
func cudaOnCPU(t *testing.T) (*backend.Backend, func() traffic) {
	cpu, err := backend.Open(backend.CPU)
	if err != nil {
		t.Fatal(err)
	}
	headers, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Fatal(err)
	}
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	plugin, log := filepath.Join(dir, "pjrt_c_api_cuda_plugin.so"), filepath.Join(dir, "log")
	command := append(strings.Fields(string(cc)), "-shared", "-fPIC", "-I"+filepath.Join(strings.TrimSpace(string(headers)), "pjrt"),
		"-o", plugin, "../../sdlib/backend/testdata/cuda_on_cpu.c")
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PROXY_PLUGIN", cpu.Plugin)
	t.Setenv("PROXY_LOG", log)
	be, err := backend.Open("xla:" + plugin)
	if err != nil {
		t.Fatal(err)
	}
	return be, func() (sum traffic) {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			what, count, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, _ := strconv.Atoi(count)
			switch what {
			case "execute":
				sum.executions++
			case "h2d":
				sum.toDevice += n
			case "d2h":
				sum.fromDevice += n
			}
		}
		return sum
	}
}

// A training step sends the device its learning rate, its number and the images' indices, and
// gets back the losses' sums every tenth step: weights, moments, gradients and images stay there.
func TestStepStaysOnDevice(t *testing.T) {
	be, count := cudaOnCPU(t)
	const batch, few, many = 4, 10, 50
	train := func(steps int) traffic {
		t.Helper()
		set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Seed: 1, Size: batch * few})
		if err != nil {
			t.Fatal(err)
		}
		m, err := vit.New(vit.CourseQuick, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := finetune.Recipe{Epochs: steps / few, Batch: batch, LR: 1e-4, WeightDecay: .01, Schedule: finetune.Constant, Seed: 1,
			Disentangle: finetune.Disentangle{Weight: 1, After: 2}}
		before := count()
		if _, err := finetune.Train(context.Background(), be, m, set, nil, r, finetune.Options{}); err != nil {
			t.Fatal(err)
		}
		return count().minus(before)
	}
	short := train(few)
	each := train(many).minus(short) // the weights' and images' way to the device and back is in both
	const steps = many - few
	sums := 4 * 16 * steps / few // at most 16 running sums, once on their way back and once zeroed
	if each.executions != steps {
		t.Errorf("%d runs in %d steps, expected one each", each.executions, steps)
	}
	if want := steps*(4*batch+8) + sums; each.toDevice > want || each.toDevice < steps*4*batch {
		t.Errorf("%d bytes go to the device in %d steps, expected at most %d: the indices, two numbers, and sums that are zeroed", each.toDevice, steps, want)
	}
	if each.fromDevice > 2*sums || each.fromDevice == 0 {
		t.Errorf("%d bytes come back in %d steps, expected at most %d: the sums every tenth step", each.fromDevice, steps, 2*sums)
	}
	if short.toDevice < 3*4*500_000 || short.fromDevice < 4*500_000 {
		t.Errorf("the first %d steps move %+v: half a million weights were not counted", few, short)
	}
	t.Logf("a step sends %d bytes, and gets back %.1f", each.toDevice/steps, float64(each.fromDevice)/steps)
}
