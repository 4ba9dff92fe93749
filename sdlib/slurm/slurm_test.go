package slurm

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var regenerate = flag.Bool("regenerate", false, "write the golden scripts anew")

// full uses every option.
func full(store string) Work {
	return Work{
		Options: Options{Tasks: 8, Partition: "gpu,long", Account: "vision-lab", QOS: "normal", Time: "1-12:00:00", GPUs: "a100:1", CPUs: 8, Memory: "32G",
			Modules: []string{"cuda/12.4", "gcc"}, Sbatch: []string{"--constraint=a100|h100", "--mail-type=END"}, Setup: []string{"source /etc/profile.d/proxy.sh"}, Grace: 120},
		Name: "all", Item: []string{"all"}, Scale: "paper", Models: []string{"/shared/my models/it's mine"}, Task: "rmts",
		Plan: "3fa2b1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f80", Jobs: 1234,
		Program: "/shared/samediff/bin/sd", Store: store, Backend: "xla:cuda",
	}
}

// few uses none.
func few(store string) Work {
	return Work{Name: "table-1", Item: []string{"table", "1"}, Scale: "tiny", Plan: full("").Plan, Jobs: 50, Program: "/opt/sd", Store: store}
}

// The scripts are what they were when a person last read them, and bash can read them.
// Regenerate with: go test ./sdlib/slurm -run Script -regenerate
func TestScript(t *testing.T) {
	for _, name := range carried {
		t.Setenv(name, "") // restores it
		os.Unsetenv(name)
	}
	t.Setenv("SD_ROOT", "/shared/samediff")
	for name, w := range map[string]Work{"full": full("/shared/sd store"), "few": few("/scratch/sd")} {
		got, err := w.Script()
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".sh")
		if *regenerate {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("%s (%v): the script is\n%s\nwant\n%s", golden, err, got, want)
		}
		check := exec.Command("bash", "-n")
		check.Stdin = strings.NewReader(got)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: bash: %v: %s", golden, err, out)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	for want, change := range map[string]func(w *Work){
		"-1 tasks":        func(w *Work) { w.Tasks = -1 },
		"at most 4000000": func(w *Work) { w.Tasks = 1 << 40 },
		"-2 CPUs":         func(w *Work) { w.CPUs = -2 },
		"grace":           func(w *Work) { w.Grace = -1 },
		`time is "8h"`:    func(w *Work) { w.Time = "8h" },
		`memory is "32 G`: func(w *Work) { w.Memory = "32 GB" },
		`GPUs are "two"`:  func(w *Work) { w.GPUs = "two" },
		"partition":       func(w *Work) { w.Partition = "gpu\n#SBATCH --exclusive" },
		"modules":         func(w *Work) { w.Modules = []string{"cuda; rm -r /"} },
		"no option":       func(w *Work) { w.Sbatch = []string{"exclusive"} },
		"absolute":        func(w *Work) { w.Store = "here" },
		"without quotes":  func(w *Work) { w.Program = `/a"b` },
	} {
		w := few("/store")
		change(&w)
		if _, err := w.Script(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	for _, good := range []string{"90", "90:30", "08:00:00", "2-12", "1-12:30", "1-12:30:00"} {
		if err := (Options{Time: good}).Validate(); err != nil {
			t.Errorf("time %s: %v", good, err)
		}
	}
	file := filepath.Join(t.TempDir(), "o.json")
	if err := os.WriteFile(file, []byte(`{"partition": "gpu", "gpu": 1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadOptions(file); err == nil || !strings.Contains(err.Error(), `"gpu"`) {
		t.Errorf("a misspelled option: %v", err)
	}
	if _, err := ReadOptions("/dev/zero"); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("of a device without an end: %v", err)
	}
}

// fake puts programs of Slurm's names, in shell, alone into PATH, and returns a file that they may write.
func fake(t *testing.T, programs map[string]string) (said string) {
	t.Helper()
	dir := t.TempDir()
	said = filepath.Join(dir, "said")
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SAID", said)
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	return said
}

func TestSubmit(t *testing.T) {
	said := fake(t, map[string]string{"sbatch": `echo "$@" > "$SAID"; echo "4711;cluster"`})
	w := few(t.TempDir())
	path, err := w.Write()
	if err != nil {
		t.Fatal(err)
	}
	if w.ID, err = Submit(t.Context(), path); err != nil || w.ID != "4711" {
		t.Errorf("the job is %q, %v; want 4711", w.ID, err)
	}
	if text, err := os.ReadFile(said); err != nil || string(text) != "--parsable "+path+"\n" {
		t.Errorf("sbatch was given %q, %v", text, err)
	}
	if err := w.Save(); err != nil {
		t.Fatal(err)
	}
	if all, err := All(w.Store, ""); err != nil || len(all) != 1 || all[0].ID != "4711" || all[0].Plan != w.Plan || all[0].Name != "table-1" {
		t.Errorf("the submissions are %+v, %v", all, err)
	}
	fake(t, map[string]string{"sbatch": `echo "sbatch: error: invalid partition specified: gpu" >&2; exit 1`})
	if _, err := Submit(t.Context(), path); err == nil || !strings.Contains(err.Error(), "invalid partition specified: gpu") {
		t.Errorf("of a wrong partition: %v", err)
	}
	fake(t, map[string]string{"sbatch": `echo "Submitted batch job 12"`})
	if _, err := Submit(t.Context(), path); err == nil || !strings.Contains(err.Error(), "expected the ID") {
		t.Errorf("of another answer: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Submit(t.Context(), path); !errors.Is(err, ErrNone) {
		t.Errorf("without Slurm: %v, want ErrNone", err)
	}
}

// What Slurm says and what tasks say of themselves is put together; a task that Slurm has no more, and that says it works, was killed.
func TestReports(t *testing.T) {
	fake(t, map[string]string{
		"sbatch": "",
		"squeue": `printf '12_0|RUNNING|gpu-1|None|1:02:03\n12_3|PENDING||Priority|0:00\n120_9|RUNNING|x|None|1\n'`,
		"sacct":  `printf '12_1|FAILED|gpu-2|None|00:00:07\n12_2|CANCELLED by 1000|None assigned|None|00:00:00\n12_0|PENDING||None|0\nnonsense\n'`,
	})
	w := few(t.TempDir())
	w.ID, w.Tasks = "12", 6
	for index, phase := range map[string]Phase{"0": Working, "1": Failed, "4": Working, "5": Done} {
		t.Setenv("SLURM_ARRAY_JOB_ID", "12")
		t.Setenv("SLURM_ARRAY_TASK_ID", index)
		t.Setenv("SLURMD_NODENAME", "node-"+index)
		t.Setenv("SLURM_RESTART_COUNT", "2")
		if err := os.MkdirAll(w.Dir(), 0o777); err != nil {
			t.Fatal(err)
		}
		task, err := ThisTask(w.Dir())
		if err != nil {
			t.Fatal(err)
		}
		if err := task.Begin("train quick"); err != nil {
			t.Fatal(err)
		}
		var problem error
		if phase == Failed {
			problem = errors.New("the loss became NaN")
		}
		if err := task.Record(phase, problem); err != nil {
			t.Fatal(err)
		}
	}
	reports, err := Reports(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range reports {
		text := r.State.Task + " " + r.State.State + " " + r.Node + " " + r.Reason
		if r.Task != nil {
			text += " " + string(r.Task.Phase) + " " + r.Task.Host + " " + r.Task.Error
		}
		if r.Lost() {
			text += " lost"
		}
		got = append(got, text)
	}
	want := []string{"0 RUNNING gpu-1  working node-0 ", "1 FAILED gpu-2  failed node-1 the loss became NaN", "2 CANCELLED  ", "3 PENDING  Priority", "4    working node-4  lost", "5    done node-5 "}
	if !slices.Equal(got, want) {
		t.Errorf("the reports are\n%q, want\n%q", got, want)
	}
	if r := reports[1]; r.Task.Restarts != 2 || r.Task.Job != "train quick" || r.Log != filepath.Join(w.Dir(), "12_1.log") {
		t.Errorf("task 1 is %+v with the log %s", r.Task, r.Log)
	}
	fake(t, map[string]string{"sbatch": "", "squeue": `echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1`, "sacct": `echo "Slurm accounting storage is disabled" >&2; exit 1`})
	if reports, err = Reports(t.Context(), w); err != nil || len(reports) != 6 || !reports[0].Lost() || reports[5].Lost() {
		t.Errorf("of a job that Slurm forgot: %+v, %v", reports, err)
	}
	fake(t, map[string]string{"sbatch": "", "squeue": `echo "Unable to contact slurm controller" >&2; exit 1`})
	if _, err = Reports(t.Context(), w); err == nil || !strings.Contains(err.Error(), "Unable to contact") {
		t.Errorf("without a controller: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if reports, err = Reports(t.Context(), w); err != nil || len(reports) != 6 || reports[0].Lost() {
		t.Errorf("without Slurm: %+v, %v", reports, err)
	}
	t.Setenv("SLURM_ARRAY_JOB_ID", "")
	if _, err := ThisTask(w.Dir()); err == nil {
		t.Error("outside a task there is one")
	}
}

// A running task is requeued; one that a user canceled, or that Slurm is about to requeue, is left alone.
func TestRequeue(t *testing.T) {
	for state, want := range map[string]string{"RUNNING": "requeue 47_1\n", "COMPLETING": "", "CANCELLED": "", "PREEMPTED": ""} {
		said := fake(t, map[string]string{"squeue": "echo " + state, "scontrol": `echo "$@" > "$SAID"`})
		requeued, err := Requeue(t.Context(), "47_1")
		if err != nil || requeued != (want != "") {
			t.Errorf("a job that is %s: %t, %v", state, requeued, err)
		}
		if text, _ := os.ReadFile(said); string(text) != want {
			t.Errorf("a job that is %s: scontrol was given %q, want %q", state, text, want)
		}
	}
	fake(t, map[string]string{"squeue": "echo RUNNING", "scontrol": `echo "Requested operation is presently disabled" >&2; exit 1`})
	if requeued, err := Requeue(t.Context(), "1"); requeued || err == nil || !strings.Contains(err.Error(), "presently disabled") {
		t.Errorf("where requeueing is switched off: %t, %v", requeued, err)
	}
}

func TestShared(t *testing.T) {
	w := few(t.TempDir())
	if err := Shared(w.Store, w.Name); err == nil || !strings.Contains(err.Error(), "is not shared") {
		t.Errorf("a store without the script: %v", err)
	}
	if _, err := w.Write(); err != nil {
		t.Fatal(err)
	}
	if err := Shared(w.Store, w.Name); err != nil {
		t.Error(err)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if got := Tail(path, 2); got != "" {
		t.Errorf("of no file: %q", got)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("long\n", 10000)+"a\nb\nc\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := Tail(path, 2); got != "b\nc" {
		t.Errorf("the tail is %q", got)
	}
}

// What srun is given is what a task of the array is.
func TestSrun(t *testing.T) {
	o := full("").Options
	if got, want := strings.Join(o.Srun(), " "), "--nodes=1 --ntasks=1 --partition=gpu,long --account=vision-lab --qos=normal --time=1-12:00:00 --mem=32G --cpus-per-task=8 --gres=gpu:a100:1 --constraint=a100|h100 --mail-type=END"; got != want {
		t.Errorf("srun is given\n%s\nwant\n%s", got, want)
	}
	shell := Shell(Options{Setup: []string{"word=two"}}, []string{"printf", "%s", "it's $word"})
	out, err := exec.Command(shell[0], shell[1:]...).Output()
	if err != nil || string(out) != "it's $word" {
		t.Errorf("%q prints %q, %v", shell, out, err)
	}
}
