package main

import (
	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) patchEdgesCommand() *cobra.Command {
	var f patchFlags
	var edges []string
	var width int
	var after bool
	cmd := &cobra.Command{
		Use:   "edges MODEL",
		Short: "Accuracy without attention between objects, background and CLS",
		Long: `edges removes attention between groups of tokens, an edge at a time, in sliding ranges of
blocks and in all blocks: which way does the answer take from the objects to CLS? The
paper suspects that it goes from object to object, and on over background tokens.

An edge is FROM>TO: the tokens of TO no longer read those of FROM. Groups are CLS, objects,
background, all, the role of an object ("object 1", "sample 2"), in RMTS the pairs
sample and display, and beside objects own, partner and others, as each object sees
them. What is left of a token's attention is renormalized, unless --after-softmax leaves
it as it is.

The table has every edge cut in all blocks, then the cuts in a range that cost the most.`,
		Example: `  sd patch edges discrimination-256-course
  sd patch edges rmts-256-course --width 1 --csv edges.csv
  sd patch edges discrimination-256-clip-b16-112 --images 50 --edge "objects>CLS" --edge "background>CLS"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan := study.EdgePlan{Width: width, AfterSoftmax: after}
			var err error
			if plan.Edges, err = parseEdges(cmd, edges); err != nil {
				return err
			}
			if width < 0 {
				return misuse(cmd, "--width is %d, expected 1 or more, or 0 for a quarter of the model", width)
			}
			lab, m, set, err := f.open(cmd, a, args[0])
			if err != nil {
				return err
			}
			plan.Sample = f.sample()
			cuts, err := lab.EdgeCuts(cmd.Context(), m, set, plan)
			if err != nil {
				return err
			}
			t := figure.Table{Title: unchanged(cuts), Columns: append([]string{"without", "in blocks"}, effectColumns...)}
			var ranges []study.Intervention
			for _, c := range cuts {
				if c.Blocks.First == 0 && c.Blocks.Last == m.Config.Blocks-1 {
					t.Add(append([]any{c.What, "all"}, effectCells(c.All())...)...)
				} else {
					ranges = append(ranges, c)
				}
			}
			for _, c := range byLoss(ranges)[:min(mostListed, len(ranges))] {
				t.Add(append([]any{c.What, c.Where}, effectCells(c.All())...)...)
			}
			fig, err := paper.EdgeFigure(paper.EdgePanel{Title: m.Label(args[0]), Cuts: cuts})
			return f.show(cmd, a, cuts, t, fig, err)
		},
	}
	f.add(cmd, "edges.png")
	a.addTask(cmd)
	cmd.Flags().StringArrayVar(&edges, "edge", nil, "an edge to cut, may be given several times (default all between own object, partner, others, background and CLS)")
	cmd.Flags().IntVar(&width, "width", 0, "blocks in a range (default a quarter of the model)")
	cmd.Flags().BoolVar(&after, "after-softmax", false, "leave the other weights as they are instead of renormalizing them")
	return cmd
}
