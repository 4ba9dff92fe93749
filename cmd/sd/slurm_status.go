package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
	"samediff/sdlib/figure"
	"samediff/sdlib/slurm"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

func (a *app) slurmStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "How far the tasks of submitted plans are",
		Long: `status shows every task of the plans that sd slurm --submit put into the queue, or of those
of one name: what Slurm says of it (squeue, and sacct where there is accounting), the node,
how often it was requeued, and what it says itself: the job that it is at, or what went
wrong. A task that Slurm has no more and that does not know of its end was killed; its job
is taken by another task, or by the next that is submitted. Below stands how many of the
plan's jobs are done, which the store knows.`,
		Example: `  sd slurm status
  sd slurm status table-1`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			works, err := a.submissions(args)
			if err != nil {
				return err
			}
			t := figure.Table{Columns: []string{"plan", "task", "Slurm", "node", "for", "requeued", "says", "job or error"}}
			for _, w := range works {
				reports, err := slurm.Reports(cmd.Context(), w)
				if err != nil {
					return err
				}
				for _, r := range reports {
					cells := reportCells(r)
					t.Add(w.Name, w.ID+"_"+r.State.Task, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5])
				}
			}
			if err := a.printTable(t); err != nil {
				return err
			}
			return a.eachPlan(cmd, works, func(w slurm.Work, statuses []study.JobStatus) error {
				_, err := fmt.Fprintf(a.out, "%s: %s\n", w.Name, progressOf(statuses))
				return err
			})
		},
	}
	return cmd
}

// reportCells are a task's state, node, time, restarts, phase, and what it is at.
func reportCells(r slurm.Report) []string {
	cells := []string{strings.ToLower(r.State.State), r.Node, r.Time, "", "", r.Reason}
	if r.Task == nil {
		return cells
	}
	cells[3], cells[4], cells[5] = fmt.Sprint(r.Task.Restarts), string(r.Task.Phase), r.Task.Job
	if cells[1] == "" {
		cells[1] = r.Task.Host
	}
	if r.Task.Error != "" {
		cells[5] = oneLine(errors.New(r.Task.Error))
	}
	if r.Lost() {
		cells[4] = "killed"
	}
	return cells
}

// progressOf counts the jobs of a plan by their states.
func progressOf(statuses []study.JobStatus) string {
	count, left := map[study.JobState]int{}, 0.
	for _, s := range statuses {
		count[s.State]++
		left += s.Estimate
	}
	text := fmt.Sprintf("%d of %d jobs done, %d running", count[study.JobDone], len(statuses), count[study.JobRunning])
	if left > 0 {
		text += fmt.Sprintf(", about %s of work left", study.Describe(left))
	}
	return text
}

func (a *app) slurmCollectCommand() *cobra.Command {
	var lines int
	cmd := &cobra.Command{
		Use:   "collect [NAME]",
		Short: "What of submitted plans is in the store, and why the rest is not",
		Long: `collect lists the jobs of submitted plans that are not done, and for each task that failed
or was killed what it said and the end of its log. Results need no collecting: they are
in the store, where sd figure, sd table and the notebooks read them. The exit status is 0
if all jobs are done. To go on with the rest, submit the plan again: what is done stays,
and trainings go on from their checkpoints.`,
		Example: `  sd slurm collect
  sd slurm collect table-1 && sd table 1`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			works, err := a.submissions(args)
			if err != nil {
				return err
			}
			for _, w := range works {
				reports, err := slurm.Reports(cmd.Context(), w)
				if err != nil {
					return err
				}
				for _, r := range reports {
					if !r.Lost() && (r.Task == nil || r.Task.Phase != slurm.Failed) {
						continue
					}
					fmt.Fprintf(a.out, "%s task %s_%s: %s\n%s\n", w.Name, w.ID, r.State.Task, strings.Join(reportCells(r)[4:], ", "), r.Log)
					for line := range strings.Lines(slurm.Tail(r.Log, lines)) {
						fmt.Fprintln(a.out, "  |", strings.TrimRight(line, "\n"))
					}
				}
			}
			missing := 0
			err = a.eachPlan(cmd, works, func(w slurm.Work, statuses []study.JobStatus) error {
				for _, s := range statuses {
					if s.State != study.JobDone {
						missing++
						fmt.Fprintf(a.out, "%s: %s: %v %s\n", w.Name, s.State, s.Job, s.Owner)
					}
				}
				_, err := fmt.Fprintf(a.out, "%s: %s\n", w.Name, progressOf(statuses))
				return err
			})
			if err == nil && missing > 0 {
				err = fmt.Errorf("%d jobs are not done", missing)
			}
			return err
		},
	}
	cmd.Flags().IntVar(&lines, "lines", 10, "of each log")
	return cmd
}

// submissions returns the plans that were submitted from the store, those of one name if there is one.
func (a *app) submissions(args []string) ([]slurm.Work, error) {
	store, err := artifact.Open(a.store)
	if err != nil {
		return nil, err
	}
	name := strings.Join(args, "")
	works, err := slurm.All(store.Dir(), name)
	if err == nil && len(works) == 0 {
		err = fmt.Errorf("no plan %swas submitted from the store %s: sd slurm PLAN --submit does it", strings.TrimLeft(name+" ", " "), store.Dir())
	}
	return works, err
}

// eachPlan surveys the jobs of the plans, each plan once however often it was submitted.
func (a *app) eachPlan(cmd *cobra.Command, works []slurm.Work, show func(w slurm.Work, statuses []study.JobStatus) error) error {
	seen := map[artifact.ID]bool{}
	for _, w := range works {
		if seen[w.Plan] {
			continue
		}
		seen[w.Plan] = true
		var f itemFlags
		f.Scale, f.models, a.task = study.Scale(w.Scale), w.Models, stimuli.Task(w.Task)
		lab, err := a.lab()
		if err != nil {
			return err
		}
		jobs, err := f.jobs(cmd, lab, w.Item)
		if err != nil {
			return err
		}
		statuses, err := lab.Survey(cmd.Context(), jobs)
		if err != nil {
			return err
		}
		if err := show(w, statuses); err != nil {
			return err
		}
	}
	return nil
}
