package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"samediff/sdlib/study"
	"samediff/sdlib/vit"
	"samediff/sdlib/workers"
)

// eightModels are folders with models of one block, which differ, as --model takes them.
func eightModels(t *testing.T) string {
	t.Helper()
	c := vit.CourseQuick
	c.Width, c.Heads, c.MLP, c.Blocks = 12, 2, 24, 1
	var all []string
	for seed := range uint64(8) {
		m, err := vit.New(c, seed)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, filepath.Join(t.TempDir(), "model"))
		if err := m.Save(all[seed]); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(all, ",")
}

// Two processes with a share of the CPUs each do what one process does, to the bit, and name their device before each line.
func TestRunDevices(t *testing.T) {
	models, store, alone := eightModels(t), t.TempDir(), t.TempDir()
	args := []string{"run", "figure", "2", "--model", models, "--task", "discrimination", "--backend", "go", "--store"}
	t.Setenv(meetEnv, "2 "+t.TempDir()) // else one may do all before the other begins
	r := sd(append(args, store, "--devices", "0,1")...).want(t, exitOK)
	if r.out != "8 jobs done\n" {
		t.Errorf("it prints %q", r.out)
	}
	for _, line := range strings.Split(strings.TrimSpace(r.errors), "\n") {
		if !strings.HasPrefix(line, "[0] ") && !strings.HasPrefix(line, "[1] ") {
			t.Errorf("a line without its device: %q", line)
		}
	}
	for _, device := range []string{"[0] ", "[1] "} {
		if !strings.Contains(r.errors, device+"sd: heads ") {
			t.Errorf("%sdid nothing:\n%s", device, r.errors)
		}
	}
	sd(append(args, alone, "--quiet")...).want(t, exitOK)
	if n := sameResults(t, store, alone); n != 8 {
		t.Errorf("%d results are equal, want 8", n)
	}
	if r := sd(append(args, store, "--devices", "0,1", "--quiet")...).want(t, exitOK); r.errors != "" {
		t.Errorf("when all is done it says %q", r.errors)
	}
}

// owner waits until a process computes in a store, and returns its ID.
func ownerIn(t *testing.T, store string) (pid int) {
	t.Helper()
	until(t, "a process computes", func() bool {
		locks, _ := filepath.Glob(filepath.Join(store, "locks", "*"))
		for _, path := range locks {
			var owner struct{ PID int }
			if json.Unmarshal([]byte(contentOf(path)), &owner) == nil && owner.PID > 0 {
				pid = owner.PID
				return true
			}
		}
		return false
	})
	return pid
}

// A process that dies is named with its job and its log, and the other does the job.
func TestRunDeviceDies(t *testing.T) {
	models, store := eightModels(t), t.TempDir()
	met := t.TempDir()
	t.Setenv(meetEnv, "3 "+met) // the two processes wait for this one
	cmd := process(t, "run", "figure", "2", "--model", models, "--task", "discrimination", "--backend", "go", "--store", store, "--devices", "0,1")
	done := make(chan result, 1)
	go func() { done <- finish(t, cmd) }()
	until(t, "both processes are at a job", func() bool { return len(present(met)) == 2 || len(done) > 0 })
	if len(present(met)) == 2 {
		victim := number(present(met)[0])
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(t, "the process is dead", func() bool { return syscall.Kill(victim, 0) != nil })
	}
	if err := os.WriteFile(filepath.Join(met, "third"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := (<-done).want(t, exitOK)
	if r.out != "8 jobs done\n" {
		t.Errorf("it prints %q", r.out)
	}
	for _, part := range []string{"was ended by a signal (killed), at the job heads ", "its log is " + filepath.Join(store, "logs"), "others did its work"} {
		if !strings.Contains(r.errors, part) {
			t.Errorf("standard error lacks %q:\n%s", part, r.errors)
		}
	}
}

// SIGTERM reaches the processes: they stop, and leave no lock.
func TestRunDevicesInterrupted(t *testing.T) {
	store := t.TempDir()
	cmd := process(t, "run", "table", "1", "--backend", "go", "--store", store, "--devices", "0,1")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := ownerIn(t, store)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != exitInterrupted || !strings.Contains(errs.String(), "goes on where it stopped") {
		t.Errorf("exit status %d, want %d:\n%s", status, exitInterrupted, errs.String())
	}
	if err := syscall.Kill(child, 0); err == nil {
		t.Errorf("process %d lives on", child)
	}
	if left, _ := filepath.Glob(filepath.Join(store, "locks", "*")); len(left) > 0 {
		t.Errorf("locks are left: %q", left)
	}
}

// What cannot be is said before anything is computed.
func TestRunDevicesWrong(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store")
	run := func(more ...string) result {
		return sd(append([]string{"run", "table", "1", "--scale", "tiny", "--quiet", "--store", store}, more...)...)
	}
	run("--devices", "0,0", "--backend", "go").want(t, exitFailure).says(t, "device 0 twice")
	run("--devices", "gpu", "--backend", "go").want(t, exitFailure).says(t, `no device "gpu"`)
	if _, err := os.Stat("/dev/nvidia0"); err != nil {
		run("--devices", "0,1", "--backend", "xla:cuda").want(t, exitFailure).says(t, "no NVIDIA GPU here")
	}
	if _, err := os.Stat(store); err == nil {
		t.Error("the store was begun")
	}
}

// A GPU that is too small for a training of the plan is an error that names the training.
func TestTooLittleMemory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte("#!/bin/bash\necho 8192\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	small, large := study.TrainJob(study.Trained("quick", study.Quick)), study.TrainJob(study.Trained("clip-b16", study.Presets["clip-b16"]))
	d := workers.Device{Name: "1"}
	if err := fits(t.Context(), d, []study.Job{small}); err != nil {
		t.Error(err)
	}
	err := fits(t.Context(), d, []study.Job{small, large})
	if err == nil || !strings.Contains(err.Error(), "device 1 has 8.0 GiB of memory, and train clip-b16 needs ") {
		t.Errorf("the error is %v", err)
	}
}

// Without a plugin the processes compute in pure Go, each asked to by name: the one that starts them says why.
func TestDevicesInPureGo(t *testing.T) {
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", t.TempDir())
	t.Setenv("SD_BACKEND", "")
	t.Setenv("SD_ROOT", t.TempDir())
	for choice, want := range map[string]int{"": 1, "go": 0} {
		var said bytes.Buffer
		devices, backend, err := (&app{err: &said, backend: choice}).devices(t.Context(), os.Args[0], []string{"0", "1"}, nil)
		if err != nil || len(devices) != 2 || backend != "go" {
			t.Fatalf("%v on %q, %v", devices, backend, err)
		}
		if got := strings.Count(said.String(), "computing in pure Go"); got != want || strings.Count(said.String(), "\n") != want {
			t.Errorf("with the backend %q it says %q", choice, said.String())
		}
	}
}
