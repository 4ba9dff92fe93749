package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/report"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

func (a *app) reportCommand() *cobra.Command {
	var quick, stored bool
	var chosen []string
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
chapter; interrupted, even by kill -9, the same command goes on. A page of more chapters
stays until the new one has as many, and a file that is no report in any case. The sizes
are those of the commands' defaults, for a ViT-B smaller ones; --quick takes minutes for a
model of the course. Its short searches find less than full ones, so that their accuracies
are lower bounds.

Of a ViT-B, all chapters take hours on CPU cores. --chapters chooses some, and a page of
those replaces one of more. --stored computes nothing, which takes seconds: the page has
what the store has, and of a model of the course what comes with the repository. The
chapters:

` + chapterHelp() + `
` + modelHelp,
		Example: `  sd report discrimination-256-course -o course.html
  sd report quick --quick
  sd report discrimination-256-clip-b16-112 --stored
  sd report rmts-256-clip-b16-112 --chapters eval,attention
  sd report path/to/model --task rmts --quick
  sd report dinov2-b14 --set my-images`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			chapters, err := report.Choose(chosen...)
			if err != nil {
				return misuse(cmd, "--chapters: %w", err)
			}
			lab, err := a.lab(func(o *study.Options) { o.ReadOnly = stored })
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
			return a.writeReport(cmd.Context(), s, sizes, chapters, to)
		},
	}
	cmd.Flags().BoolVar(&quick, "quick", false, "smaller sizes, for a first look")
	cmd.Flags().StringSliceVar(&chosen, "chapters", nil, "only these chapters: "+strings.Join(report.Names(), ", "))
	cmd.Flags().BoolVar(&stored, "stored", false, "only what was computed before; nothing is computed")
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

// chapterHelp lists the chapters: their names and what they ask.
func chapterHelp() string {
	var text strings.Builder
	for _, c := range report.Chapters {
		fmt.Fprintf(&text, "  %-18s %s\n", c.Name, c.Title)
	}
	return text.String()
}

// writeReport writes the page after every chapter.
func (a *app) writeReport(ctx context.Context, s report.Subject, sizes report.Sizes, chapters []report.Chapter, to string) error {
	first := report.Page{Subject: s, Sizes: sizes, Left: len(report.Chapters)}
	if err := first.Save(to); err != nil && !errors.Is(err, report.ErrMore) { // before hours of work
		return err
	}
	var saving error
	page, err := report.Write(ctx, s, sizes, chapters, func(title string, so report.Page) {
		if title != "" && !a.quiet {
			fmt.Fprintf(a.err, "sd: chapter %d of %d: %s\n", len(chapters)-so.Left+1, len(chapters), title)
		}
		if saving == nil || errors.Is(saving, report.ErrMore) { // until the new page has as much
			saving = so.Save(to)
		}
	})
	if ctx.Err() != nil && errors.Is(saving, report.ErrMore) {
		saving = nil // the older page stays, as announced
	}
	if err = errors.Join(err, saving); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s: chapters %d, left out %d\n", to, len(page.Sections), len(page.LeftOut))
	return err
}
