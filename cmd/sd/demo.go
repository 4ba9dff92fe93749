package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/attention"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Train the quick model, evaluate it, score its heads",
		Long: `demo is the whole path once, for the preset "quick": it trains a vision transformer to
tell same from different (section 2 of the paper), measures its accuracy on fresh images
and on objects it has never seen, and finds the heads that look at one object and those that
compare two (section 3). All of it goes through the store, so a second demo, and the
notebook that make demo shows, read what the first one computed.`,
		Example: `  sd demo
  make demo      # sets up first, and shows the tour in a notebook`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			m, err := lab.Train(cmd.Context(), study.Quick)
			if err != nil {
				return err
			}
			sets, err := lab.Evaluate(cmd.Context(), m)
			if err != nil {
				return err
			}
			s, err := lab.Heads(cmd.Context(), m)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "Model %s: %d blocks of %d heads, %d weights, trained on %d images.\n\n",
				m.ID.Short(), m.Config.Blocks, m.Config.Heads, m.Config.Params(), sets[0].All.N)
			if err := a.printTable(paper.BehaviorTable(sets)); err != nil {
				return err
			}
			order := attention.Highest(s.Local)
			global, local := order[0], order[len(order)-1]
			_, err = fmt.Fprintf(a.out, "\nThe most local head is %v: %.0f %% of an object's attention leaves it.\n"+
				"The most global head is %v: %.0f %%.\n", local, 100*local.Of(s.Local), global, 100*global.Of(s.Local))
			return err
		},
	}
}
