// Gpu checks and measures what the library does on a GPU, for a machine that is there for
// a few minutes: no compiler, no network. bench/gpu/build.sh packs the program beforehand,
// bench/gpu/run.sh runs all parts of bench/gpu/parts there, each with its own time limit,
// and leaves one table of results. The program's commands are the parts' work:
//
//	gpu open      opens the backend and multiplies two matrices
//	gpu parity    the tiny models of all families against transformers' golden files
//	gpu speed     images per second of training and of the forward pass, beside PyTorch's
//	gpu losses    the losses of 20 training steps against those of the CPU
//	gpu table     what all parts found; the exit status is 1 if one failed
//
// Every result is a line of results.csv (see row.go). What can't be measured because
// something is not there (a plugin, PyTorch) is a line too, and no failure. With -tiny and
// -backend xla:cpu all of it runs on two cores in a minute: bench/gpu's own test.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"samediff/sdlib/backend"
)

// options are what all commands share.
type options struct {
	backend string
	root    string        // of the repository: golden files and Python scripts are there
	tiny    bool          // sizes for a test
	time    time.Duration // after it a command begins nothing new
	python  string        // a Python with PyTorch, "" for none
	results *results
}

func main() {
	var o options
	csv := flag.String("csv", "", "file that rows are added to; empty is none")
	part := flag.String("part", "", "the rows' part; empty is the command's name")
	flag.StringVar(&o.backend, "backend", backend.CUDA, "what to run on, as for sd --backend")
	flag.StringVar(&o.root, "root", ".", "the repository")
	flag.BoolVar(&o.tiny, "tiny", false, "the smallest sizes, to see that all of it works")
	flag.DurationVar(&o.time, "time", 4*time.Minute, "after this time nothing new is begun")
	flag.StringVar(&o.python, "python", "", "a Python with PyTorch to compare with; without it only the library is measured")
	one := flag.String("measure", "", "speed: measure this configuration alone, such as b16/bf16/256, and print numbers")
	only := flag.String("only", "", "speed: only configurations that contain this text")
	precisions := flag.String("precisions", "", "parity: f32, tf32, bf16, with commas between; empty is all that one program can have")
	write := flag.Bool("write", false, "losses: write the golden file anew")
	markdown := flag.Bool("markdown", false, "table: as docs/benchmarks.md has it")
	flag.Parse()
	command := flag.Arg(0)
	if *part == "" {
		*part = command
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.time)
	defer cancel()

	var err error
	if o.results, err = openResults(*csv, *part); err == nil {
		switch {
		case command == "open":
			err = o.open()
		case command == "parity":
			err = o.parity(ctx, *precisions)
		case command == "speed" && *one != "":
			err = o.measure(ctx, *one)
		case command == "speed":
			err = o.speed(ctx, *only)
		case command == "losses":
			err = o.losses(ctx, *write)
		case command == "table":
			err = printTable(os.Stdout, *csv, *markdown)
		default:
			err = fmt.Errorf("no command %q: expected open, parity, speed, losses or table", command)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpu:", err)
		os.Exit(1)
	}
}
