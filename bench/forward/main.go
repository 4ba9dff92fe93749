// Command forward compares the speed of the forward pass with PyTorch's, in turns within
// one run, and measures what looking inside costs: the time and the memory when one
// attention map, or all of them, are kept.
//
//	python3 -m venv torch && torch/bin/pip install -r bench/training/requirements.txt
//	go run ./bench/forward -python torch/bin/python
//
// docs/benchmarks.md has a run's table.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/bench/internal/peer"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/vit"
)

// contest is a model, with the images and turns of a pass.
type contest struct {
	name   string
	config vit.Config
	batch  int
	passes int // per turn
}

var contests = []contest{
	{"b16", vit.B16, 8, 2},
	{"course", vit.Course, 64, 30},
	{"course-quick", vit.CourseQuick, 64, 100},
}

// kept is what a pass hands out besides the logits.
var kept = []struct{ name, nodes string }{
	{"logits", ""},
	{"one attention map", "block01/attn/weights"},
	{"all attention maps", "block*/attn/weights"},
}

func main() {
	log.SetFlags(0)
	python := flag.String("python", "", "a Python with torch; without it only XLA runs")
	rounds := flag.Int("rounds", 5, "turns of each; the table has medians")
	flag.Parse()
	be, err := backend.Open("")
	check(err)
	log.Printf("%v; %d CPUs, %s", be, runtime.NumCPU(), runtime.Version())
	var torch *peer.Process
	if *python != "" {
		_, here, _, _ := runtime.Caller(0)
		torch, err = peer.Start(*python, filepath.Join(filepath.Dir(here), "forward_pytorch.py"))
		check(err)
		log.Print(torch.Version)
	}
	table := figure.Table{Columns: []string{"model", "batch", "kept", be.Choice + ", images/s", "PyTorch, images/s", "ratio", "of the plain pass", "kept, MB", "peak memory, MB"}}
	for _, c := range contests {
		m, err := vit.New(c.config, 1)
		check(err)
		pixels := make([]uint8, c.batch*c.config.Image*c.config.Image*3)
		for i := range pixels {
			pixels[i] = uint8(i * 7)
		}
		images, err := c.config.Images(pixels)
		check(err)
		var plain float64
		for what, k := range kept {
			p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
				var opts []vit.Option
				if k.nodes != "" {
					opts = append(opts, vit.Want(k.nodes))
				}
				logits, trace := vit.Forward(c.config, w, in[0], opts...)
				return append([]*Node{logits}, trace.All()...)
			})
			check(err)
			var size float64
			run := func() {
				out, err := p.Run(m, images)
				check(err)
				size = 0
				for _, x := range out {
					check(x.ToLocal()) // the host has it
					size += float64(x.Shape().ByteSize()) / 1e6
					x.FinalizeAll()
				}
			}
			run() // compiles
			var ours, theirs, ratios []float64
			resetPeak()
			for range *rounds {
				begin := time.Now()
				for range c.passes {
					run()
				}
				rate := float64(c.batch*c.passes) / time.Since(begin).Seconds()
				ours = append(ours, rate)
				if torch != nil {
					answer, err := torch.Ask(c.name, what, c.batch, c.passes)
					check(err)
					theirs, ratios = append(theirs, answer[0]), append(ratios, rate/answer[0])
				}
			}
			peak := peakMB()
			p.Close()
			if what == 0 {
				plain = peer.Median(ours)
			}
			log.Printf("%s, %s: %.4g images/s, PyTorch %.4g", c.name, k.name, peer.Median(ours), peer.Median(theirs))
			table.Add(c.name, c.batch, k.name, digits(peer.Median(ours)), digits(peer.Median(theirs)), digits(peer.Median(ratios)),
				fmt.Sprintf("%.2f", peer.Median(ours)/plain), fmt.Sprintf("%.1f", size), fmt.Sprintf("%.0f", peak))
		}
	}
	text, err := table.Markdown()
	check(err)
	fmt.Print(text)
}

// resetPeak and peakMB measure the largest resident memory of this process, on Linux.
func resetPeak() { os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "VmHWM:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			return kb / 1e3
		}
	}
	return 0
}

func digits(x float64) string {
	switch {
	case x == 0:
		return "–"
	case x < 100:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func check(err error) {
	if err != nil {
		log.Fatal("forward: ", err)
	}
}
