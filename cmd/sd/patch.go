package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

func (a *app) patchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "patch",
		Short: "Change a model's heads, attention or streams, and see what its answers lose",
		Long: `patch intervenes in a model and asks it again. Where a head looks (sd attention) does not
say whether the answer needs it: here it is tested. heads knocks out attention heads,
edges removes attention between objects, background and CLS, interchange takes values
from an image with the other answer, and path follows them from head to head.

The images are those that sd attention scores heads on. Accuracies come with Wilson's 95 %
interval, changes with a paired one (Bonett and Price 2012) and McNemar's exact p, since
the same images are asked with and without the intervention. An interrupted command goes
on where it stopped: results are kept block by block and edge by edge.`,
	}
	return group(cmd, a.patchHeadsCommand(), a.patchEdgesCommand(), a.patchInterchangeCommand(), a.patchPathCommand())
}

// patchFlags are the flags that all interventions have.
type patchFlags struct {
	images           int
	seed             uint64
	folder, csv, out string
	asJSON           bool
}

func (f *patchFlags) add(cmd *cobra.Command, picture string) {
	addJSON(cmd, &f.asJSON)
	addSet(cmd, &f.folder)
	cmd.Flags().IntVar(&f.images, "images", 250, "images of each label, same and different; 0 for all of the set")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "which images are chosen, and which other image a resampled head sees")
	cmd.Flags().StringVar(&f.csv, "csv", "", "file for all results, with n, intervals and kinds of images")
	cmd.Flags().StringVarP(&f.out, "output", "o", picture, "file for the figure")
}

// open finds the model and the set of a command.
func (f *patchFlags) open(cmd *cobra.Command, a *app, name string) (*study.Lab, *study.Model, *stimuli.Set, error) {
	if f.images < 0 {
		return nil, nil, nil, misuse(cmd, "--images is %d, expected 1 or more, or 0 for all", f.images)
	}
	return a.modelAndSet(cmd.Context(), name, f.folder)
}

// modelAndSet finds a model, and the set that its heads are scored on or a folder of images.
func (a *app) modelAndSet(ctx context.Context, name, folder string) (*study.Lab, *study.Model, *stimuli.Set, error) {
	lab, err := a.lab()
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := lab.Find(ctx, name)
	if err != nil {
		return nil, nil, nil, err
	}
	set, err := headSet(m, folder)
	return lab, m, set, err
}

// headSet is the set that heads are scored on, or a folder of images.
func headSet(m *study.Model, folder string) (*stimuli.Set, error) {
	if folder != "" {
		return study.ImportSet(folder, m.Config)
	}
	return m.HeadSet()
}

func (f *patchFlags) sample() study.HeadSample {
	if f.images == 0 {
		return study.HeadSample{}
	}
	return study.HeadSample{PerClass: f.images, Seed: f.seed}
}

// show writes what came of a command: JSON or a table, the CSV file, the figure.
func (f *patchFlags) show(cmd *cobra.Command, a *app, all []study.Intervention, table figure.Table, fig *figure.Figure, err error) error {
	if err != nil {
		return err
	}
	if f.asJSON {
		err = a.printJSON(all)
	} else {
		err = a.printTable(table)
	}
	if err == nil && f.csv != "" {
		if err = study.SaveInterventions(f.csv, all); err == nil && !f.asJSON {
			fmt.Fprintln(a.out, f.csv)
		}
	}
	switch {
	case err != nil:
		return err
	case !f.asJSON:
		return a.saveFigure(fig, f.out)
	case cmd.Flags().Changed("output"):
		return fig.Save(f.out)
	}
	return nil
}

// effectColumns are the columns that say what came of an intervention.
var effectColumns = []string{"accuracy", "95 % interval", "change", "95 % interval of the change", "p"}

func effectCells(e patch.Effect) []any {
	low, high := e.With.Interval()
	change, least, most := e.Change()
	return []any{e.With.Accuracy(), fmt.Sprintf("%.3f–%.3f", low, high), fmt.Sprintf("%+.3f", change), fmt.Sprintf("%+.3f to %+.3f", least, most), fmt.Sprintf("%.2g", e.P())}
}

// parseEdges reads the values of --edge.
func parseEdges(cmd *cobra.Command, texts []string) ([]patch.Edge, error) {
	var edges []patch.Edge
	for _, text := range texts {
		e, err := patch.ParseEdge(text)
		if err != nil {
			return nil, misuse(cmd, "%w", err)
		}
		edges = append(edges, e)
	}
	return edges, nil
}

// byLoss sorts interventions, those that cost the most first.
func byLoss(all []study.Intervention) []study.Intervention {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b study.Intervention) int {
		return (a.All().Won - a.All().Lost) - (b.All().Won - b.All().Lost)
	})
	return sorted
}

// unchanged is a table's title: what the model answers when nothing is changed.
func unchanged(all []study.Intervention) string {
	e := all[0].All()
	return fmt.Sprintf("%d images, accuracy %.3f when nothing is changed", e.Base.N, e.Base.Accuracy())
}
