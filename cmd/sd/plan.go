package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) planCommand() *cobra.Command {
	var f itemFlags
	var asJSON bool
	var tflops float64
	cmd := &cobra.Command{
		Use:   "plan [figure NUMBER | table NUMBER | all]",
		Short: "What a figure or a table needs, and how much of that is there",
		Long: `plan lists the jobs that a figure or a table of the paper needs, trainings first, with
what is done, what some process works on, and an estimate of the rest: a job's
floating-point operations at the median speed of the trainings in the store, or at an
assumed speed where there are none; at the paper's scale that of a GPU. What several jobs
need, such as a pretraining or the search behind two results, is in the estimate of the
first. Nothing is computed; sd run does it. plan all has a row for each figure and table:
how long it takes by itself, and after those above, with which it shares models. Alone,
plan prints the paper's table of contents: what there is, and what is to come.`,
		Example: `  sd plan
  sd plan table 1
  sd plan figure 2 --scale paper
  sd plan all --scale paper --tflops 60`,
		Args: arguments(itemArguments(true)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.printTable(contents())
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			rate, err := lab.Rate(cmd.Context(), f.Scale)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("tflops") {
				if !(tflops > 0) {
					return misuse(cmd, "--tflops is %g, expected a positive number", tflops)
				}
				rate = study.Rate{FLOPS: tflops * 1e12, Source: "as --tflops says"}
			}
			plans, err := f.plans(cmd, lab, args)
			if err != nil {
				return err
			}
			statuses, err := lab.SurveyAt(cmd.Context(), together(plans), rate)
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				return a.printJSON(planned(statuses))
			case args[0] == "all":
				return a.printItems(cmd.Context(), lab, plans, statuses, rate)
			}
			return a.printPlan(statuses, rate)
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().Float64Var(&tflops, "tflops", 0, "assumed speed, in 10¹² floating-point operations per second")
	return cmd
}

// itemArguments checks arguments such as "figure 2", "table 1", "all".
func itemArguments(none bool) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && none, len(args) == 1 && args[0] == "all":
			return nil
		case len(args) == 2 && (args[0] == string(paper.AFigure) || args[0] == string(paper.ATable)):
			return oneOf(args[0], paper.Numbers(paper.Kind(args[0])))(nil, args[1:])
		}
		return fmt.Errorf("%q is no figure or table: expected figure NUMBER, table NUMBER, or all", strings.Join(args, " "))
	}
}

// An itemPlan is a figure or a table and the jobs that it needs.
type itemPlan struct {
	paper.Item
	jobs []study.Job
}

// jobs returns those of the items that arguments name, each once.
func (f itemFlags) jobs(cmd *cobra.Command, lab *study.Lab, args []string) ([]study.Job, error) {
	plans, err := f.plans(cmd, lab, args)
	return together(plans), err
}

// together returns the jobs of several items, each once.
func together(plans []itemPlan) []study.Job {
	var jobs []study.Job
	seen := map[string]bool{}
	for _, p := range plans {
		for _, j := range p.jobs {
			if !seen[j.String()] {
				seen[j.String()] = true
				jobs = append(jobs, j)
			}
		}
	}
	return jobs
}

