package workers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleEnv makes the test binary one of the processes that the tests start.
const roleEnv = "WORKERS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "":
		os.Exit(m.Run())
	case "tell":
		fmt.Println("CPUs", len(allowed()), "GPU", os.Getenv(visible))
		fmt.Fprint(os.Stderr, "no newline at the end")
	case "fail":
		fmt.Println("about to fail")
		os.Exit(3)
	case "die":
		fmt.Println("about to die")
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			self.Kill()
		}
		select {} // until the signal is there
	case "wait":
		stop := make(chan os.Signal, 2)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("waiting")
		<-stop
		select {
		case <-stop:
			fmt.Println("a second signal")
		case <-time.After(100 * time.Millisecond):
			fmt.Println("a checkpoint")
		}
		os.Exit(130)
	}
}

// as lets the devices' processes play a role, and collects what they say.
func as(said *[]string, role func(d Device) string) Options {
	return Options{
		Command: func(d Device) []string { return []string{"env", roleEnv + "=" + role(d), os.Args[0]} },
		Line:    func(d Device, line string) { *said = append(*said, d.Name+": "+line) },
	}
}

func TestDevices(t *testing.T) {
	t.Setenv(visible, "4,GPU-8a,6")
	devices, err := Devices([]string{"0", "1"}, "cuda")
	if err != nil || !slices.Equal(devices[0].Env, []string{visible + "=4"}) || !slices.Equal(devices[1].Env, []string{visible + "=GPU-8a"}) {
		t.Errorf("of the GPUs 4, GPU-8a, 6: %+v, %v", devices, err)
	}
	for text, want := range map[string]string{"3": "has 3, counted from 0", "0,0": "twice", "one": `no device "one"`, "-1": `no device "-1"`} {
		if _, err := Devices(strings.Split(text, ","), "cuda"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("devices %s: %v, want an error with %q", text, err, want)
		}
	}
	if _, err := Devices(nil, "cpu"); err == nil {
		t.Error("no devices are no error")
	}
	os.Unsetenv(visible)
	if devices, err = Devices([]string{"3"}, "cuda"); err != nil || !slices.Equal(devices[0].Env, []string{visible + "=3"}) {
		t.Errorf("GPU 3 of all: %+v, %v", devices, err)
	}
	for _, test := range []struct {
		cpus []int
		want [][]int
	}{
		{[]int{0, 1, 2, 3}, [][]int{{0, 1}, {2, 3}}}, {[]int{5, 7, 9}, [][]int{{5}, {7, 9}}}, {[]int{4}, [][]int{{4}, {4}}}, {nil, [][]int{nil, nil}},
	} {
		for i, want := range test.want {
			if got := share(test.cpus, i, 2); !slices.Equal(got, want) {
				t.Errorf("part %d of 2 of the CPUs %v is %v, want %v", i, test.cpus, got, want)
			}
		}
	}
}

// Each process has its own device and no other, and what it says comes line by line.
func TestRun(t *testing.T) {
	cpus := allowed()
	if len(cpus) == 0 {
		t.Skip("this system has no affinity")
	}
	devices := []Device{{Name: "0", CPUs: cpus[:1]}, {Name: "1", Env: []string{visible + "=7"}}}
	var said []string
	o := as(&said, func(Device) string { return "tell" })
	o.Logs = filepath.Join(t.TempDir(), "logs")
	for i, end := range Run(t.Context(), devices, o) {
		if !end.OK() || end.Log != "" || end.Name != devices[i].Name {
			t.Errorf("%v: %+v", end, end)
		}
	}
	slices.Sort(said)
	want := []string{"0: CPUs 1 GPU " + os.Getenv(visible), "0: no newline at the end", fmt.Sprintf("1: CPUs %d GPU 7", len(cpus)), "1: no newline at the end"}
	if !slices.Equal(said, want) {
		t.Errorf("the processes say %q, want %q", said, want)
	}
	if again := allowed(); !slices.Equal(again, cpus) {
		t.Errorf("afterwards this process may use the CPUs %v, before %v", again, cpus)
	}
	if left, _ := filepath.Glob(filepath.Join(o.Logs, "*")); len(left) > 0 {
		t.Errorf("logs of processes that ended well are left: %q", left)
	}
}

// A process that fails or dies is named with its log, and the others end as they would.
func TestRunDeath(t *testing.T) {
	roles := []string{"fail", "die", "tell"}
	devices, err := Devices([]string{"0", "1", "2"}, "cuda")
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	o := as(&said, func(d Device) string { return roles[d.Name[0]-'0'] })
	o.Logs = t.TempDir()
	ends := Run(t.Context(), devices, o)
	for i, want := range []string{"ended with status 3", "ended by a signal (killed)", "ended"} {
		if got := ends[i].String(); !strings.HasSuffix(got, want) || !strings.HasPrefix(got, fmt.Sprintf("the process on device %d (", i)) {
			t.Errorf("end %d is %q, want one with %q", i, got, want)
		}
	}
	for i, want := range []string{"about to fail\n", "about to die\n"} {
		if text, err := os.ReadFile(ends[i].Log); err != nil || string(text) != want {
			t.Errorf("log %d is %q, %v; want %q", i, text, err, want)
		}
	}
	o.Command = func(Device) []string { return []string{"/no/such/program"} }
	if end := Run(t.Context(), devices[:1], o)[0]; !errors.Is(end.Err, os.ErrNotExist) || end.OK() {
		t.Errorf("of a program that is not there: %v", end)
	}
}

// The end of the context is one SIGTERM for each process, and is waited for.
func TestRunInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var said []string
	o := as(&said, func(Device) string { return "wait" })
	tell, waiting := o.Line, 0
	o.Line = func(d Device, line string) {
		tell(d, line)
		if line == "waiting" {
			if waiting++; waiting == 2 {
				stop()
			}
		}
	}
	for _, end := range Run(ctx, []Device{{Name: "0"}, {Name: "1"}}, o) {
		if end.Status != 130 || end.Signal != 0 {
			t.Errorf("%v, want status 130", end)
		}
	}
	slices.Sort(said)
	if want := []string{"0: a checkpoint", "0: waiting", "1: a checkpoint", "1: waiting"}; !slices.Equal(said, want) {
		t.Errorf("the processes say %q, want %q", said, want)
	}
}

// A GPU's memory is what nvidia-smi says of the one that the process will see.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	if got := (Device{}).Memory(t.Context()); got != 0 {
		t.Errorf("without nvidia-smi it is %d", got)
	}
	const smi = "#!/bin/bash\ncase \"$*\" in *--id=GPU-8a) echo 81559;; *--id=0) echo 24576;; *) echo 'No devices were found'; exit 6;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte(smi), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(visible, "GPU-8a,3")
	for _, test := range []struct {
		env  []string
		want int64
	}{{nil, 81559 << 20}, {[]string{visible + "=0"}, 24576 << 20}, {[]string{visible + "=3"}, 0}} {
		if got := (Device{Env: test.env}).Memory(t.Context()); got != test.want {
			t.Errorf("with %v it is %d, want %d", test.env, got, test.want)
		}
	}
}
