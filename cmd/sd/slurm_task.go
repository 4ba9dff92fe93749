package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/doctor"
	"samediff/sdlib/slurm"
	"samediff/sdlib/study"
	"samediff/sdlib/workers"
)

// slurmPatience is how long a task waits for jobs that other tasks have, or for models that they train.
const slurmPatience = 10 * time.Minute

func (a *app) slurmTaskCommand() *cobra.Command {
	var f itemFlags
	var plan, gpus string
	cmd := &cobra.Command{
		Use:   "task NAME --plan ID -- figure NUMBER | table NUMBER | all",
		Short: "What the script of sd slurm runs in each task",
		Long: `task is a worker of a plan in a task of a job array. It checks that it sees the store that
the script was written into, that locks reach from the nodes of the other tasks to its own,
that this program plans the jobs that the script was written for, and that a GPU works
where one was asked for. Then it takes one job after the other until none is left, and
ends early when other tasks have had all that is left for ten minutes. On SIGTERM it writes
a checkpoint and has Slurm put it into the queue again, unless a user canceled it. What it
is at, and what went wrong, sd slurm status shows.`,
		Example: `  sd slurm task table-1 --plan 3fa2... -- table 1`,
		Args: arguments(func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no name: expected what the script of sd slurm has")
			}
			return itemArguments(false)(cmd, args[1:])
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			var task *slurm.Task
			lab, err := a.lab(func(o *study.Options) {
				o.OnJob = func(j study.Job) { task.Begin(j.String()) } // for people: an error does not stop the work
			})
			if err != nil {
				return err
			}
			if err := slurm.Shared(lab.Store.Dir(), args[0]); err != nil {
				return err
			}
			task, err = slurm.ThisTask(slurm.Dir(lab.Store.Dir(), args[0]))
			if err != nil {
				return err
			}
			if err := task.Record(slurm.Checking, nil); err != nil {
				return err
			}
			fmt.Fprintf(a.err, "sd: task %s, restart %d on %s, %s\n", task.ID, task.Restarts, task.Host, task.Begun.Format(time.DateTime))
			err = a.slurmTask(cmd, f, lab, task, artifact.ID(plan), gpus, args[1:])
			phase, err := a.taskEnd(task, err)
			problem := err
			if phase == slurm.Requeued || phase == slurm.Cancelled {
				problem = besides(err) // an interruption is no problem
			}
			return errors.Join(err, task.Record(phase, problem))
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	cmd.Flags().StringVar(&plan, "plan", "", "what the script was written for")
	cmd.Flags().StringVar(&gpus, "gpus", "", "that the task asked for")
	return cmd
}

// slurmTask works on the jobs of a plan, after it has checked what can be wrong.
func (a *app) slurmTask(cmd *cobra.Command, f itemFlags, lab *study.Lab, task *slurm.Task, plan artifact.ID, gpus string, item []string) error {
	ctx := cmd.Context()
	leave, err := lab.Store.Join(ctx, task.Host)
	if err != nil {
		return err
	}
	defer leave()
	jobs, err := f.jobs(cmd, lab, item)
	if err != nil {
		return err
	}
	if now, err := study.PlanID(jobs); err != nil {
		return err
	} else if now != plan {
		return fmt.Errorf("the script was written for the plan %s, and this program plans %s for %s: the program, the recipes or the pretrained weights here are others than those of the machine that wrote it: write the script again with the program that runs it",
			plan.Short(), now.Short(), strings.Join(item, " "))
	}
	count, err := a.checkGPUs(ctx, gpus)
	if err != nil {
		return err
	}
	if count > 1 {
		if err := task.Begin(fmt.Sprintf("a process for each of %d GPUs", count)); err != nil {
			return err
		}
		var names []string
		for i := range count {
			names = append(names, strconv.Itoa(i))
		}
		return a.runOn(ctx, names, lab, jobs, append(item, f.args()...), slurmPatience)
	}
	if count == 1 {
		if err := fits(ctx, workers.Device{Name: "0"}, jobs); err != nil {
			return err
		}
	}
	return lab.WorkWhile(ctx, jobs, slurmPatience)
}

// checkGPUs returns how many GPUs a task has that asked for some, as Slurm's options have it. That none works is an error.
func (a *app) checkGPUs(ctx context.Context, asked string) (int, error) {
	if asked == "" || a.backend != "" && !strings.HasPrefix(a.backend, backend.CUDA) {
		return 0, nil
	}
	count, err := strconv.Atoi(asked[strings.LastIndexByte(asked, ':')+1:])
	if err != nil {
		return 0, fmt.Errorf("--gpus is %q, expected a number or a type and a number: %w", asked, err)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	name := a.backend
	if name == "" {
		name = backend.CUDA
	}
	if p := doctor.ProbeIn(ctx, []string{self, "doctor", "--" + probeFlag}, name); p.Err != nil {
		return 0, fmt.Errorf("the task asked for %d GPUs, and none works: %w; %s", count, p.Err, p.Mend)
	}
	return count, nil
}

// taskEnd says how a task ended, and requeues one that was interrupted. The error is the task's own, or nil where others are to go on.
func (a *app) taskEnd(task *slurm.Task, err error) (slurm.Phase, error) {
	switch {
	case err == nil:
		fmt.Fprintln(a.err, "sd: all jobs are done")
		return slurm.Done, nil
	case errors.Is(err, context.Canceled):
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		requeued, problem := slurm.Requeue(ctx, task.ID)
		if !requeued {
			return slurm.Cancelled, errors.Join(err, problem)
		}
		fmt.Fprintln(a.err, "sd: the task is put into the queue again")
		return slurm.Requeued, err
	case onlyOthers(err):
		fmt.Fprintln(a.err, "sd: other tasks have all that is left")
		return slurm.Left, nil
	}
	return slurm.Failed, err
}
