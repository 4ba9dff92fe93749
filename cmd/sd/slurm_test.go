package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"samediff/sdlib/slurm"
)

// fakeSlurm puts Slurm's commands, in shell, alone into PATH.
func fakeSlurm(t *testing.T, commands map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range commands {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("SLURM_CONF", "/nowhere") // where a real one is installed
}

// runTask is what Slurm does with a script: task 0 of array 77, in a process.
func runTask(t *testing.T, script string) result {
	t.Helper()
	cmd := process(t) // for its environment
	cmd.Path, cmd.Args = "/bin/bash", []string{"bash", script}
	cmd.Env = append(cmd.Env, "SLURM_ARRAY_JOB_ID=77", "SLURM_ARRAY_TASK_ID=0", "SLURMD_NODENAME=gpu-1")
	return finish(t, cmd)
}

// A plan is submitted, its script does the plan's jobs, and status and collect report it.
func TestSlurmPlan(t *testing.T) {
	store := t.TempDir()
	model := strings.Split(eightModels(t), ",")[0]
	t.Setenv("SD_STORE", store)
	fakeSlurm(t, map[string]string{"sbatch": "echo 77", "squeue": "echo '77_0|RUNNING|gpu-1|None|0:07'", "sacct": "exit 1"})
	plan := []string{"slurm", "figure", "2", "--model", model, "--task", "discrimination", "--backend", "go", "--time", "30", "--submit"}
	r := sd(plan...).want(t, exitOK)
	script := filepath.Join(store, "slurm", "figure-2", "script.sh")
	for _, part := range []string{script + "\n", "1 of 1 jobs are to do", "submitted as job 77"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("it lacks %q:\n%s", part, r.out)
		}
	}
	if out := sd("slurm", "status").want(t, exitOK).out; !strings.Contains(out, "figure-2  77_0  running  gpu-1") || !strings.Contains(out, "0 of 1 jobs done") {
		t.Errorf("before it begins the status is\n%s", out)
	}
	sd("slurm", "collect").want(t, exitFailure).says(t, "1 jobs are not done")
	done := runTask(t, script).want(t, exitOK)
	if !strings.Contains(done.errors, "sd: task 77_0, restart 0 on gpu-1") || !strings.Contains(done.errors, "all jobs are done") {
		t.Errorf("the task says\n%s", done.errors)
	}
	if out := sd("slurm", "status", "figure-2").want(t, exitOK).out; !strings.Contains(out, "done  heads ") || !strings.Contains(out, "1 of 1 jobs done") {
		t.Errorf("afterwards the status is\n%s", out)
	}
	sd("slurm", "collect").want(t, exitOK)
	if left, _ := filepath.Glob(filepath.Join(store, "present", "*")); len(left) > 0 {
		t.Errorf("present are %q", left)
	}
	if r := sd(plan...).want(t, exitOK); !strings.Contains(r.out, "nothing to queue") {
		t.Errorf("when all is done it prints %q", r.out)
	}
}

