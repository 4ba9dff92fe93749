// Command attention compares head scores with PyTorch's, in turns within one run: the time for
// some images of a ViT-B/16 at 224 pixels, and the peak memory. PyTorch is asked for all attention
// maps (output_attentions=True), and reduces them; here they are reduced inside the graph.
//
//	python3 -m venv torch && torch/bin/pip install -r bench/parity/requirements.txt
//	go run ./bench/attention -python torch/bin/python            # 500 images, the paper's number
//	go run ./bench/attention -python torch/bin/python -images 16 -rounds 1
//
// Both sides' time is that of the scores alone, without start and compilation; the memory is that of
// the whole process.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"samediff/bench/internal/peer"
	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

func main() {
	log.SetFlags(0)
	python := flag.String("python", "", "a Python with torch and transformers; without it only XLA runs")
	images := flag.Int("images", 500, "images to score; the paper takes 500")
	rounds := flag.Int("rounds", 3, "turns of each; the table has medians")
	batch := flag.Int("batch", 8, "PyTorch's batch")
	flag.Parse()
	ctx := context.Background()
	be, err := backend.Open("")
	check(err)
	log.Printf("%v; %d CPUs, %s", be, runtime.NumCPU(), runtime.Version())
	var torch *peer.Process
	if *python != "" {
		_, here, _, _ := runtime.Caller(0)
		torch, err = peer.Start(*python, filepath.Join(filepath.Dir(here), "attention_pytorch.py"))
		check(err)
		log.Print(torch.Version)
	}
	m, err := vit.New(vit.B16, 1)
	check(err)
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.B16, Split: stimuli.Test, Seed: 1})
	check(err)
	chosen, err := attention.Select(set, max(*images/2, 1), 1)
	check(err)
	_, err = attention.Analyze(ctx, be, m, set, chosen, nil) // compiles, for batches of this size
	check(err)
	var ours, theirs, ratios []float64
	theirMemory := 0.
	for range *rounds {
		begin := time.Now()
		_, err = attention.Analyze(ctx, be, m, set, chosen, nil)
		check(err)
		seconds := time.Since(begin).Seconds()
		ours = append(ours, seconds)
		if torch != nil {
			answer, err := torch.Ask(m.Config.Image, m.Config.Patch, len(chosen), *batch)
			check(err)
			theirs, ratios = append(theirs, answer[0]), append(ratios, answer[0]/seconds)
			theirMemory = max(theirMemory, answer[1])
		}
	}
	table := figure.Table{Columns: []string{"images", be.Choice + ", s", "PyTorch, s", "times faster", "peak memory here, MB", "of PyTorch, MB"}}
	number := func(format string, x float64) string {
		if x == 0 {
			return ""
		}
		return fmt.Sprintf(format, x)
	}
	table.Add(len(chosen), number("%.2f", peer.Median(ours)), number("%.2f", peer.Median(theirs)), number("%.2f", peer.Median(ratios)),
		number("%.0f", peakMB()), number("%.0f", theirMemory))
	text, err := table.Markdown()
	check(err)
	fmt.Print(text)
}

// peakMB is the most memory that the process had, in MB; 0 where Linux does not say so.
func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	var kB float64
	for _, line := range strings.Split(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Sscan(value, &kB)
		}
	}
	return kB / 1024
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