// plans returns the items that arguments name, those of "all" that have models at the scale.
func (f itemFlags) plans(cmd *cobra.Command, lab *study.Lab, args []string) ([]itemPlan, error) {
	var plans []itemPlan
	if args[0] != "all" {
		item, err := paper.Find(paper.Kind(args[0]), args[1])
		if err != nil {
			return nil, err
		}
		plans = append(plans, itemPlan{Item: item})
	} else {
		for _, item := range paper.Contents {
			if has := len(item.Models[f.Scale]) > 0; item.Jobs != nil && (has || item.Models == nil) {
				plans = append(plans, itemPlan{Item: item})
			}
		}
	}
	for i, p := range plans {
		if p.Jobs == nil {
			continue
		}
		r, err := f.request(cmd, lab, p.Item)
		if err != nil {
			return nil, err
		}
		if plans[i].jobs, err = p.Jobs(cmd.Context(), lab, r); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// contents sets out the paper's figures and tables.
func contents() figure.Table {
	t := figure.Table{Columns: []string{"", "section", "title", "models of the course", "models of the paper"}}
	for _, i := range paper.Contents {
		if i.Draw == nil {
			t.Add(i.String(), i.Where, i.Title, "not there yet", "")
			continue
		}
		t.Add(i.String(), i.Where, i.Title, strings.Join(i.Models[study.CourseScale], ", "), strings.Join(i.Models[study.PaperScale], ", "))
	}
	return t
}

// plannedJob is a job as --json shows it.
type plannedJob struct {
	Job      string         `json:"job"`
	State    study.JobState `json:"state"`
	Owner    string         `json:"owner,omitempty"`
	Took     float64        `json:"took,omitempty"`     // seconds
	Estimate float64        `json:"estimate,omitempty"` // seconds
}

func planned(statuses []study.JobStatus) []plannedJob {
	all := []plannedJob{}
	for _, s := range statuses {
		all = append(all, plannedJob{s.String(), s.State, s.Owner, s.Took, s.Estimate})
	}
	return all
}

// printItems prints a row for each item: what it takes by itself, and what it adds to those above it.
func (a *app) printItems(ctx context.Context, lab *study.Lab, plans []itemPlan, statuses []study.JobStatus, rate study.Rate) error {
	byJob := map[string]study.JobStatus{}
	for _, s := range statuses {
		byJob[s.String()] = s
	}
	hours := func(seconds float64) string { return fmt.Sprintf("%.1f", seconds/3600) }
	t := figure.Table{Columns: []string{"", "title", "models to train", "other jobs", "done", "hours alone", "hours in turn"}}
	total, training, all, done := 0., 0., 0, 0
	for _, p := range plans {
		alone, err := lab.SurveyAt(ctx, p.jobs, rate)
		if err != nil {
			return err
		}
		trainings, there, own, added := 0, 0, 0., 0.
		for _, s := range alone {
			own += s.Estimate
			if s.Step == "train" {
				trainings++
			}
			if s.State == study.JobDone {
				there++
			}
			if first, ok := byJob[s.String()]; ok { // else it was counted above
				added += first.Estimate
				if s.Step == "train" {
					training += first.Estimate
				}
				all++
				if first.State == study.JobDone {
					done++
				}
				delete(byJob, s.String())
			}
		}
		total += added
		t.Add(p.String(), p.Title, fmt.Sprint(trainings), fmt.Sprint(len(alone)-trainings), fmt.Sprint(there), hours(own), hours(added))
	}
	if err := a.printTable(t); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "%d of %d jobs done, %s hours of work left, %s of them in trainings, at %.3g TFLOP/s (%s)\n", done, all, hours(total), hours(training), rate.FLOPS/1e12, rate.Source)
	return err
}

func (a *app) printPlan(statuses []study.JobStatus, rate study.Rate) error {
	t := figure.Table{Columns: []string{"job", "state", "took", "about"}}
	done, left := 0, 0.0
	for _, s := range statuses {
		state, took, about := string(s.State), "", ""
		switch s.State {
		case study.JobDone:
			done++
			took = study.Describe(s.Took)
		case study.JobRunning:
			state += " by " + s.Owner
			fallthrough
		default:
			about = study.Describe(s.Estimate)
			left += s.Estimate
		}
		t.Add(s.String(), state, took, about)
	}
	if len(statuses) > 0 {
		if err := a.printTable(t); err != nil {
			return err
		}
	}
	rest := ""
	if done < len(statuses) {
		rest = fmt.Sprintf(", about %s of work left at %.3g TFLOP/s (%s)", study.Describe(left), rate.FLOPS/1e12, rate.Source)
	}
	_, err := fmt.Fprintf(a.out, "%d of %d jobs done%s\n", done, len(statuses), rest)
	return err
}
