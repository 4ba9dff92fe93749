package main

import (
	"github.com/spf13/cobra"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

func (a *app) novelCommand() *cobra.Command {
	f := dasFlags{controls: []string{das.NoControl.String()}}
	var novelties []string
	var w study.NovelSweep
	var asJSON bool
	var to string
	cmd := &cobra.Command{
		Use:   "novel MODEL",
		Short: "Whether a model compares what no object ever was: novel representations",
		Long: `novel writes vectors that belong to no object into the subspaces that sd das has found,
at both objects of a pair (section 5 of the paper). Two objects that get the same vector
should become the same to the model, two that get different ones different. A model that
compares whatever the subspace holds does so for any vector; one that looks up what it
has learned only for those that are close to what it knows.

Vectors are made of the representations of objects of the validation split. added is the
sum of two of them, interpolated their mean; sampled draws each dimension from a normal
distribution with their mean and standard deviation, random with 0 and 1. Each pair has
vectors of its own; the paper's code draws them once for 64 pairs: --shared 64. Answers
to pairs that share them are not independent, so that their interval is too narrow.

Searches that the store does not have are run first. Each result is kept when it is done:
interrupted, even by kill -9, the same command goes on.`,
		Example: `  sd novel discrimination-256-course --blocks 0-2 --csv novel.csv
  sd novel discrimination-256-clip-b16-112 --property color --blocks 2`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if w.DASSweep, err = f.sweep(); err != nil {
				return misuse(cmd, "%w", err)
			}
			w.Novelties = nil
			for _, name := range novelties {
				n, err := das.ParseNovelty(name)
				if err != nil {
					return misuse(cmd, "--novelty: %w", err)
				}
				w.Novelties = append(w.Novelties, n)
			}
			return novelSweep.run(cmd.Context(), a, args[0], w, to, asJSON, nil)
		},
	}
	f.addSearch(cmd)
	a.addTask(cmd)
	var ways []string
	for _, n := range das.Novelties {
		ways = append(ways, string(n))
	}
	cmd.Flags().StringSliceVar(&novelties, "novelty", ways, "how vectors are made")
	cmd.Flags().IntVar(&w.Shared, "shared", 1, "how many pairs in a row get the same vectors (the paper's code: 64)")
	cmd.Flags().IntVar(&w.Made, "made", study.DASTests, "of how many objects vectors are made (the paper: 2000)")
	addJSON(cmd, &asJSON)
	cmd.Flags().StringVar(&to, "csv", "", "file for the results: a line each, with n and Wilson's 95 % interval")
	return cmd
}

// novelSweep is what sd novel runs.
var novelSweep = sweep[study.NovelSweep, study.NovelQuery, study.NovelRow]{(*study.Lab).NovelQueries, study.NovelJobs, (*study.Lab).NovelRows, study.SaveNovel, novelTable}

// novelTable sets out the results of a sweep.
func novelTable(rows []study.NovelRow) figure.Table {
	t := figure.Table{Columns: append([]string{"block", "property", "novelty", "seed"}, outcomeColumns...)}
	for _, r := range rows {
		t.Add(append([]any{r.Block, string(r.Property), string(r.Novel.Novelty), r.Seed}, outcome(r.DASResult)...)...)
	}
	return t
}
