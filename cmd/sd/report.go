package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"samediff/sdlib/report"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

func (a *app) reportCommand() *cobra.Command {
	var quick bool
	var to, folder string
	cmd := &cobra.Command{
		Use:   "report MODEL",
		Short: "One page about a model: every analysis that suits it, beside the paper",
		Long: `report works through every analysis that suits a model and writes one HTML page, which
needs no network: accuracies, where the heads look with a viewer to explore it, alignment
searches for shape and color, novel representations, linear probes and interventions, and
what its answers lose without heads, edges and streams. Beside what was found stands what
the paper says of its model that is nearest in kind, and whether that agrees.

What does not suit a model is left out, and the page says what and why: one without an
answer that means same or different is asked where its heads look and what can be read
from it; one whose images fit none of the paper's stimuli, about a folder of your own,
--set. A folder does not say what its model learned: --task does.

All results are kept and shared with the other commands. The page is written after every
chapter, but an older page only when the new one has as much, and a file that is no report
never; interrupted, even by kill -9, the same command goes on. The sizes are those of the
commands' defaults; --quick takes minutes for a model of the course. Its short searches find
less than full ones, so that their accuracies are lower bounds.

` + modelHelp,
		Example: `  sd report discrimination-256-course -o course.html
  sd report quick --quick
  sd report path/to/model --task rmts --quick
  sd report dinov2-b14 --set my-images`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			s, err := a.reported(cmd.Context(), lab, args[0])
			if err != nil {
				return err
			}
			if a.task != "" {
				if err := s.Model.Assume(a.task); err != nil {
					return fmt.Errorf("--task: %w", err)
				}
				s.Task = a.task
			}
			if folder != "" {
				if s.Set, err = study.ImportSet(folder, s.Model.Config); err != nil {
					return err
				}
				s.SetName = filepath.Base(folder)
			}
			sizes := report.Full(s.Model.Config)
			if quick {
				sizes = report.Quick(s.Model.Config)
			}
			return a.writeReport(cmd.Context(), s, sizes, to)
		},
	}
	cmd.Flags().BoolVar(&quick, "quick", false, "smaller sizes, for a first look")
	a.addTask(cmd)
	cmd.Flags().StringVarP(&to, "output", "o", "report.html", "file to write")
	addSet(cmd, &folder)
	return cmd
}

// reported finds the model of a report: one that the lab finds, with what is known of its training, or any other that commands take.
func (a *app) reported(ctx context.Context, lab *study.Lab, name string) (report.Subject, error) {
	s := report.Subject{Lab: lab, Name: name}
	_, noCheckpoint := vit.FindCheckpoint(name)
	m, err := lab.Model(ctx, study.Subject{Name: name})
	if err == nil {
		s.Model = m
		return s, nil
	}
	if noCheckpoint != nil && ours(name) {
		return s, err
	}
	found, other := a.find(ctx, name, nil)
	if other != nil {
		return s, other
	}
	s.Headless = found.headless
	s.Model, err = lab.Adopt(name, found.Model)
	return s, err
}

// writeReport writes the page after every chapter.
func (a *app) writeReport(ctx context.Context, s report.Subject, sizes report.Sizes, to string) error {
	if err := (report.Page{Subject: s, Sizes: sizes, Left: len(report.Chapters)}).Save(to); err != nil { // before hours of work
		return err
	}
	var saving error
	page, err := report.Write(ctx, s, sizes, func(title string, so report.Page) {
		if title != "" && !a.quiet {
			fmt.Fprintf(a.err, "sd: chapter %d of %d: %s\n", len(report.Chapters)-so.Left+1, len(report.Chapters), title)
		}
		if saving == nil {
			saving = so.Save(to)
		}
	})
	if err = errors.Join(err, saving); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s: chapters %d, left out %d\n", to, len(page.Sections), len(page.LeftOut))
	return err
}
