package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// torchPeer is torch_peer.py in a process that lives as long as it works: importing PyTorch
// takes longer than most measurements. After an error or a timeout the next question starts
// another.
type torchPeer struct {
	python, script string
	gpu            bool

	cmd *exec.Cmd
	in  io.WriteCloser
	out chan string // lines that it says; closed when it ends
}

// start runs the script, which first says that it is ready.
func (t *torchPeer) start(ctx context.Context) error {
	if t.python == "" {
		return &absentError{"no torch: no Python with PyTorch was found"}
	}
	device := "cpu"
	if t.gpu {
		device = "cuda"
	}
	t.cmd = exec.Command(t.python, t.script, device)
	t.cmd.Stderr = os.Stderr
	t.cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := t.cmd.Start(); err != nil {
		return &absentError{fmt.Sprintf("no torch: %v", err)}
	}
	t.out = make(chan string, 100)
	go func(to chan<- string) {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			to <- lines.Text()
		}
		close(to)
	}(t.out)
	line, err := t.line(ctx)
	if err == nil && !strings.HasPrefix(line, "ready ") {
		err = &absentError{strings.TrimPrefix(line, "error ")}
	}
	if err != nil {
		t.stop()
		return err
	}
	fmt.Println("torch:", strings.TrimPrefix(line, "ready "))
	return nil
}

// ask measures a job: the script answers with lines of a name and a number, then "done", or with "error" and why.
func (t *torchPeer) ask(ctx context.Context, j job) (map[string]float64, error) {
	found := map[string]float64{}
	if t.cmd == nil {
		if err := t.start(ctx); err != nil {
			return found, err
		}
	}
	length := seconds
	if j.batch < 64 { // a test's
		length = 0
	}
	if _, err := fmt.Fprintln(t.in, j.model, j.precision, j.batch, j.engine, length); err != nil {
		t.stop()
		return found, &absentError{fmt.Sprintf("%s: %v", j.engine, err)}
	}
	for {
		line, err := t.line(ctx)
		if err != nil {
			t.stop()
			return found, err
		}
		name, rest, _ := strings.Cut(line, " ")
		if name == "done" {
			return found, nil
		}
		if name == "error" {
			t.stop() // what it holds on the device is in doubt
			return found, &absentError{j.engine + ": " + rest}
		}
		if x, err := strconv.ParseFloat(rest, 64); err == nil {
			found[name] = x
		}
	}
}

func (t *torchPeer) line(ctx context.Context) (string, error) {
	select {
	case line, ok := <-t.out:
		if !ok {
			return "", &absentError{"PyTorch's process ended: see the log"}
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// stop ends the process, if there is one.
func (t *torchPeer) stop() {
	if t.cmd == nil {
		return
	}
	t.in.Close()
	ended := make(chan error, 1)
	go func(cmd *exec.Cmd) { ended <- cmd.Wait() }(t.cmd)
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		if err := t.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			fmt.Fprintln(os.Stderr, "gpu: PyTorch's process does not end:", err)
		}
	}
	t.cmd = nil
}
