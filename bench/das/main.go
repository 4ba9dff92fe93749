// Command das compares the speed of distributed alignment search with pyvene's, in turns within
// one run:
//
//	python3 -m venv pyvene && pyvene/bin/pip install -r bench/das/requirements.txt
//	go run ./bench/das -python pyvene/bin/python
//
// Both search the same model with the same recipe, the one that suits the model's size, on the same
// pairs and the same number of threads. Steps are timed after two blocks. A step's time is linear in
// the number of blocks above, so the time of a sweep of all blocks and both properties follows from
// two. For another model than the course's:
//
//	bin/sd model convert discrimination-256-clip-b16-112 -o clip
//	go run ./bench/das -python pyvene/bin/python -model clip -steps 10
package main

import (
	"cmp"
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
	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// measured are the blocks after which steps are timed.
var measured = [2]int{0, 3}

const properties = 2 // that a sweep searches for; each has pairs, and streams, of its own

// times are seconds, with a value for each round.
type times struct {
	step, fixed, theirs [2][]float64 // at the measured blocks; fixed: what a search takes beside its steps
	caching             []float64
}

func main() {
	log.SetFlags(0)
	folder := flag.String("model", "models/discrimination-256-course", "folder of a ViT or a CLIP, for images that stimuli have")
	python := flag.String("python", "", "a Python with pyvene; without it only the Go side runs")
	rounds := flag.Int("rounds", 3, "turns of both; the table has medians")
	steps := flag.Int("steps", 60, "steps per turn, 3 or more")
	count := flag.Int("pairs", 0, "counterfactual pairs; caching is counted for the recipe's (default the recipe's)")
	flag.Parse()

	be, err := backend.Open("")
	check(err)
	log.Printf("%v; %d CPUs, %s", be, runtime.NumCPU(), runtime.Version())
	m, err := vit.Load(*folder)
	check(err)
	work, err := os.MkdirTemp("", "bench-das-")
	check(err)
	defer os.RemoveAll(work)
	whole := das.Suited(m.Config)
	recipe := whole
	recipe.Pairs, recipe.Steps = cmp.Or(*count, whole.Pairs), *steps
	if *steps < 3 || *rounds < 1 || recipe.Pairs < recipe.Batch {
		log.Fatalf("das: -steps %d, -rounds %d, -pairs %d: expected at least 3, 1 and %d", *steps, *rounds, recipe.Pairs, recipe.Batch)
	}
	pairs, err := das.Search{Recipe: recipe}.TrainingPairs(stimuli.Config{Geometry: geometry(m.Config), Seed: 1}, stimuli.ColorProperty)
	check(err)
	var pyvene *peer.Process
	if *python != "" {
		exported := filepath.Join(work, "pairs")
		check(pairs.Export(context.Background(), exported))
		pyvene = start(*python, *folder, exported)
		log.Print(pyvene.Version)
	}

	var all times
	for round := range *rounds {
		dir := filepath.Join(work, fmt.Sprint("streams-", round))
		check(os.Mkdir(dir, 0o777))
		begin := time.Now()
		check(das.Keep(context.Background(), be, m, pairs, das.Searched(m.Config), dir, nil))
		all.caching = append(all.caching, time.Since(begin).Seconds())
		for i, block := range measured {
			step, fixed := search(be, m, pairs, dir, das.Search{Block: block, Recipe: recipe, Seed: uint64(round)})
			all.step[i], all.fixed[i] = append(all.step[i], step), append(all.fixed[i], fixed)
			if pyvene == nil {
				continue
			}
			answer, err := pyvene.Ask(block, recipe.Batch, *steps)
			check(err)
			all.theirs[i] = append(all.theirs[i], answer[0])
		}
		check(os.RemoveAll(dir))
	}
	for i := range all.caching {
		all.caching[i] *= float64(whole.Pairs) / float64(recipe.Pairs)
	}
	print(all, be, m.Config, whole.Steps)
}

// geometry returns that of the stimuli that a model takes.
func geometry(c vit.Config) stimuli.Geometry {
	all := stimuli.Geometries()
	i := slices.IndexFunc(all, func(g stimuli.Geometry) bool { return g.Image == c.Image && g.Patch == c.Patch })
	if i < 0 {
		log.Fatalf("das: no stimuli have images of %d pixels in patches of %d, as the model expects", c.Image, c.Patch)
	}
	return all[i]
}

// search returns the seconds of a step, and those of a whole search beyond its steps: compiling,
// and moving the pairs to the device.
func search(be *backend.Backend, m *vit.Model, pairs *stimuli.Counterfactuals, dir string, q das.Search) (step, fixed float64) {
	s, err := das.Open(dir, m.Config, pairs)
	check(err)
	defer s.Close()
	var clock stopwatch
	begin := time.Now()
	_, err = das.Train(context.Background(), be, m, s, q, das.Options{Progress: clock.see})
	check(err)
	all := time.Since(begin).Seconds()
	step = float64(q.Recipe.Batch) / clock.rate()
	return step, max(0, all-step*float64(q.Recipe.Steps))
}

// print writes a row for each measured block, and one for the sweep of so many steps a search that follows from them.
func print(t times, be *backend.Backend, c vit.Config, steps int) {
	table := figure.Table{Columns: []string{"block", be.Choice + ", ms/step", "pyvene, ms/step", "ratio", "of the turns"}}
	row := func(label string, ours, theirs, scale float64, format, turns string) {
		cells := []any{label, fmt.Sprintf(format, ours*scale), "–", "–", turns}
		if theirs > 0 {
			cells[2], cells[3] = fmt.Sprintf(format, theirs*scale), fmt.Sprintf("%.1f", theirs/ours)
		}
		table.Add(cells...)
	}
	for i, block := range measured {
		var ratios []string
		for round, theirs := range t.theirs[i] {
			ratios = append(ratios, fmt.Sprintf("%.1f", theirs/t.step[i][round]))
		}
		row(fmt.Sprint(block), peer.Median(t.step[i]), peer.Median(t.theirs[i]), 1000, "%.1f", strings.Join(ratios, " "))
	}
	training, pyvene, fixed := 0., 0., 0.
	for _, block := range das.Searched(c) {
		training += properties * float64(steps) * between(t.step, block)
		pyvene += properties * float64(steps) * between(t.theirs, block)
		fixed += properties * between(t.fixed, block)
	}
	caching := properties * peer.Median(t.caching)
	row("sweep, s", caching+fixed+training, pyvene, 1, "%.0f", "")
	text, err := table.Markdown()
	check(err)
	fmt.Print(text)
	fmt.Printf("\nOf %s's sweep, caching takes %.0f s, compiling and loading %.0f s, steps %.0f s.\n", be.Choice, caching, fixed, training)
}

// between returns what a straight line through the medians at the measured blocks has at a block.
func between(values [2][]float64, block int) float64 {
	first, second := peer.Median(values[0]), peer.Median(values[1])
	return first + (second-first)*float64(block-measured[0])/float64(measured[1]-measured[0])
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
		s.first, s.firstAt = u.Done, time.Now()
	default:
		s.last, s.lastTime = u.Done, time.Now()
	}
}

// rate is pairs per second.
func (s *stopwatch) rate() float64 {
	if s.last == 0 {
		log.Fatal("das: a search reported its progress less than twice: give it more -steps")
	}
	return float64(s.last-s.first) / s.lastTime.Sub(s.firstAt).Seconds()
}

// start runs search_pyvene.py.
func start(python string, args ...string) *peer.Process {
	_, here, _, _ := runtime.Caller(0)
	p, err := peer.Start(python, append([]string{filepath.Join(filepath.Dir(here), "search_pyvene.py")}, args...)...)
	check(err)
	return p
}

func check(err error) {
	if err != nil {
		log.Fatal("das: ", err)
	}
}
