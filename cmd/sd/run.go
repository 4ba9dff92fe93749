package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"samediff/sdlib/backend"
	"samediff/sdlib/doctor"
	"samediff/sdlib/study"
	"samediff/sdlib/workers"
)

func (a *app) runCommand() *cobra.Command {
	var f itemFlags
	var devices []string
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "run figure NUMBER | table NUMBER | all",
		Short: "Compute what a figure or a table needs",
		Long: `run works through the jobs that sd plan lists. Any number of processes that share the
store, on one machine or several, may run the same plan at the same time: each takes the
next job that no other has. A process that is killed loses nothing but its place: another
one, or the same command again, goes on with its job. A job that fails does not hold up
the others, unless they need its model.

--devices starts a process for each of some devices of this machine: GPUs, which see no
other, or where there is none, as many processes as numbers, each with its share of the
CPUs. Their memory adds up. Interrupted, by ctrl-c or SIGTERM, all write a checkpoint. One
that dies is named, with its job and its log, and another goes on with the job; the exit
status is 0 if in the end all jobs are done. sd slurm does the same on a cluster.`,
		Example: `  sd run table 1
  sd run table 1 --devices 0,1
  sd run figure 2 & sd run figure 2 & wait`,
		Args: arguments(itemArguments(false)),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			jobs, err := f.jobs(cmd, lab, args)
			if err != nil {
				return err
			}
			if len(devices) > 0 {
				err = a.runOn(cmd.Context(), devices, lab, jobs, append(args, f.args()...), patience)
			} else {
				err = lab.WorkWhile(cmd.Context(), jobs, patience)
			}
			switch {
			case onlyOthers(err):
				_, err = fmt.Fprintf(a.out, "%v of %d jobs\n", study.ErrOthers, len(jobs))
				return err
			case err != nil:
				return err
			}
			_, err = fmt.Fprintf(a.out, "%d jobs done\n", len(jobs))
			return err
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	cmd.Flags().StringSliceVar(&devices, "devices", nil, "a process for each of these GPUs, or shares of the CPUs: 0,1")
	cmd.Flags().DurationVar(&patience, "patience", 0, "how long to wait where other processes have all that is left, such as 10m; 0 waits to the end")
	return cmd
}

// args are the flags that make another process plan the same.
func (f *itemFlags) args() []string {
	args := []string{"--scale", string(f.Scale)}
	for _, name := range f.models {
		args = append(args, "--model", name)
	}
	return args
}

// onlyOthers reports whether nothing went wrong with a plan but that other processes have the rest.
func onlyOthers(err error) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	return errors.Is(err, study.ErrOthers) && (!ok || len(joined.Unwrap()) == 1)
}

// runOn works through jobs with a process for each device, sd run with the given arguments.
func (a *app) runOn(ctx context.Context, names []string, lab *study.Lab, jobs []study.Job, args []string, patience time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	devices, choice, err := a.devices(ctx, self, names, jobs)
	if err != nil {
		return err
	}
	args = append([]string{"run"}, args...)
	args = append(args, "--store", lab.Store.Dir(), "--backend", choice, "--patience", patience.String())
	if a.task != "" {
		args = append(args, "--task", string(a.task))
	}
	if a.verbose {
		args = append(args, "--verbose")
	}
	titles := map[string]bool{} // of jobs
	for _, j := range study.WithTrainings(jobs) {
		titles[j.String()] = true
	}
	at, last := map[string]string{}, map[string]string{} // by device: the job that it began last, and its last line
	ends := workers.Run(ctx, devices, workers.Options{
		Command: func(workers.Device) []string { return append([]string{self}, args...) },
		Logs:    filepath.Join(lab.Store.Dir(), "logs"),
		Line: func(d workers.Device, line string) {
			last[d.Name] = line
			if title := strings.TrimPrefix(line, "sd: "); titles[title] {
				at[d.Name] = title
			}
			if !a.quiet {
				fmt.Fprintf(a.err, "[%s] %s\n", d.Name, line)
			}
		},
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	var errs []error
	for _, end := range ends {
		if end.OK() {
			continue
		}
		text := end.String()
		switch job := at[end.Name]; {
		case end.Status > 0: // it says itself what was wrong
			text += ": " + strings.TrimPrefix(last[end.Name], "sd: ")
		case job != "":
			text += ", at the job " + job
		}
		if end.Log != "" {
			text += "; its log is " + end.Log
		}
		errs = append(errs, errors.New(text))
	}
	left, err := undone(ctx, lab, jobs)
	switch {
	case err != nil:
		return errors.Join(append(errs, err)...)
	case left > 0 && len(errs) == 0:
		return study.ErrOthers
	case left > 0:
		return errors.Join(append(errs, fmt.Errorf("%d of %d jobs are not done; the same command goes on with them", left, len(jobs)))...)
	}
	for _, err := range errs { // all the same, others did its work
		fmt.Fprintf(a.err, "sd: %s; others did its work\n", oneLine(err))
	}
	return nil
}

// undone counts the jobs that are not done.
func undone(ctx context.Context, lab *study.Lab, jobs []study.Job) (int, error) {
	statuses, err := lab.Survey(ctx, jobs)
	return len(slices.DeleteFunc(statuses, func(s study.JobStatus) bool { return s.State == study.JobDone })), err
}

// devices returns the devices of these names and the backend that works on each of them, which is tried in processes of their
// own. A GPU that is too small for the jobs is an error.
func (a *app) devices(ctx context.Context, self string, names []string, jobs []study.Job) ([]workers.Device, string, error) {
	probe := []string{self, "doctor", "--" + probeFlag}
	taken := doctor.ProbeIn(ctx, probe, a.backend)
	if taken.Err != nil {
		return nil, "", taken.Err
	}
	chosen := a.backend != "" && a.backend != "auto" || strings.HasPrefix(taken.Why, "set by $")
	if !chosen && taken.Platform == backend.Go && !a.quiet { // the processes are given it by name, and say nothing
		fmt.Fprintf(a.err, "sd: computing in pure Go, 10 to 20 times slower than with XLA: %s (sd doctor says how to mend that)\n", taken.Why)
	}
	devices, err := workers.Devices(names, taken.Platform)
	if err != nil {
		return nil, "", fmt.Errorf("--devices: %w", err)
	}
	if taken.Platform != "cuda" {
		return devices, taken.Choice, nil
	}
	for _, d := range devices {
		if p := doctor.ProbeIn(ctx, probe, taken.Choice, d.Env...); p.Err != nil {
			return nil, "", fmt.Errorf("--devices: %v: %w", d, p.Err)
		}
		if err := fits(ctx, d, jobs); err != nil {
			return nil, "", fmt.Errorf("--devices: %w", err)
		}
	}
	return devices, taken.Choice, nil
}

// fits returns an error if a job's training needs more memory than a GPU has.
func fits(ctx context.Context, d workers.Device, jobs []study.Job) error {
	largest, need := study.Largest(jobs)
	if has := d.Memory(ctx); has > 0 && need > has {
		return fmt.Errorf("%v has %s of memory, and %v needs %s or more: take a larger GPU, or compute a batch in more parts (\"accumulate\" of a recipe, sd train --recipe)",
			d, size(has), largest, size(need))
	}
	return nil
}
