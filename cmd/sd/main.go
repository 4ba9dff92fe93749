package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-ctx.Done()
		stop() // a second ctrl-c ends the program at once, as usual
		announceStop(time.Second, os.Stderr)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// announceStop says, of a program that is still there some time after ctrl-c, what it waits for.
func announceStop(patience time.Duration, stderr io.Writer) {
	time.Sleep(patience)
	fmt.Fprintln(stderr, "sd: stopping after the step at hand, which may be a compilation of some seconds; ctrl-c again ends it at once")
}
