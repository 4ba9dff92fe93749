package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"samediff/sdlib/internal/shell"
)

// carried are the variables that a task gets from where it is submitted, even where a site starts tasks with an empty environment.
var carried = []string{"SD_ROOT", "SD_EMOJI", "HF_HOME", "HF_HUB_CACHE", "PJRT_PLUGIN_LIBRARY_PATH"}

// Script returns the array script of the work, for sbatch.
func (w Work) Script() (string, error) {
	if err := w.Validate(); err != nil {
		return "", err
	}
	for _, path := range []string{w.Program, w.Store} {
		if !filepath.IsAbs(path) || strings.ContainsAny(path, "\"'%\\\n") {
			return "", fmt.Errorf("the path %q: expected an absolute one without quotes, %%, \\ or line breaks", path)
		}
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	option := func(name, value string) {
		if value != "" {
			line("#SBATCH --%s=%s", name, value)
		}
	}
	line("#!/bin/bash")
	option("job-name", "sd-"+w.Name)
	option("array", fmt.Sprintf("0-%d", w.tasks()-1))
	option("partition", w.Partition)
	option("account", w.Account)
	option("qos", w.QOS)
	option("time", w.Time)
	option("nodes", "1")
	option("ntasks", "1")
	if w.CPUs > 0 {
		option("cpus-per-task", fmt.Sprint(w.CPUs))
	}
	option("mem", w.Memory)
	if w.GPUs != "" {
		option("gres", "gpu:"+w.GPUs)
	}
	option("output", fmt.Sprintf("%q", filepath.Join(w.Dir(), "%A_%a.log")))
	option("open-mode", "append")
	line("#SBATCH --requeue")
	option("signal", fmt.Sprintf("B:TERM@%d", w.grace()))
	for _, o := range w.Sbatch {
		line("#SBATCH %s", o)
	}
	line("#")
	line("# %s: %d jobs at %s scale, plan %s.", strings.Join(w.Item, " "), w.Jobs, w.Scale, w.Plan.Short())
	line("# Each task takes the next job that no other has, until none is left. Before its time is over,")
	line("# and where it is preempted, it gets SIGTERM, writes a checkpoint and is requeued.")
	line("")
	for _, m := range w.Modules {
		line("module load %s", m)
	}
	for _, s := range w.Setup {
		line("%s", s)
	}
	line("export SD_STORE=%s", shell.Quote(w.Store))
	for _, name := range carried {
		if value, set := os.LookupEnv(name); set {
			line("export %s=%s", name, shell.Quote(value))
		}
	}
	line("program=%s", shell.Quote(w.Program))
	line(`if [[ ! -x $program ]]; then`)
	line(`	echo "sd: $(hostname) does not see the program $program: put it where all nodes do" >&2`)
	line(`	exit 1`)
	line(`fi`)
	args := []string{"slurm", "task", w.Name, "--plan", string(w.Plan), "--scale", w.Scale}
	for _, m := range w.Models {
		args = append(args, "--model", m)
	}
	if w.Task != "" {
		args = append(args, "--task", w.Task)
	}
	if w.GPUs != "" {
		args = append(args, "--gpus", w.GPUs)
	}
	if w.Backend != "" {
		args = append(args, "--backend", w.Backend)
	}
	args = append(append(args, "--"), w.Item...)
	for i, arg := range args {
		args[i] = shell.Quote(arg)
	}
	line(`exec "$program" %s`, strings.Join(args, " "))
	return b.String(), nil
}

// Srun returns the options that make srun run one process with what a task of an array is given.
func (o Options) Srun() []string {
	args := []string{"--nodes=1", "--ntasks=1"}
	for _, option := range []struct{ name, value string }{
		{"partition", o.Partition}, {"account", o.Account}, {"qos", o.QOS}, {"time", o.Time}, {"mem", o.Memory},
	} {
		if option.value != "" {
			args = append(args, "--"+option.name+"="+option.value)
		}
	}
	if o.CPUs > 0 {
		args = append(args, fmt.Sprintf("--cpus-per-task=%d", o.CPUs))
	}
	if o.GPUs != "" {
		args = append(args, "--gres=gpu:"+o.GPUs)
	}
	return append(args, o.Sbatch...)
}

// Shell returns the words that run a program after the modules and the setup of a task.
func Shell(o Options, program []string) []string {
	var lines []string
	for _, m := range o.Modules {
		lines = append(lines, "module load "+m)
	}
	lines = append(lines, o.Setup...)
	var words []string
	for _, w := range program {
		words = append(words, shell.Quote(w))
	}
	return []string{"bash", "-lc", strings.Join(append(lines, "exec "+strings.Join(words, " ")), "\n")}
}