// What is wrong is said before anything is queued, and what only a node can see before anything is computed there.
func TestSlurmWrong(t *testing.T) {
	store := t.TempDir()
	model := strings.Split(eightModels(t), ",")[0]
	t.Setenv("SD_STORE", store)
	plan := func(more ...string) result {
		return sd(append([]string{"slurm", "figure", "2", "--model", model, "--task", "discrimination", "--backend", "go"}, more...)...)
	}
	fakeSlurm(t, nil)
	if _, err := os.Stat("/usr/bin/sbatch"); err != nil {
		plan("--submit").want(t, exitFailure).says(t, "no Slurm here: sbatch is not in PATH")
		sd("slurm", "check").want(t, exitFailure).says(t, "no Slurm here")
	}
	sd("slurm", "status").want(t, exitFailure).says(t, "no plan was submitted from the store "+store)
	fakeSlurm(t, map[string]string{"sbatch": "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1"})
	plan("--submit", "--partition", "gpu").want(t, exitFailure).says(t, "invalid partition specified: gpu")
	plan("--time", "8h").want(t, exitUsage).says(t, `the time is "8h"`)
	sd("slurm", "figure", "40").want(t, exitUsage).says(t, "expected one of 1, 2, 3")
	options := filepath.Join(t.TempDir(), "cluster.json")
	if err := os.WriteFile(options, []byte(`{"partition": "gpu", "tasks": 3, "modules": ["cuda"], "time": "90"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	plan("--options", options, "--time", "30").want(t, exitOK)
	script := filepath.Join(slurm.Dir(store, "figure-2"), "script.sh")
	for _, line := range []string{"#SBATCH --partition=gpu\n", "#SBATCH --array=0-2\n", "module load cuda\n", "#SBATCH --time=30\n"} {
		if !strings.Contains(contentOf(script), line) {
			t.Errorf("the script lacks %q:\n%s", line, contentOf(script))
		}
	}

	text := contentOf(script)
	change := func(old, new string) string {
		other := filepath.Join(t.TempDir(), "script.sh")
		if !strings.Contains(text, old) {
			t.Fatalf("the script lacks %q:\n%s", old, text)
		}
		without := strings.Replace(strings.Replace(text, old, new, 1), "module load cuda\n", "", 1)
		if err := os.WriteFile(other, []byte(without), 0o666); err != nil {
			t.Fatal(err)
		}
		return other
	}
	end := func(r result) string {
		lines := strings.Split(strings.TrimSpace(r.errors), "\n")
		return lines[len(lines)-1]
	}
	for _, test := range []struct{ old, new, says string }{
		{"export SD_STORE=" + store, "export SD_STORE=" + t.TempDir(), "is not shared"},
		{"--plan ", "--plan 0", "write the script again with the program that runs it"},
		{"program=", "program=/no/such", "does not see the program /no/such"},
	} {
		if r := runTask(t, change(test.old, test.new)).want(t, exitFailure); !strings.Contains(end(r), test.says) {
			t.Errorf("with %q the task ends with %q, want %q", test.new, end(r), test.says)
		}
	}
	if _, err := os.Stat("/dev/nvidia0"); err != nil {
		if r := runTask(t, change("--backend go", "--gpus 1")).want(t, exitFailure); !strings.Contains(end(r), "asked for 1 GPUs, and none works: no NVIDIA GPU here") {
			t.Errorf("without a GPU the task ends with %q", end(r))
		}
	}
	sd("slurm", "task", "figure-2", "--", "figure", "2").want(t, exitFailure).says(t, "SLURM_ARRAY_JOB_ID is not set")
	if out, err := os.ReadDir(filepath.Join(store, "artifacts")); err == nil {
		t.Errorf("something was computed: %v", out)
	}
	if out := contentOf(filepath.Join(slurm.Dir(store, "figure-2"), "77_0.json")); !strings.Contains(out, `"phase": "failed"`) {
		t.Errorf("the task says of itself %s", out)
	}
	closed := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(closed, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	sd("slurm", "figure", "2", "--model", model, "--store", filepath.Join(closed, "store")).want(t, exitFailure).says(t, closed)
}

// A task that gets SIGTERM is requeued, one that a user canceled is not.
func TestSlurmTaskInterrupted(t *testing.T) {
	for state, want := range map[string]string{"RUNNING": "requeued", "CANCELLED": "cancelled"} {
		store := t.TempDir()
		t.Setenv("SD_STORE", store)
		said := filepath.Join(t.TempDir(), "said")
		fakeSlurm(t, map[string]string{"squeue": "echo " + state, "scontrol": `echo "$@" > ` + said})
		sd("slurm", "table", "1", "--scale", "course", "--backend", "go").want(t, exitOK)
		cmd := process(t)
		cmd.Path, cmd.Args = "/bin/bash", []string{"bash", filepath.Join(slurm.Dir(store, "table-1"), "script.sh")}
		cmd.Env = append(cmd.Env, "SLURM_ARRAY_JOB_ID=77", "SLURM_ARRAY_TASK_ID=0", "SLURMD_NODENAME=gpu-1")
		done := make(chan result)
		go func() { done <- finish(t, cmd) }()
		until(t, "the task says what it is at", func() bool {
			return strings.Contains(contentOf(filepath.Join(slurm.Dir(store, "table-1"), "77_0.json")), "train discrimination")
		})
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // bash has become the program
			t.Fatal(err)
		}
		r := (<-done).want(t, exitInterrupted)
		if out := contentOf(filepath.Join(slurm.Dir(store, "table-1"), "77_0.json")); !strings.Contains(out, `"phase": "`+want+`"`) || !strings.Contains(out, "train discrimination, losses none") {
			t.Errorf("%s: the task says of itself %s\nand\n%s", state, out, r.errors)
		}
		if text := contentOf(said); (text == "requeue 77_0\n") != (want == "requeued") {
			t.Errorf("%s: scontrol was given %q", state, text)
		}
	}
}
