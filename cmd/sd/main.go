package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second ctrl-c ends the program at once, as usual
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
