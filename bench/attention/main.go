// Command attention compares head scores with PyTorch's, in turns within one run: the time for
// images of a model of the course and of a ViT-B/16 at 224 pixels, and the peak memory. PyTorch is
// asked for all attention maps (output_attentions=True), and reduces them; here they are reduced
// inside the graph. Both take the images in the same batches.
//
//	python3 -m venv torch && torch/bin/pip install -r bench/parity/requirements.txt
//	go run ./bench/attention -python torch/bin/python
//	go run ./bench/attention -python torch/bin/python -images 16 -rounds 1     # does it work?
//	go run ./bench/attention -python torch/bin/python -images 500 -rounds 1    # the paper's number
//
// Times are those of the scores alone, without start and compilation, and are linear in the number
// of images. Memory is the largest that the process ever had: the rows are in the order of their size.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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
	images := flag.Int("images", 120, "images to score of a ViT-B/16; the course's model scores 500")
	rounds := flag.Int("rounds", 3, "turns of each; the table has medians")
	batch := flag.Int("batch", 8, "batch of a ViT-B/16; the course's model takes 64")
	flag.Parse()
	if *images < 2 || *rounds < 1 || *batch < 1 {
		log.Fatalf("attention: -images %d, -rounds %d, -batch %d: expected at least 2, 1 and 1", *images, *rounds, *batch)
	}
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
	table := figure.Table{Columns: []string{"model", "images", "batch", be.Choice + ", s", "PyTorch, s", "times faster", "of the turns", "peak memory here, MB", "of PyTorch, MB"}}
	for _, model := range []struct {
		name     string
		config   vit.Config
		geometry stimuli.Geometry
		images   int
		batch    int
	}{
		{"course", vit.Course, stimuli.Course, 500, 64}, // first: the peak that follows is b16's
		{"b16", vit.B16, stimuli.B16, *images, *batch},
	} {
		c := model.config
		m, err := vit.New(c, 1)
		check(err)
		set, err := stimuli.Open(stimuli.Config{Geometry: model.geometry, Split: stimuli.Test, Seed: 1})
		check(err)
		chosen, err := attention.Select(set, model.images/2, 1)
		check(err)
		score := func(images []int) {
			for some := range slices.Chunk(images, model.batch) {
				_, err := attention.Measure(context.Background(), be, m, set, some, nil)
				check(err)
			}
		}
		score(chosen[:min(len(chosen), model.batch)]) // compiles
		score(chosen[:len(chosen)%model.batch])       // and for the last, smaller batch
		var ours, theirs, ratios []float64
		memory := 0.
		for range *rounds {
			begin := time.Now()
			score(chosen)
			seconds := time.Since(begin).Seconds()
			ours = append(ours, seconds)
			if torch != nil {
				answer, err := torch.Ask(c.Image, c.Patch, c.Width, c.Blocks, c.Heads, len(chosen), model.batch)
				check(err)
				theirs, ratios = append(theirs, answer[0]), append(ratios, answer[0]/seconds)
				memory = answer[1]
			}
		}
		row := []any{model.name, len(chosen), model.batch, fmt.Sprintf("%.2f", peer.Median(ours)), "–", "–", "–", fmt.Sprintf("%.0f", peakMB()), "–"}
		if torch != nil {
			row[4], row[5] = fmt.Sprintf("%.2f", peer.Median(theirs)), fmt.Sprintf("%.2f", peer.Median(ratios))
			row[6], row[8] = strings.Trim(fmt.Sprintf("%.2f", ratios), "[]"), fmt.Sprintf("%.0f", memory)
		}
		table.Add(row...)
	}
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
		log.Fatal("attention: ", err)
	}
}
