package main

import (
	"context"

	"github.com/spf13/cobra"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) attentionCommand() *cobra.Command {
	var asJSON bool
	var count int
	var to, folder string
	cmd := &cobra.Command{
		Use:   "attention MODEL",
		Short: "How local or global each attention head is",
		Long: `attention scores every head by where an object's tokens look (section 3 of the
paper). The score is the share of attention that leaves the object, at its largest over the
objects of an image: 0 is local, a head that reads the object itself, 1 is global. A model
that compares objects first reads each with local heads in its early blocks, and then
compares them with global heads in its later ones: the perceptual and the relational
stage. Beside the score stand the shares that stay within the object, go to the object
it is compared with, and go to the background.

--set scores the heads on all images of a folder of your own instead of the paper's 500:
a set that sd stimuli export wrote, or images with a metadata.jsonl that says where the
objects are (docs/formats.md).

The table names the most local and the most global heads; the figure shows all of them,
as Figure 2 of the paper does.`,
		Example: `  sd attention quick
  sd attention 3fa2 --heads 10 -o heads.pdf
  sd attention quick --json | jq .local`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if count < 1 {
				return misuse(cmd, "--heads is %d, expected 1 or more", count)
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			m, err := lab.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			s, err := heads(cmd.Context(), lab, m, folder)
			if err != nil {
				return err
			}
			f, err := paper.Figure2(s, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				if err := a.printJSON(s); err != nil || !cmd.Flags().Changed("output") {
					return err
				}
				return f.Save(to)
			}
			if err := a.printTable(extremes(s, count)); err != nil {
				return err
			}
			return a.saveFigure(f, to)
		},
	}
	addJSON(cmd, &asJSON)
	addSet(cmd, &folder)
	cmd.Flags().IntVar(&count, "heads", 3, "number of heads to list at either end")
	cmd.Flags().StringVarP(&to, "output", "o", "heads.png", "file for the figure (with --json: none unless given)")
	return cmd
}

// heads scores a model's heads on the paper's sample of stimuli, or on all images of a folder.
func heads(ctx context.Context, lab *study.Lab, m *study.Model, folder string) (*attention.Scores, error) {
	if folder == "" {
		return lab.Heads(ctx, m)
	}
	set, err := study.ImportSet(folder, m.Config)
	if err != nil {
		return nil, err
	}
	return study.HeadScores.Of(ctx, lab, m, set, study.HeadSample{})
}

// extremes sets out a model's most local heads, then its most global ones.
func extremes(s *attention.Scores, count int) figure.Table {
	t := figure.Table{Columns: []string{"", "head", "score", "within object", "within pair", "background"}}
	order := attention.Highest(s.Local)
	count = min(count, len(order))
	add := func(name string, h attention.Head) {
		t.Add(name, h, h.Of(s.Local), h.Of(s.Within), h.Of(s.Pair), h.Of(s.Background))
	}
	for i := range count {
		add("local", order[len(order)-1-i])
	}
	for i := range count {
		add("global", order[i])
	}
	return t
}
