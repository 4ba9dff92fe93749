// Command checks measures what checking costs in sd demo: the share of its seconds that go to hashes and checksums of what is written
// and read.
//
//	go run ./bench/checks
//
// It computes in an empty store what sd demo does, with a profile of all threads' CPU time, and then reads it all again in that store,
// where everything is checked once more. Seconds in a check are CPU seconds of functions that hash, and of all that they call; compared
// with the seconds on the clock they are what the checks cost at most, as if nothing else ran beside them. Waiting for the disk
// is not in them.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"time"

	"samediff/sdlib/backend"
	"samediff/sdlib/study"
)

// hashing are the functions of all hashes and checksums that this library asks for, and of the store's reading of a folder.
const hashing = `crypto/.*sha(1|256)|hash/crc32|artifact\.(readFolder|checkFile|hashReader)`

func main() {
	log.SetFlags(0)
	backendName := flag.String("backend", "", "what computes, as sd has it")
	keep := flag.String("keep", "", "folder for the profiles, to be looked at with go tool pprof")
	flag.Parse()
	if err := run(*backendName, *keep); err != nil {
		log.Fatal(err)
	}
}

func run(backendName, keep string) error {
	dir, err := os.MkdirTemp("", "checks-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if keep == "" {
		keep = dir
	}
	be, err := backend.Open(backendName)
	if err != nil {
		return err
	}
	fmt.Printf("%v; %d CPUs, %s\n\n| | seconds | of them in checks | share |\n| --- | ---: | ---: | ---: |\n", be, runtime.NumCPU(), runtime.Version())
	for _, pass := range []string{"computed", "read again"} {
		took, checks, err := measure(filepath.Join(dir, "store"), backendName, filepath.Join(keep, pass+".pprof"))
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.2f | %.3f | %.2f %% |\n", pass, took.Seconds(), checks.Seconds(), 100*checks.Seconds()/took.Seconds())
	}
	return nil
}

// measure does what sd demo does in a store, and returns the time that it took and the time in checks.
func measure(store, backendName, profile string) (took, checks time.Duration, err error) {
	lab, err := study.Open(study.Options{Store: store, Backend: backendName})
	if err != nil {
		return 0, 0, err
	}
	to, err := os.Create(profile)
	if err != nil {
		return 0, 0, err
	}
	defer to.Close()
	if err := pprof.StartCPUProfile(to); err != nil {
		return 0, 0, err
	}
	start := time.Now()
	err = demo(lab)
	took = time.Since(start)
	pprof.StopCPUProfile()
	if err != nil {
		return 0, 0, err
	}
	checks, err = within(profile, hashing)
	return took, checks, err
}

func demo(lab *study.Lab) error {
	ctx := context.Background()
	m, err := lab.Train(ctx, study.Quick)
	if err != nil {
		return err
	}
	if _, err := lab.Evaluate(ctx, m); err != nil {
		return err
	}
	_, err = lab.Heads(ctx, m)
	return err
}

// accounts is what go tool pprof says of the samples that a focus leaves: "Showing nodes accounting for 20ms, 0.3% of 6170ms total".
var accounts = regexp.MustCompile(`accounting for (\d[\d.]*(?:ns|us|ms|s|mins|hrs)|0),`)

// within returns the CPU time of a profile in functions whose names match, and in what they call.
func within(profile, functions string) (time.Duration, error) {
	out, err := exec.Command("go", "tool", "pprof", "-top", "-nodefraction=0", "-unit=ms", "-focus="+functions, profile).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go tool pprof: %w: %s", err, out)
	}
	m := accounts.FindSubmatch(out)
	if m == nil || string(m[1]) == "0" {
		return 0, nil
	}
	return time.ParseDuration(string(m[1]))
}
