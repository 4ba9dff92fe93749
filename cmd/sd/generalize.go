package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) generalizeCommand() *cobra.Command {
	var f generalizeFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "generalize [MODEL...]",
		Short: "Figure 6: does a model that keeps shape and color apart carry further?",
		Long: `generalize asks whether models that keep shape and color apart carry further (section 6 of
the paper, Figure 6). The models learned the task from 32 of the 256 combinations of shape
and color. For each it searches the residual stream for both properties after all blocks, as
sd das does, and takes the mean of what the best blocks reach: its disentanglement. Beside
that stand the accuracies on fresh images, on the other 224 combinations, and on shapes and
colors that are new. Without a MODEL these are the fine-tunings of the four pretrained
analogues and of random weights, on both tasks; --seeds trains more of each.

A second table has the correlation of the two over the models, its interval, and what is
left of it without the model that carries it most, without models that stayed at chance,
and within the pretrained ones. Several seeds of a model count as one, their mean.

--csv names a file to go on with: models and seeds that it has are read from it, all others
are computed, which takes a training and a quarter of an hour of searches each, and added.
With --stored nothing is computed: models of which the store lacks a result are left out.
Delete a line of the file to measure its model again. -o draws the figure.`,
		Example: `  sd generalize --csv models/generalization.csv --stored -o figure06.png
  sd generalize course-contrastive-32 --seeds 1,2,3
  sd generalize discrimination-32-clip-b16-112 --blocks 0-5 --images 1600`,
		ValidArgs: study.CompositionalPresets(),
		Args:      arguments(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := f.spec()
			if err != nil {
				return misuse(cmd, "%w", err)
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			all, err := f.models(cmd.Context(), a, lab, args, w)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				return fmt.Errorf("the store has all results of none of these models: leave --stored away to compute them (sd plan figure 6 says what that takes)")
			}
			if asJSON {
				return a.printJSON(all)
			}
			points := paper.GeneralizationPoints(all)
			r, err := paper.GeneralizationTable(points)
			if err != nil {
				return err
			}
			if err := a.printTable(paper.GeneralizedTable(all)); err != nil {
				return err
			}
			fmt.Fprintln(a.out)
			if err := a.printTable(r); err != nil || f.figure == "" {
				return err
			}
			drawing, err := paper.Figure6(points)
			if err != nil {
				return err
			}
			return a.saveFigure(drawing, f.figure)
		},
	}
	f.add(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

// generalizeFlags say how models are measured, and where results are kept.
type generalizeFlags struct {
	blocks, recipe string
	test, images   int
	seeds          []uint
	stored         bool
	csv, figure    string
}

func (f *generalizeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.UintSliceVar(&f.seeds, "seeds", []uint{1}, "seeds of presets: of the pretraining, too")
	flags.StringVar(&f.blocks, "blocks", "", `after which blocks to search: "2", "0-5" or "0,2,4" (default all)`)
	flags.StringVar(&f.recipe, "recipe", "", "how searches learn, as for sd das (default what suits the model's size)")
	flags.IntVar(&f.test, "test", study.DASTests, "how many pairs searches are tested on")
	flags.IntVar(&f.images, "images", 0, "images of each test set; 0 for the paper's 6400")
	flags.BoolVar(&f.stored, "stored", false, "only models of which the store or the file has all results; nothing is computed")
	flags.StringVar(&f.csv, "csv", "", "file to go on with: a line for each model and seed")
	flags.StringVarP(&f.figure, "output", "o", "", "file for the figure: .png, .svg, .pdf or .jpg")
}

// spec is how the flags say that models are measured.
func (f *generalizeFlags) spec() (w study.GeneralizationSpec, err error) {
	if len(f.seeds) == 0 || f.test < 1 || f.images < 0 {
		return w, fmt.Errorf("--seeds has %d seeds, --test is %d and --images %d: expected one seed, one pair and 0 images or more", len(f.seeds), f.test, f.images)
	}
	w = study.GeneralizationSpec{Searches: study.DASSweep{Test: f.test}, Images: f.images}
	if w.Searches.Blocks, err = parseBlocks(f.blocks); err == nil && f.recipe != "" {
		w.Searches.Recipe, err = readRecipe(f.recipe)
	}
	return w, err
}

// models measures models, or reads them from the file, and writes what is new there. They come in the order of the file.
func (f *generalizeFlags) models(ctx context.Context, a *app, lab *study.Lab, names []string, w study.GeneralizationSpec) ([]study.Generalization, error) {
	var known []study.Generalization
	if _, err := os.Stat(f.csv); f.csv != "" && err == nil {
		if known, err = study.ReadGeneralizations(f.csv); err != nil {
			return nil, err
		}
	}
	subjects, err := f.subjects(ctx, lab, names, known)
	if err != nil {
		return nil, err
	}
	all := known
	for _, s := range subjects {
		jobs, err := lab.GeneralizationJobs(ctx, s, w)
		if err != nil {
			return nil, err
		}
		if f.stored {
			missing, err := lab.Missing(ctx, jobs)
			if err != nil {
				return nil, err
			}
			if missing > 0 {
				fmt.Fprintf(a.err, "sd: %s is left out: the store lacks %d of %d results\n", s.Name, missing, len(jobs))
				continue
			}
		}
		if err := lab.Work(ctx, study.WithTrainings(jobs)); err != nil {
			return nil, err
		}
		g, err := lab.Generalization(ctx, s, w)
		if err != nil {
			return nil, err
		}
		all = study.MergeGeneralizations(all, []study.Generalization{g})
		if f.csv != "" { // after each, which takes long
			if err := study.SaveGeneralizations(f.csv, all); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// subjects are the models to measure: those that are named, or all analogues, each preset with each seed, but for what the file has.
func (f *generalizeFlags) subjects(ctx context.Context, lab *study.Lab, names []string, known []study.Generalization) (all []study.Subject, err error) {
	if len(names) == 0 {
		names = study.CompositionalPresets()
	}
	has := func(name string, seed uint64) bool {
		return slices.ContainsFunc(known, func(g study.Generalization) bool { return g.Name == name && g.Seed == seed })
	}
	for _, name := range names {
		if _, err := study.Preset(name); err != nil { // a model that is there, with its own seed
			if !slices.ContainsFunc(known, func(g study.Generalization) bool { return g.Name == name }) {
				s, err := lab.Subject(ctx, name)
				if err != nil {
					return nil, err
				}
				all = append(all, s)
			}
			continue
		}
		for _, seed := range f.seeds {
			if has(name, uint64(seed)) {
				continue
			}
			s, err := study.SeededSubject(name, uint64(seed))
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}
