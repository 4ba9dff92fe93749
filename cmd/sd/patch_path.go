package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/paper"
	"samediff/sdlib/patch"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// theAnswer is the receiver that is no head.
const theAnswer = "answer"

func (a *app) patchPathCommand() *cobra.Command {
	var pairs, count int
	var to []string
	var mlps, asJSON bool
	var folder, csv, output string
	cmd := &cobra.Command{
		Use:   "path MODEL",
		Short: "Paths from every head to the answer, or to chosen heads",
		Long: `path (path patching) gives a head the output that it has on an image with the other
answer, at every token, and lets that reach the receivers alone: all other heads keep what
they have on the image, and so do the MLPs, unless --mlps lets them pass it on. What the
receivers then do differently goes on to the answer. So where sd patch interchange says that
the answer follows a head, path says through whom: a head that brings the answer along, but
not directly, talks to later heads, and --to finds out to which.

Every head of the blocks in front of the receivers is tried, on the pairs of images of
sd patch interchange. Reported are the share of the way that the margin (the difference of
the logits) goes, and the share of flipped answers, both with 95 % intervals, over the pairs
that the model answers rightly on both sides. The figure has a map of heads by blocks for
each --to, and in front of them all paths of a head together, its interchange. Results are
kept block by block, so an interrupted command goes on where it stopped.`,
		Example: `  sd patch path rmts-256-quick
  sd patch path rmts-256-quick --to answer --to 4.1 --to 3.0+3.2 --csv paths.csv -o paths.png
  sd patch path discrimination-256-clip-b16-112 --pairs 32 --mlps`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if pairs < 0 || count < 1 {
				return misuse(cmd, "--pairs is %d and --heads %d, expected 1 or more, or 0 for all pairs", pairs, count)
			}
			receivers, err := parseReceivers(to)
			if err != nil {
				return misuse(cmd, "%w", err)
			}
			lab, m, set, err := a.modelAndSet(cmd.Context(), args[0], folder)
			if err != nil {
				return err
			}
			var all []study.PathsFound
			var panels []paper.PathPanel
			for _, heads := range receivers {
				found, err := lab.Paths(cmd.Context(), m, set, pairs, mlps, heads...)
				if err != nil {
					return err
				}
				all, panels = append(all, found), append(panels, paper.PathPanel{PathsFound: found})
			}
			total, err := lab.Interchange(cmd.Context(), m, set, patch.HeadSite, pairs)
			if err != nil {
				return err
			}
			if csv != "" {
				if err := study.SavePaths(csv, all...); err != nil {
					return err
				}
			}
			if asJSON {
				err = a.printJSON(all)
			} else {
				for i, found := range all {
					if i > 0 {
						fmt.Fprintln(a.out)
					}
					if err = a.printTable(paper.PathTable(found, count)); err != nil {
						break
					}
				}
			}
			if err != nil || (asJSON && !cmd.Flags().Changed("output")) {
				return err
			}
			f, err := paper.PathFigure(&total, panels...)
			switch {
			case err != nil:
				return err
			case asJSON:
				return f.Save(output)
			}
			return a.saveFigure(f, output)
		},
	}
	addJSON(cmd, &asJSON)
	addSet(cmd, &folder)
	a.addTask(cmd)
	cmd.Flags().IntVar(&pairs, "pairs", 100, "pairs of images; 0 for all of the set")
	cmd.Flags().IntVar(&count, "heads", 5, "number of senders to list for each receiver")
	cmd.Flags().StringArrayVar(&to, "to", []string{theAnswer}, "receiver: answer, a head as BLOCK.HEAD, or several heads together as 3.0+3.2; may be given several times")
	cmd.Flags().BoolVar(&mlps, "mlps", false, "let the MLPs on the way pass on what reaches them")
	cmd.Flags().StringVar(&csv, "csv", "", "file for all results, with n and intervals")
	cmd.Flags().StringVarP(&output, "output", "o", "paths.png", "file for the figure")
	return cmd
}

// parseReceivers reads the values of --to; no heads are the answer.
func parseReceivers(texts []string) ([][]vit.Head, error) {
	var all [][]vit.Head
	for _, text := range texts {
		if text == theAnswer {
			all = append(all, nil)
			continue
		}
		heads, err := parseHeads("--to", strings.Split(text, "+"))
		if err != nil {
			return nil, err
		}
		all = append(all, heads)
	}
	return all, nil
}
