// Command training compares the speed of training and of the forward pass with
// PyTorch's, in turns within one run, and with the pure Go backend's:
//
//	python3 -m venv torch && torch/bin/pip install -r bench/training/requirements.txt
//	go run ./bench/training -python torch/bin/python -go=false
//	go run ./bench/training -python torch/bin/python -go=false -only b32        # ViT-B, 50 tokens; b16: 197
//
// Every engine trains the same architecture with the same loss, optimizer and batch on
// the same number of threads. docs/benchmarks.md has a run's table.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gomlx/gomlx/core/graph"

	"samediff/bench/internal/peer"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// contest is one row of the table.
type contest struct {
	model  string // as train_pytorch.py calls it
	losses string // as study.ParseLosses reads it
	batch  int
	steps  int  // per turn
	plain  bool // the pure Go backend takes part
}

var contests = []contest{
	{"course-quick", "none", 64, 200, true},
	{"course-quick", "disentangle", 64, 200, false},
	{"course-quick", "disentangle+pipeline", 64, 200, false},
	{"course-quick", "disentangle+relation", 64, 200, false},
	{"course", "none", 64, 40, true},
	{"course", "disentangle", 64, 40, false},
	{"course", "disentangle+pipeline", 64, 40, false},
	{"course", "disentangle+relation", 64, 40, false},
	{"b32", "none", 8, 30, false},
	{"b32", "disentangle+pipeline", 8, 30, false},
	{"b16", "none", 4, 21, false}, // 197 tokens
}

// trainings are the models' geometries; recipes and sizes are the contest's.
var trainings = map[string]study.Training{
	"course-quick": study.Quick,
	"course":       study.Course,
	"b32":          {Model: vit.B32, ModelSeed: 1, Stimuli: stimuli.Config{Geometry: stimuli.B32, Seed: 1}, Recipe: finetune.Course},
	"b16":          {Model: vit.B16, ModelSeed: 1, Stimuli: stimuli.Config{Geometry: stimuli.B16, Seed: 1}, Recipe: finetune.Course},
}

func main() {
	log.SetFlags(0)
	python := flag.String("python", "", "a Python with torch; without it only the Go engines run")
	rounds := flag.Int("rounds", 3, "turns of every engine; the table has medians")
	slow := flag.Bool("go", true, "the pure Go backend too, in smaller batches, for some rows")
	cpu := flag.Bool("cpu", false, "processor time, of all threads together, in place of the time that passes: for a machine that does other things; with OMP_NUM_THREADS=1, since PyTorch's threads wait busily")
	only := flag.String("only", "", "only this model: course-quick, course, b32 or b16")
	flag.Parse()
	if *cpu {
		now = processorTime
	}

	xla, err := backend.Open("")
	check(err)
	log.Printf("%v; %d CPUs, %s", xla, runtime.NumCPU(), runtime.Version())
	var torch *peer.Process
	if *python != "" {
		torch = start(*python, *cpu)
		log.Print(torch.Version)
	}
	table := figure.Table{Columns: []string{"model", "auxiliary losses", "pass", xla.Choice + ", images/s", "PyTorch, images/s", "ratio", "of the turns", "pure Go, images/s", "XLA/Go"}}
	for _, c := range contests {
		if *only != "" && *only != c.model {
			continue
		}
		var ours, theirs, ratio [2][]float64 // training, forward
		for range *rounds {
			train, forward := measure(xla, c)
			for i, rate := range []float64{train, forward} {
				ours[i] = append(ours[i], rate)
			}
			if torch == nil {
				continue
			}
			rates, err := torch.Ask(c.model, c.losses, c.batch, c.steps)
			check(err)
			for i, rate := range rates {
				theirs[i] = append(theirs[i], rate)
				ratio[i] = append(ratio[i], ours[i][len(ours[i])-1]/rate)
			}
		}
		var plain [2]float64
		if *slow && c.plain {
			be, err := backend.Open(backend.Go)
			check(err)
			c.batch, c.steps = 16, 20
			plain[0], plain[1] = measure(be, c)
		}
		for i, pass := range []string{"training", "forward"} {
			if pass == "forward" && c.losses != "none" {
				continue // the same as without
			}
			row := []any{c.model, c.losses, pass, number(peer.Median(ours[i])), number(peer.Median(theirs[i])), times(peer.Median(ratio[i])), turns(ratio[i]), number(plain[i]), "–"}
			if plain[i] > 0 {
				row[8] = times(peer.Median(ours[i]) / plain[i])
			}
			table.Add(row...)
		}
	}
	text, err := table.Markdown()
	check(err)
	fmt.Print(text)
}

