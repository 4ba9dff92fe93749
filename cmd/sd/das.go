package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

func (a *app) dasCommand() *cobra.Command {
	var f dasFlags
	var asJSON bool
	var to, folder string
	cmd := &cobra.Command{
		Use:   "das MODEL",
		Short: "Where a model keeps shape and color: distributed alignment search",
		Long: `das searches the residual stream after each block for a subspace that holds an object's
shape or color and nothing else (section 4 of the paper). It learns a rotation and a mask of
dimensions on pairs of images. Then it swaps the subspace between the two images of pairs
that it has not learned from: the accuracy is the share of answers that become what the
swap should make them.

An intervention that changes nothing is right where the model is wrong, so "1 - base" is
the level of a useless one. Controls are searches that ought to fail: swapping from the
other object, from random patches, in a random rotation, with shuffled labels, or in a
model with random weights. One ought to succeed: held-out learns from 12 of the 16 shapes
or colors and is tested on the other 4 (the seed says which). --method finds
subspaces by other means: lowrank learns as many directions as the search finds, without a
mask, and boundless where they end (Wu et al. 2023). Without a search there are what a
linear probe of the property reads (probe), the principal directions of the state (pca),
those between the means of the property's values (means), and all of the state (whole).

Each search is kept when it is done. Interrupted, even by kill -9, the same command goes on;
several processes that share the store share the work. The recipe is that of the paper for
a ViT-B at 224 pixels, "cpu" for one with smaller images, and "course" for smaller models,
unless --recipe names one, or a JSON file with a recipe's fields. A MODEL that is a preset,
such as clip-b16-112, is trained first if the store does not have it.`,
		Example: `  sd das discrimination-256-course --blocks 0-2 --csv das.csv
  sd das discrimination-256-clip-b16-112 --property color --blocks 2
  sd das discrimination-256-course --blocks 0 --control none,wrong-object,held-out
  sd das discrimination-256-course --blocks 0 --method das,pca,whole`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			what, err := f.sweep()
			if err != nil {
				return misuse(cmd, "%w", err)
			}
			return searches.run(cmd.Context(), a, args[0], what, to, asJSON, func(lab *study.Lab, m *study.Model, queries []study.DASQuery) error {
				if folder == "" {
					return nil
				}
				return saveInterventions(cmd.Context(), lab, m, queries, folder)
			})
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().StringVar(&to, "csv", "", "file for the results: a line each, with n and Wilson's 95 % interval")
	cmd.Flags().StringVar(&folder, "save", "", "folder for the interventions: rotation and mask as safetensors, the rest as JSON, in a folder each")
	return cmd
}

// saveInterventions writes what searches have found to folders of their own, such as block02-color.
func saveInterventions(ctx context.Context, lab *study.Lab, m *study.Model, queries []study.DASQuery, folder string) error {
	for _, q := range queries {
		if das.Derived(m.Config, q.Block) { // there is none
			continue
		}
		v, err := lab.Intervention(ctx, m, q.DASSearch)
		if err != nil {
			return err
		}
		dir := filepath.Join(folder, v.Name())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := v.Save(dir); err != nil {
			return err
		}
	}
	return nil
}

// dasFlags choose a sweep.
type dasFlags struct {
	blocks, property, recipe string
	controls, methods        []string
	seeds                    []uint
	split                    stimuli.Split
	test                     int
}

func (f *dasFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.controls, "control", []string{"none"}, "searches to compare with: "+names(das.Controls))
	cmd.Flags().StringSliceVar(&f.methods, "method", []string{"das"}, "how subspaces are found: "+names(das.Methods))
	f.addSearch(cmd)
}

// addSearch adds the flags that choose searches and what they are tested on.
func (f *dasFlags) addSearch(cmd *cobra.Command) {
	f.split = stimuli.TestIID
	cmd.Flags().StringVar(&f.blocks, "blocks", "", `after which blocks: "2", "0-5" or "0,2,4" (default all)`)
	cmd.Flags().StringVar(&f.property, "property", "both", "shape, color, or both")
	cmd.Flags().StringVar(&f.recipe, "recipe", "", "how to learn: "+strings.Join(slices.Sorted(maps.Keys(das.Recipes)), ", ")+", or a JSON file (default what suits the model's size)")
	cmd.Flags().UintSliceVar(&f.seeds, "seed", []uint{1}, "of the random start and the order of pairs; several make a search each")
	cmd.Flags().Var(choice[stimuli.Split]{&f.split, splits}, "split", "of the pairs to test on: "+join(splits))
	cmd.Flags().IntVar(&f.test, "test", study.DASTests, "how many pairs to test on (the paper: 2000)")
}

// names lists what has names.
func names[T fmt.Stringer](all []T) string {
	var names []string
	for _, x := range all {
		names = append(names, x.String())
	}
	return strings.Join(names, ", ")
}

// sweep is what the flags ask for.
func (f *dasFlags) sweep() (w study.DASSweep, err error) {
	w = study.DASSweep{Split: f.split, Test: f.test}
	if w.Blocks, err = parseBlocks(f.blocks); err != nil {
		return w, err
	}
	switch p := stimuli.Property(f.property); p {
	case "both":
	case stimuli.ShapeProperty, stimuli.ColorProperty:
		w.Properties = []stimuli.Property{p}
	default:
		return w, fmt.Errorf("--property is %q, expected shape, color or both", f.property)
	}
	for _, name := range f.controls {
		c, err := das.ParseControl(name)
		if err != nil {
			return w, err
		}
		w.Controls = append(w.Controls, c)
	}
	for _, name := range f.methods {
		m, err := das.ParseMethod(name)
		if err != nil {
			return w, err
		}
		w.Methods = append(w.Methods, m)
	}
	for _, seed := range f.seeds {
		w.Seeds = append(w.Seeds, uint64(seed))
	}
	if f.recipe != "" {
		w.Recipe, err = readRecipe(f.recipe)
	}
	return w, err
}

// parseBlocks reads a list of blocks such as "0-3,6"; "" is nil.
func parseBlocks(text string) (blocks []int, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first > last {
			return nil, fmt.Errorf("--blocks is %q, expected numbers and ranges of them, such as 0-3,6", text)
		}
		for l := first; l <= last; l++ {
			blocks = append(blocks, l)
		}
	}
	return blocks, nil
}

// readRecipe returns the recipe of a name, or that in a JSON file.
func readRecipe(name string) (das.Recipe, error) {
	if r, ok := das.Recipes[name]; ok {
		return r, nil
	}
	r, err := das.ReadRecipe(name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("--recipe is %q, which is none of %s, and no file: %w", name, strings.Join(slices.Sorted(maps.Keys(das.Recipes)), ", "), err)
	}
	if err != nil {
		return r, fmt.Errorf("--recipe: %w", err)
	}
	return r, nil
}

// searches are what sd das runs.
var searches = sweep[study.DASSweep, study.DASQuery, study.DASRow]{(*study.Lab).DASQueries, study.DASJobs, (*study.Lab).DASRows, study.SaveDAS, dasTable}

// dasTable sets out the results of a sweep.
func dasTable(rows []study.DASRow) figure.Table {
	t := figure.Table{Columns: append([]string{"block", "property", "method", "control", "seed"}, outcomeColumns...)}
	for _, r := range rows {
		t.Add(append([]any{r.Block, string(r.Property), r.Method.String(), r.Control.String(), r.Seed}, outcome(r.DASResult)...)...)
	}
	return t
}
