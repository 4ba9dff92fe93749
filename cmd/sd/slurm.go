package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"samediff/sdlib/slurm"
	"samediff/sdlib/study"
)

func (a *app) slurmCommand() *cobra.Command {
	var f itemFlags
	var o slurmFlags
	var submit bool
	var name string
	cmd := &cobra.Command{
		Use:   "slurm figure NUMBER | table NUMBER | all",
		Short: "Compute what a figure or a table needs on a cluster with Slurm",
		Long: `slurm writes the script of a job array that works through what sd plan lists, and with
--submit gives it to sbatch. Each task of the array is a worker like sd run: it takes the
next job that no other has, until none is left. So --tasks is how many GPUs work at the
same time, whatever the number of jobs. The program and the store must lie where all nodes
see them, and locks must reach from one node to another (sd slurm check tries that).

A task that comes to the end of its time, or is preempted, writes a checkpoint and is put
into the queue again; one whose node dies loses a minute of a training at most. The script
and the tasks' logs lie in the store, under slurm/. Each flag may also stand in a JSON file
(--options), with the names of the flags. --scale tiny is a rehearsal of tables 1, 7 and 8
in a minute: run it on the cluster before the paper's scale.`,
		Example: `  sd slurm check --partition gpu --gpus 1
  sd slurm table 1 --scale tiny --tasks 2 --partition gpu --gpus 1 --time 30 --submit
  sd slurm figure 2 --scale paper --tasks 8 --options cluster.json --submit
  sd slurm status
  sd slurm collect table-1`,
		Args: arguments(itemArguments(false)),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := o.options(cmd)
			if err != nil {
				return err
			}
			if submit {
				if err := slurm.Here(); err != nil {
					return err
				}
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			jobs, err := f.jobs(cmd, lab, args)
			if err != nil {
				return err
			}
			if name == "" {
				name = strings.Join(args, "-")
			}
			w := slurm.Work{Options: options, Name: name, Item: args, Scale: string(f.Scale), Models: f.models, Task: string(a.task), Jobs: len(jobs), Store: lab.Store.Dir(), Backend: a.backend}
			return a.writeScript(cmd.Context(), lab, jobs, w, submit)
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	o.add(cmd)
	cmd.Flags().IntVar(&o.Tasks, "tasks", 1, "tasks of the array, each of which works on one job at a time")
	cmd.Flags().StringVar(&name, "name", "", "of the job and of the folder of its logs (default table-1 and so on)")
	cmd.Flags().BoolVar(&submit, "submit", false, "give the script to sbatch")
	cmd.AddCommand(a.slurmStatusCommand(), a.slurmCollectCommand(), a.slurmCheckCommand(), a.slurmTaskCommand())
	return cmd
}

// writeScript writes a work's script, after everything that can be wrong before it is queued, and submits it.
func (a *app) writeScript(ctx context.Context, lab *study.Lab, jobs []study.Job, w slurm.Work, submit bool) (err error) {
	if w.Plan, err = study.PlanID(jobs); err != nil {
		return err
	}
	if w.Program, err = os.Executable(); err != nil {
		return err
	}
	left, err := undone(ctx, lab, jobs)
	if err != nil {
		return err
	}
	if left == 0 {
		_, err = fmt.Fprintf(a.out, "all %d jobs are done: there is nothing to queue\n", len(jobs))
		return err
	}
	leave, err := lab.Store.Join(ctx, "") // it can be written and locked
	if err != nil {
		return err
	}
	leave()
	path, err := w.Write()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n%d of %d jobs are to do\n", path, left, len(jobs))
	if !submit {
		_, err = fmt.Fprintf(a.out, "to queue it: the same command with --submit, or sbatch %s\n", path)
		return err
	}
	if w.ID, err = slurm.Submit(ctx, path); err != nil {
		return err
	}
	w.Submitted = time.Now()
	w.Host, _ = os.Hostname() // for people
	if err := w.Save(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "submitted as job %s; sd slurm status %s shows how far it is\n", w.ID, w.Name)
	return err
}

// slurmFlags are what a task is given.
type slurmFlags struct {
	slurm.Options
	file string
}

func (o *slurmFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.file, "options", "", "JSON file with these flags, which flags that are given change")
	flags.StringVar(&o.Partition, "partition", "", "where tasks run")
	flags.StringVar(&o.Account, "account", "", "who pays")
	flags.StringVar(&o.QOS, "qos", "", "quality of service")
	flags.StringVar(&o.Time, "time", "", "of each task, as sbatch takes it: 90 (minutes), 08:00:00, 2-12")
	flags.StringVar(&o.GPUs, "gpus", "", "of each task: 1, or with their type a100:1; with several a task has a process for each")
	flags.IntVar(&o.CPUs, "cpus", 0, "of each task")
	flags.StringVar(&o.Memory, "memory", "", "of each task: 32G")
	flags.StringSliceVar(&o.Modules, "modules", nil, "to load before the program starts")
	flags.StringArrayVar(&o.Sbatch, "sbatch", nil, "further option of sbatch: --sbatch=--constraint=a100; may be repeated")
	flags.StringArrayVar(&o.Setup, "setup", nil, "line of shell before the program starts; may be repeated")
	flags.IntVar(&o.Grace, "grace", 60, "seconds before the end of its time in which a task writes its checkpoint")
}

// options are those of the file, changed by the flags that are given.
func (o *slurmFlags) options(cmd *cobra.Command) (slurm.Options, error) {
	all := o.Options
	if o.file != "" {
		read, err := slurm.ReadOptions(o.file)
		if err != nil {
			return all, err
		}
		for flag, take := range map[string]func(){
			"tasks": func() { all.Tasks = read.Tasks }, "partition": func() { all.Partition = read.Partition }, "account": func() { all.Account = read.Account },
			"qos": func() { all.QOS = read.QOS }, "time": func() { all.Time = read.Time }, "gpus": func() { all.GPUs = read.GPUs },
			"cpus": func() { all.CPUs = read.CPUs }, "memory": func() { all.Memory = read.Memory }, "modules": func() { all.Modules = read.Modules },
			"sbatch": func() { all.Sbatch = read.Sbatch }, "setup": func() { all.Setup = read.Setup }, "grace": func() { all.Grace = read.Grace },
		} {
			if !cmd.Flags().Changed(flag) {
				take()
			}
		}
	}
	if err := all.Validate(); err != nil {
		return all, misuse(cmd, "%w", err)
	}
	return all, nil
}