// measure returns a backend's images per second of training and of the forward pass,
// without the time that compiling takes.
func measure(be *backend.Backend, c contest) (train, forward float64) {
	t := trainings[c.model]
	t.Recipe.Epochs, t.Recipe.Batch, t.Recipe.Warmup, t.Recipe.Relation.After = 1, c.batch, 0, t.Recipe.Disentangle.After
	losses, err := study.ParseLosses(c.losses, stimuli.Discrimination)
	check(err)
	t = losses.Apply(t)
	t.Stimuli.Size = c.batch * c.steps
	set, err := stimuli.Open(t.Stimuli)
	check(err)
	m, err := vit.New(t.Model, t.ModelSeed)
	check(err)
	var clock stopwatch
	_, err = finetune.Train(context.Background(), be, m, set, nil, t.Recipe, finetune.Options{Progress: clock.see})
	check(err)
	train = clock.rate()
	if c.losses != "none" {
		return train, 0
	}
	return train, forwardRate(be, m, set, c)
}

// forwardRate returns images per second of the forward pass to the logits, in the contest's batches.
func forwardRate(be *backend.Backend, m *vit.Model, set *stimuli.Set, c contest) float64 {
	indices := make([]int, c.batch)
	for i := range indices {
		indices[i] = i
	}
	images, err := m.Config.Images(set.Images(indices))
	check(err)
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*graph.Node], in []*graph.Node) []*graph.Node {
		logits, _ := vit.Forward(m.Config, w, in[0], vit.LogitsOnly())
		return []*graph.Node{logits}
	})
	check(err)
	defer p.Close()
	pass := func() {
		out, err := p.Run(m, images)
		check(err)
		check(out[0].ToLocal()) // the host has it
		out[0].FinalizeAll()
	}
	pass() // compiles
	pass()
	begin := now()
	for range c.steps {
		pass()
	}
	return float64(c.batch*c.steps) / now().Sub(begin).Seconds()
}

// now is the clock.
var now = time.Now

// processorTime is that of all threads of the process together.
func processorTime() time.Time {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Unix(0, u.Utime.Nano()+u.Stime.Nano())
}

// stopwatch measures from the first word of progress, when all is compiled, to the last.
type stopwatch struct {
	first, last       int
	firstAt, lastTime time.Time
}

func (s *stopwatch) see(u progress.Update) {
	switch {
	case u.Done == 0 || u.Done == s.last:
	case s.first == 0:
		s.first, s.firstAt = u.Done, now()
	default:
		s.last, s.lastTime = u.Done, now()
	}
}

func (s *stopwatch) rate() float64 {
	if s.last == 0 {
		return 0
	}
	return float64(s.last-s.first) / s.lastTime.Sub(s.firstAt).Seconds()
}

// start runs train_pytorch.py.
func start(python string, cpu bool) *peer.Process {
	_, here, _, _ := runtime.Caller(0)
	args := []string{filepath.Join(filepath.Dir(here), "train_pytorch.py")}
	if cpu {
		args = append(args, "--cpu")
	}
	p, err := peer.Start(python, args...)
	check(err)
	return p
}

func number(x float64) string {
	if x == 0 {
		return "–"
	}
	if x < 20 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func times(x float64) string {
	if x == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", x)
}

// turns lists the ratios of all turns.
func turns(ratios []float64) string {
	if len(ratios) == 0 {
		return "–"
	}
	return strings.Trim(fmt.Sprintf("%.2f", ratios), "[]")
}

func check(err error) {
	if err != nil {
		log.Fatal("training: ", err)
	}
}
