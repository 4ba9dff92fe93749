package workers

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what is run, and who hears of it.
type Options struct {
	// Command is a device's program and its arguments.
	Command func(Device) []string
	// Logs is a folder, made if need be, in which each process's output is kept until it ends
	// without an error; "" keeps none.
	Logs string
	// Line is called with each line of a process's output, as it comes, by one goroutine at a time; nil for nobody.
	Line func(d Device, line string)
}

// An End says how a process ended.
type End struct {
	Device
	PID    int
	Status int            // its exit status; -1 if a signal ended it
	Signal syscall.Signal // which; 0 for none
	Err    error          // why it could not be started
	Log    string         // its output, where it is kept
}

// OK reports whether a process ended by itself with status 0.
func (e End) OK() bool { return e.Err == nil && e.Status == 0 }

// String says how the process ended: "device 1 (process 123) was killed".
func (e End) String() string {
	who := fmt.Sprintf("the process on %v (%d)", e.Device, e.PID)
	switch {
	case e.Err != nil:
		return fmt.Sprintf("the process on %v did not start: %v", e.Device, e.Err)
	case e.Signal != 0:
		return fmt.Sprintf("%s was ended by a signal (%v)", who, e.Signal)
	case e.Status != 0:
		return fmt.Sprintf("%s ended with status %d", who, e.Status)
	}
	return who + " ended"
}

// Run starts a process on each device and returns how they ended, in the order of the devices,
// when all have.
func Run(ctx context.Context, devices []Device, o Options) []End {
	ends := make([]End, len(devices))
	var all sync.WaitGroup
	var line sync.Mutex
	for i, d := range devices {
		all.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread, which confine changed, ends with the goroutine
			ends[i] = runOne(ctx, d, o, func(text string) {
				line.Lock()
				defer line.Unlock()
				if o.Line != nil {
					o.Line(d, text)
				}
			})
		})
	}
	all.Wait()
	return ends
}

// runOne runs a device's process in the calling thread.
func runOne(ctx context.Context, d Device, o Options, show func(line string)) (end End) {
	end.Device = d
	if end.Err = confine(d.CPUs); end.Err != nil {
		return end
	}
	words := o.Command(d)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", d.threads())), d.Env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	apart(cmd)
	read, write, err := os.Pipe()
	if err != nil {
		end.Err = err
		return end
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr = write, write
	var log *os.File
	if o.Logs != "" {
		if log, end.Err = create(o.Logs, d); end.Err != nil {
			write.Close()
			return end
		}
		defer log.Close()
		end.Log = log.Name()
	}
	err = cmd.Start()
	write.Close()
	if err != nil {
		end.Err = err
		return end
	}
	end.PID = cmd.Process.Pid
	for lines := bufio.NewReader(read); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			show(strings.TrimRight(line, "\r\n"))
			if log != nil {
				log.WriteString(line)
			}
		}
		if err != nil { // the process has closed its output, most likely by ending
			break
		}
	}
	cmd.Wait() // the state says all that it returns
	end.Status = cmd.ProcessState.ExitCode()
	if w, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		end.Signal = w.Signal()
	}
	if log != nil && end.OK() {
		os.Remove(log.Name())
		end.Log = ""
	}
	return end
}

// create makes a file for a process's output, named by the time, this process and the device.
func create(dir string, d Device) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.log", time.Now().Format("20060102-150405"), os.Getpid(), d.Name)))
}
