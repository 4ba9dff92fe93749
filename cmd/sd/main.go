package main

import (
	"context"
	"fmt"
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
		time.Sleep(time.Second)
		fmt.Fprintln(os.Stderr, "sd: stopping after the step at hand, which may be a compilation of some seconds; ctrl-c again ends it at once")
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
