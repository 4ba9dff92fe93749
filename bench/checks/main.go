// Command checks measures what checking costs in sd demo: the share of its seconds that go to hashes and checksums of what is written
// and read.
//
//	go run ./bench/checks
//
// It does what sd demo does in an empty store, and then checks everything that lies there, as "sd store verify" does. All of it is
// hashed twice at most: when it is written, and when it is read. The checkpoints of the training are gone by then: in their place a
// file of their size, weights and two moments in float32, is hashed, once for each epoch. (A profile would be more direct, but its
// signals break XLA's threads on processors with AVX-512 or AMX: what they save overflows the small stacks that those threads have for signals.)
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/study"
)

func main() {
	log.SetFlags(0)
	backendName := flag.String("backend", "", "what computes, as sd has it")
	flag.Parse()
	if err := run(context.Background(), *backendName); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, backendName string) error {
	dir, err := os.MkdirTemp("", "checks-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	be, err := backend.Open(backendName)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, "store")
	lab, err := study.Open(study.Options{Store: folder, Backend: backendName})
	if err != nil {
		return err
	}
	start := time.Now()
	m, err := demo(ctx, lab)
	if err != nil {
		return err
	}
	all := time.Since(start)
	files, err := verify(ctx, folder)
	if err != nil {
		return err
	}
	state := make([]byte, 3*4*m.Config.Params())
	start = time.Now()
	for range m.Training.Recipe.Epochs {
		sha256.Sum256(state)
	}
	checkpoints := time.Since(start)
	fmt.Printf("%v; %d CPUs, %s\n\n| | seconds | share |\n| --- | ---: | ---: |\n", be, runtime.NumCPU(), runtime.Version())
	row := func(what string, took time.Duration) {
		fmt.Printf("| %s | %.3f | %.2f %% |\n", what, took.Seconds(), 100*took.Seconds()/all.Seconds())
	}
	row("sd demo", all)
	row("results, checked twice", 2*files)
	row(fmt.Sprintf("%d checkpoints of %.1f MB, hashed", m.Training.Recipe.Epochs, float64(len(state))/1e6), checkpoints)
	return nil
}

// demo does what sd demo does.
func demo(ctx context.Context, lab *study.Lab) (*study.Model, error) {
	m, err := lab.Train(ctx, study.Quick)
	if err != nil {
		return nil, err
	}
	if _, err := lab.Evaluate(ctx, m); err != nil {
		return nil, err
	}
	_, err = lab.Heads(ctx, m)
	return m, err
}

// verify checks all that a store has, and returns how long it took.
func verify(ctx context.Context, folder string) (time.Duration, error) {
	s, err := artifact.Open(folder)
	if err != nil {
		return 0, err
	}
	all, err := s.List(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for _, i := range all {
		if err := s.Verify(ctx, i.ID); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
