package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/attention"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// during are the flags of sd attention for the steps of a training.
type during struct {
	steps   string
	measure string
	sample  study.HeadSample
}

func (d *during) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.steps, "during", "", `score the heads during training, after these steps ("0,10,30,100"), after every epoch ("epochs"), or after some that are spread ("spread")`)
	cmd.Flags().StringVar(&d.measure, "measure", "pair", "with --during: the measure whose changes are listed and drawn: "+strings.Join(attention.MeasureNames(stimuli.RMTS), ", "))
	cmd.Flags().IntVar(&d.sample.PerClass, "images-of-each", study.PaperSample.PerClass, "with --during: images of each label that the heads are scored on at each step")
	d.sample.Seed = study.PaperSample.Seed
}

// parse returns the steps of a training that the flag asks for.
func (d *during) parse(cmd *cobra.Command, t study.Training) ([]int, error) {
	switch d.steps {
	case "spread":
		return t.Spread(), nil
	case "epochs":
		return t.EpochSteps(), nil
	}
	var steps []int
	for text := range strings.SplitSeq(d.steps, ",") {
		step, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || step < 0 {
			return nil, misuse(cmd, "--during: %q, expected numbers of steps such as 0,10,30,100, or epochs, or spread", text)
		}
		steps = append(steps, step)
	}
	slices.Sort(steps)
	if steps = slices.Compact(steps); len(steps) < 2 {
		return nil, misuse(cmd, "--during %s is one step, expected two or more to compare", d.steps)
	}
	return steps, nil
}

// run scores a model's heads during its training.
func (d *during) run(cmd *cobra.Command, a *app, name, csv, to string, count int, asJSON bool) error {
	if d.sample.PerClass < 1 {
		return misuse(cmd, "--images-of-each is %d, expected 1 or more", d.sample.PerClass)
	}
	if !slices.Contains(attention.MeasureNames(stimuli.RMTS), d.measure) {
		return misuse(cmd, "--measure is %q, expected one of %s", d.measure, strings.Join(attention.MeasureNames(stimuli.RMTS), ", "))
	}
	lab, err := a.lab()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	t, err := lab.TrainingOf(ctx, name)
	if err != nil {
		return err
	}
	steps, err := d.parse(cmd, t)
	if err != nil {
		return err
	}
	if d.measure == "between" && t.Stimuli.Task != stimuli.RMTS {
		return misuse(cmd, "--measure between is of RMTS, %s learned %s", name, stimuli.Discrimination)
	}
	found, err := lab.Dynamics(ctx, t, steps, d.sample)
	if err != nil {
		return err
	}
	if csv != "" {
		if err := found.Save(csv); err != nil {
			return err
		}
	}
	if asJSON {
		for _, m := range found {
			m.Answer.Scores.Bootstrap.Maxima = nil // the resamples are no use to others
		}
		err = a.printJSON(found)
	} else {
		table, problem := paper.DynamicsTable(found)
		if problem != nil {
			return problem
		}
		moved, problem := paper.MovedTable(found, d.measure, count)
		if problem != nil {
			return problem
		}
		if err = a.printTable(table); err == nil {
			fmt.Fprintln(a.out)
			err = a.printTable(moved)
		}
	}
	if err != nil || (asJSON && !cmd.Flags().Changed("output")) {
		return err
	}
	f, err := paper.DynamicsFigure(found, name, d.measure)
	if err != nil {
		return err
	}
	if asJSON {
		return f.Save(to)
	}
	return a.saveFigure(f, to)
}
