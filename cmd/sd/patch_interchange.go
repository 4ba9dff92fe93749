package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/patch"
	"samediff/sdlib/study"
)

func (a *app) patchInterchangeCommand() *cobra.Command {
	var pairs int
	var sites, groups []string
	var folder, csv, to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "interchange MODEL",
		Short: "Where the answer is: values taken from an image with the other answer",
		Long: `interchange (activation patching) gives an image values of another one that differs in
little and has the other answer, and asks whether that answer comes along. Values are the
residual stream after so many blocks, what attention or the MLP of a block adds to it, at
a group of tokens, or the output of a head. In discrimination the other image is the
twin, with objects at the same places; in RMTS the counterfactual image of a pair
(shape), of those that have the other answer.

Reported are, over the pairs that the model answers rightly on both sides, the share of
flipped answers with Wilson's 95 % interval, and the share of the way that the margin
(the difference of the logits) goes; beside it what a gradient would estimate
(attribution patching). One table lists the values that bring the most, another how well
the estimates go with the exact changes; the figure draws both.`,
		Example: `  sd patch interchange quick
  sd patch interchange rmts-256-course --site stream --site heads --csv interchange.csv
  sd patch interchange discrimination-256-clip-b16-112 --pairs 32 --group CLS --group all`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if pairs < 0 {
				return misuse(cmd, "--pairs is %d, expected 1 or more, or 0 for all", pairs)
			}
			lab, m, set, err := a.modelAndSet(cmd.Context(), args[0], folder)
			if err != nil {
				return err
			}
			var panels []paper.RecoveryPanel
			var all []study.Recovering
			for _, site := range sites {
				var at []patch.Group
				if patch.Site(site) != patch.HeadSite {
					for _, g := range groups {
						at = append(at, patch.Group(g))
					}
				}
				r, err := lab.Interchange(cmd.Context(), m, set, patch.Site(site), pairs, at...)
				if err != nil {
					return err
				}
				all, panels = append(all, r), append(panels, paper.RecoveryPanel{Title: m.Label(args[0]), Recovering: r})
			}
			if asJSON {
				err = a.printJSON(all)
			} else {
				t := figure.Table{Columns: []string{"site", "group", "at", "pairs", "flipped", "95 % interval", "margin", "change", "estimate"}}
				for _, r := range all {
					addBest(&t, r, func(point int) string { return r.Site.Name(m.Config, point) })
				}
				err = a.printTables(t, estimateTable(all))
			}
			if err == nil && csv != "" {
				if err = study.SaveRecoveries(csv, m.Config, all); err == nil && !asJSON {
					fmt.Fprintln(a.out, csv)
				}
			}
			if err != nil || (asJSON && !cmd.Flags().Changed("output")) {
				return err
			}
			f, err := paper.RecoveryFigure(m.Config, panels...)
			switch {
			case err != nil:
				return err
			case asJSON:
				return f.Save(to)
			}
			return a.saveFigure(f, to)
		},
	}
	addJSON(cmd, &asJSON)
	addSet(cmd, &folder)
	a.addTask(cmd)
	cmd.Flags().IntVar(&pairs, "pairs", 100, "pairs of images; 0 for all of the set")
	cmd.Flags().StringSliceVar(&sites, "site", []string{"stream", "attention", "mlp", "heads"}, "values to interchange")
	cmd.Flags().StringArrayVar(&groups, "group", nil, "tokens to interchange them at, may be given several times (default the objects or pairs, background, CLS and all)")
	cmd.Flags().StringVar(&csv, "csv", "", "file for all results, with n and intervals")
	cmd.Flags().StringVarP(&to, "output", "o", "interchange.png", "file for the figure")
	return cmd
}

// addBest adds the points of each group where the most of the margin is recovered.
func addBest(t *figure.Table, r study.Recovering, name func(point int) string) {
	for g, cells := range r.Cells {
		best := 0
		for k, cell := range cells {
			if cell.Margin > cells[best].Margin {
				best = k
			}
		}
		c := cells[best]
		low, high := c.Flipped.Interval()
		t.Add(r.Site, r.Groups[g], name(best), c.Flipped.N, c.Flipped.Accuracy(), fmt.Sprintf("%.3f–%.3f", low, high), c.Margin,
			fmt.Sprintf("%+.3f", r.Changes[g][best]), fmt.Sprintf("%+.3f", r.Estimates[g][best]))
	}
}

// estimateTable says how well the gradient's estimates go with the exact changes, over all groups and points of a site.
func estimateTable(all []study.Recovering) figure.Table {
	t := figure.Table{Title: "Attribution patching against the exact changes", Columns: []string{"site", "values", "correlation r", "slope"}}
	for _, r := range all {
		points := figure.Points{X: slices.Concat(r.Estimates...), Y: slices.Concat(r.Changes...)}
		if fit, err := (figure.Scatter{Groups: []figure.Points{points}}).Fit(); err == nil {
			t.Add(r.Site, fit.N, fit.R, fit.Slope)
		} else {
			t.Add(r.Site, len(points.X), "–", "–")
		}
	}
	return t
}
