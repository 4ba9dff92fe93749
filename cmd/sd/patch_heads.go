package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/patch"
	"samediff/sdlib/study"
)

func (a *app) patchHeadsCommand() *cobra.Command {
	var f patchFlags
	var top, draws int
	var by string
	var sweep bool
	cmd := &cobra.Command{
		Use:   "heads MODEL",
		Short: "Accuracy without the strongest heads, against random ones, and without each single head",
		Long: `heads knocks out a model's attention heads: the --top strongest by each measure of sd
attention (local, within pair, and in RMTS between pairs) together, beside up to --draws
different draws of as many random heads of the same blocks; and with --sweep each head
alone. --by says what stands in for their output: zero, the mean over the images, or
resample, the output on another image.

The figure shows the sweep as a map of the accuracy lost, and the groups as dots.`,
		Example: `  sd patch heads quick
  sd patch heads discrimination-256-course --by mean --top 3 --csv heads.csv
  sd patch heads discrimination-256-clip-b16-112 --images 50 --sweep=false`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			replacement, err := replacementNamed(by)
			switch {
			case err != nil:
				return misuse(cmd, "--by %w", err)
			case top < 1:
				return misuse(cmd, "--top is %d, expected 1 or more", top)
			case draws < 0:
				return misuse(cmd, "--draws is %d, expected 0 or more", draws)
			}
			lab, m, set, err := f.open(cmd, a, args[0])
			if err != nil {
				return err
			}
			plan := study.HeadPlan{Sample: f.sample(), By: replacement, Top: top, Draws: draws}
			if replacement == patch.Resample {
				plan.Seed = f.seed
			}
			panel := paper.KnockOutPanel{Title: m.Label(args[0])}
			if panel.Groups, err = lab.HeadGroups(cmd.Context(), m, set, plan); err != nil {
				return err
			}
			if sweep {
				if panel.Sweep, err = lab.HeadSweep(cmd.Context(), m, set, plan); err != nil {
					return err
				}
			}
			fig, err := paper.KnockOutFigure(panel)
			return f.show(cmd, a, append(panel.Groups, panel.Sweep...), headTable(panel), fig, err)
		},
	}
	f.add(cmd, "knockouts.png")
	a.addTask(cmd)
	cmd.Flags().StringVar(&by, "by", "zero", "what replaces a head's output: zero, mean or resample")
	cmd.Flags().IntVar(&top, "top", 5, "heads knocked out together")
	cmd.Flags().IntVar(&draws, "draws", 10, "draws of random heads for comparison")
	cmd.Flags().BoolVar(&sweep, "sweep", true, "knock out each head alone, too")
	return cmd
}

func replacementNamed(name string) (patch.Replacement, error) {
	for _, r := range patch.Replacements {
		if r.String() == name {
			return r, nil
		}
	}
	return "", fmt.Errorf("is %q, expected zero, mean or resample", name)
}

// mostListed is how many single heads the table lists.
const mostListed = 5

// headTable lists the groups, random ones together, and the single heads that cost the most.
func headTable(p paper.KnockOutPanel) figure.Table {
	t := figure.Table{Title: unchanged(p.Groups), Columns: append([]string{"without", "heads"}, effectColumns...)}
	for i, g := range p.Groups {
		if g.Control == 0 {
			t.Add(append([]any{g.What, g.Where}, effectCells(g.All())...)...)
			addDraws(&t, p.Groups[i+1:])
		}
	}
	for _, i := range byLoss(p.Sweep)[:min(mostListed, len(p.Sweep))] {
		t.Add(append([]any{"one head", i.Where}, effectCells(i.All())...)...)
	}
	return t
}

// addDraws adds a row for the draws that follow a group: their mean, and the range.
func addDraws(t *figure.Table, groups []study.Intervention) {
	n, sum, low, high, change := 0, 0., 1., 0., 0.
	for _, g := range groups {
		if g.Control == 0 {
			break
		}
		v := g.All().With.Accuracy()
		d, _, _ := g.All().Change()
		n, sum, change, low, high = n+1, sum+v, change+d, min(low, v), max(high, v)
	}
	if n == 0 {
		t.Add("random, same blocks", "these blocks have no others", "", "", "", "", "")
	} else {
		t.Add("random, same blocks", fmt.Sprintf("mean of %d draws", n), sum/float64(n), fmt.Sprintf("all within %.3f–%.3f", low, high), fmt.Sprintf("%+.3f", change/float64(n)), "", "")
	}
}
