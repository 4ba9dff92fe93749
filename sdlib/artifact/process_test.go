package artifact

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childEnv holds the store's folder in the processes that these tests start: this test binary, running child instead of tests.
const childEnv = "SD_ARTIFACT_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var sharedKey = Key{Step: "shared", Params: map[string]int{"epochs": 10}}

// child asks for the shared key and prints what happens. While it computes, it leaves a checkpoint and waits for
// a line on standard input.
func child(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	s.Notify = func(message string) { fmt.Println("notify:", message) }
	a, err := s.Get(context.Background(), sharedKey, func(ctx context.Context, dir string) error {
		if err := write("epoch", "5", "work/state", "s")(ctx, dir); err != nil {
			return err
		}
		fmt.Println("computing")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
		return write("model", fmt.Sprint("by ", os.Getpid()))(ctx, dir)
	})
	if err != nil {
		return err
	}
	text, err := os.ReadFile(a.Path("model"))
	fmt.Println("model", string(text))
	return err
}

// A process is a running child.
type process struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func start(t *testing.T, dir string) process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // kills a child that hangs, which closes its output
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return process{cmd, in, bufio.NewScanner(out)}
}

// expect reads the child's next line.
func (p process) expect(t *testing.T, want string) {
	t.Helper()
	if !p.out.Scan() || !strings.HasPrefix(p.out.Text(), want) {
		t.Fatalf("process %d says %q (%v), want %q", p.Process.Pid, p.out.Text(), p.out.Err(), want)
	}
}

func TestProcessesComputeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	first := start(t, dir)
	first.expect(t, "computing")
	second := start(t, dir)
	second.expect(t, fmt.Sprintf("notify: waiting for process %d, which computes shared (", first.Process.Pid))
	if _, err := io.WriteString(first.in, "go on\n"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []process{first, second} {
		p.expect(t, fmt.Sprintf("model by %d", first.Process.Pid))
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if left := names(t, filepath.Join(dir, "locks")); len(left) > 0 {
		t.Errorf("locks are left: %q", left)
	}
}

func TestKilledProcessIsResumed(t *testing.T) {
	s := open(t)
	p := start(t, s.Dir())
	p.expect(t, "computing")
	if err := p.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil {
		t.Fatal("the killed process ended in success")
	}
	infos, err := s.List(context.Background())
	if err != nil || len(infos) != 1 || infos[0].State != Unfinished || infos[0].Meta.Step != "shared" {
		t.Errorf("List gave %+v, %v, want one unfinished", infos, err)
	}
	s.Notify = func(message string) { t.Errorf("message %q, want that a dead process is not waited for", message) }
	a := get(t, s, sharedKey, func(ctx context.Context, dir string) error {
		if got := content(t, filepath.Join(dir, "epoch")) + content(t, filepath.Join(dir, "work", "state")); got != "5s" {
			t.Errorf("the working folder holds %q", got)
		}
		return write("model", "by the next")(ctx, dir)
	})
	if content(t, a.Path("model")) != "by the next" || !a.Meta.Resumed {
		t.Errorf("the artifact is %+v", a)
	}
	if left := names(t, filepath.Join(s.Dir(), "unfinished")); len(left) > 0 {
		t.Errorf("unfinished holds %q", left)
	}
}

func TestWaiterTakesOverFromAKilledProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	first := start(t, dir)
	first.expect(t, "computing")
	second := start(t, dir)
	second.expect(t, "notify: waiting for process")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := first.Wait(); !errors.As(err, &exit) {
		t.Fatalf("the killed process ended with %v", err)
	}
	second.expect(t, "computing")
	if _, err := io.WriteString(second.in, "go on\n"); err != nil {
		t.Fatal(err)
	}
	second.expect(t, fmt.Sprintf("model by %d", second.Process.Pid))
	if err := second.Wait(); err != nil {
		t.Error(err)
	}
}
