// Package halt lets a test kill a process at a place that does not depend on how fast the machine is, or how busy.
//
// The process is the test binary itself. It halts where its work comes to [Here], or where it looks for the nth time whether a context
// made by [In] has ended, which a training does once a step. [Kill] starts it, waits until it has halted, and kills it.
package halt

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Here writes an empty file, by which [Kill] knows, and waits for ever.
func Here(file string) {
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		panic(err)
	}
	for { // select{} alone is a deadlock to Go's runtime where nothing else runs
		time.Sleep(time.Hour)
	}
}

// A Context halts the process that looks at its Err.
type Context struct {
	context.Context
	file string
	left atomic.Int64 // looks until it halts
}

// In returns a context that halts the process at its nth look from now, counted from 1; n = 0 is never.
func In(ctx context.Context, n int, file string) *Context {
	c := &Context{Context: ctx, file: file}
	c.In(n)
	return c
}

// In makes it the nth look from now.
func (c *Context) In(n int) { c.left.Store(int64(n)) }

func (c *Context) Err() error {
	if c.left.Add(-1) == 0 {
		Here(c.file)
	}
	return c.Context.Err()
}

// Kill starts a process and kills it once it has written the file. One that ends before fails the test.
func Kill(t *testing.T, cmd *exec.Cmd, file string) {
	t.Helper()
	if err := os.RemoveAll(file); err != nil { // of the process before
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the process ended before it halted: %v\n%s", err, said.String())
		case <-time.After(time.Millisecond):
		}
		if _, err := os.Stat(file); err == nil {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
