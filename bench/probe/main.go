// Command probe compares the speed of linear interventions with PyTorch's, in turns within one run:
//
//	python3 -m venv torch && torch/bin/pip install -r bench/training/requirements.txt
//	go run ./bench/probe -python torch/bin/python                # 8,000 images
//	go run ./bench/probe -python torch/bin/python -images 256 -peer 32 -rounds 1
//
// Two directions are added to either pair of every image, after every block of a model of the course,
// and the model answers. PyTorch does it one at a time, as the paper's code does, and in batches. It is
// timed on fewer images, since its time is linear in their number.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"time"

	"samediff/bench/internal/peer"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// pairTokens are the tokens of a pair: two objects of four.
const pairTokens = 8

func main() {
	log.SetFlags(0)
	python := flag.String("python", "", "a Python with torch; without it only XLA runs")
	images := flag.Int("images", 8000, "images of RMTS")
	some := flag.Int("peer", 512, "images of PyTorch's turns in batches; a sixteenth of them one at a time")
	batch := flag.Int("batch", 128, "PyTorch's batch")
	rounds := flag.Int("rounds", 3, "turns of each; the table has medians")
	flag.Parse()
	if *images < 1 || *some < 16 || *batch < 1 || *rounds < 1 {
		log.Fatalf("probe: -images %d, -peer %d, -batch %d, -rounds %d: expected at least 1, 16, 1 and 1", *images, *some, *batch, *rounds)
	}
	be, err := backend.Open("")
	check(err)
	log.Printf("%v; %d CPUs, %s", be, runtime.NumCPU(), runtime.Version())
	var torch *peer.Process
	if *python != "" {
		_, here, _, _ := runtime.Caller(0)
		torch, err = peer.Start(*python, filepath.Join(filepath.Dir(here), "loop.py"))
		check(err)
		log.Print(torch.Version)
	}
	m, err := vit.New(vit.Course, 1)
	check(err)
	set, err := stimuli.Open(stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.Course, Size: *images, Seed: 1})
	check(err)
	var all []probe.Intervention
	for block := range m.Config.Blocks {
		all = append(all, probe.Intervention{Block: block, Add: directions(pairTokens * m.Config.Width),
			Directions: []probe.Direction{probe.Opposite, probe.Present}, Alphas: []float64{1}})
	}
	intervene := func(images []int) (answers int) {
		effects, err := probe.Intervene(context.Background(), be, m, set, images, all, nil)
		check(err)
		for _, e := range effects[1:] {
			answers += e.Flipped(nil).N
		}
		return answers
	}
	intervene(nil) // compiles, for batches of this size
	answers := 0
	var ours, single, batched, timesSingle, timesBatched []float64 // seconds for all images, and ratios
	for range *rounds {
		begin := time.Now()
		answers = intervene(nil)
		seconds := time.Since(begin).Seconds()
		ours = append(ours, seconds)
		if torch == nil {
			continue
		}
		rates, err := torch.Ask(*some, *batch) // answers per second
		check(err)
		one, many := float64(answers)/rates[0], float64(answers)/rates[1]
		single, timesSingle = append(single, one), append(timesSingle, one/seconds)
		batched, timesBatched = append(batched, many), append(timesBatched, many/seconds)
	}
	table := figure.Table{Columns: []string{"images", "answers", be.Choice + ", s", "PyTorch one at a time, s", "ratio", fmt.Sprintf("PyTorch in batches of %d, s", *batch), "ratio"}}
	row := []any{*images, answers, fmt.Sprintf("%.1f", peer.Median(ours))}
	for _, of := range [][]float64{single, timesSingle, batched, timesBatched} {
		if of == nil {
			row = append(row, "–")
		} else {
			row = append(row, fmt.Sprintf("%.1f", peer.Median(of)))
		}
	}
	table.Add(row...)
	text, err := table.Markdown()
	check(err)
	fmt.Print(text)
	fmt.Printf("\nRatios of the turns: %.1f one at a time, %.1f in batches.\n", timesSingle, timesBatched)
}

// directions are any, of a number of features.
func directions(features int) probe.Directions {
	rng := rand.New(rand.NewPCG(5, 6))
	d := probe.Directions{Place: "bench", Vectors: map[probe.Direction][2][]float32{}}
	for _, name := range probe.AllDirections {
		var both [2][]float32
		for relation := range both {
			for range features {
				both[relation] = append(both[relation], float32(rng.NormFloat64()))
			}
		}
		d.Vectors[name] = both
	}
	return d
}

func check(err error) {
	if err != nil {
		log.Fatal("probe: ", err)
	}
}
