package main

import (
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
	cmd := &cobra.Command{
		Use:   "plan [figure NUMBER | table NUMBER | all]",
		Short: "What a figure or a table needs, and how much of that is there",
		Long: `plan lists the jobs that a figure or a table of the paper needs, trainings first, with
what is done, what some process works on, and an estimate of the rest: a job's
floating-point operations at the median speed of the trainings in the store, or at an
assumed speed of two CPU cores where there are none. Nothing is computed; sd run does it.
Alone, plan prints the paper's table of contents: what there is, and what is to come.`,
		Example: `  sd plan
  sd plan table 1
  sd plan figure 2 --scale paper`,
		Args: arguments(itemArguments(true)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.printTable(contents())
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			jobs, err := f.jobs(cmd, lab, args)
			if err != nil {
				return err
			}
			statuses, err := lab.Survey(cmd.Context(), jobs)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(planned(statuses))
			}
			return a.printPlan(statuses)
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	addJSON(cmd, &asJSON)
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

// jobs returns those of the items that arguments name, each once.
func (f itemFlags) jobs(cmd *cobra.Command, lab *study.Lab, args []string) ([]study.Job, error) {
	var items []paper.Item
	if args[0] != "all" {
		item, err := paper.Find(paper.Kind(args[0]), args[1])
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	} else {
		for _, item := range paper.Contents {
			if has := len(item.Models[f.Scale]) > 0; item.Jobs != nil && (has || item.Models == nil) {
				items = append(items, item)
			}
		}
	}
	var jobs []study.Job
	seen := map[string]bool{}
	for _, item := range items {
		if item.Jobs == nil {
			continue
		}
		r, err := f.request(cmd, lab, item)
		if err != nil {
			return nil, err
		}
		more, err := item.Jobs(cmd.Context(), lab, r)
		if err != nil {
			return nil, err
		}
		for _, j := range more {
			if !seen[j.String()] {
				seen[j.String()] = true
				jobs = append(jobs, j)
			}
		}
	}
	return jobs, nil
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

func (a *app) printPlan(statuses []study.JobStatus) error {
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
		rest = fmt.Sprintf(", about %s of work left", study.Describe(left))
	}
	_, err := fmt.Fprintf(a.out, "%d of %d jobs done%s\n", done, len(statuses), rest)
	return err
}
