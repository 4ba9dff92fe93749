package main

import (
	"context"

	"github.com/spf13/cobra"

	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

func (a *app) evalCommand() *cobra.Command {
	var asJSON bool
	var images int
	cmd := &cobra.Command{
		Use:   "eval MODEL",
		Short: "A model's accuracy on every set",
		Long: `eval asks a model about each set of the paper's Tables 2 to 6: the images it was
trained on, fresh images of the same objects, and objects with shapes or colors it has
never seen (out of distribution, OOD). A model that has learned the relation, and not
its examples, stays accurate there. Each accuracy comes with Wilson's 95 % interval, and
with the accuracy on pairs that are the same, differ in shape only, in color only, or in
both: averages hide that the pairs which differ in one property are the hard ones.

MODEL is a preset (trained first if need be), the first digits of an ID, or a folder with
config.json and model.safetensors; a folder does not say what its model learned from, so
"train" is then the presets' training set of that geometry.`,
		Example: `  sd eval quick
  sd eval 3fa2 --images 1000
  sd eval path/to/model --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			m, err := lab.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			sets, err := evaluate(cmd.Context(), lab, m, images)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]any{"model": m.ID, "sets": sets})
			}
			return a.printTable(paper.BehaviorTable(sets))
		},
	}
	addJSON(cmd, &asJSON)
	cmd.Flags().IntVar(&images, "images", 0, "images of each test set (default as in the paper, 6400)")
	return cmd
}

// evaluate asks a model about every set; images, where not 0, is the size of those it was not trained on.
func evaluate(ctx context.Context, lab *study.Lab, m *study.Model, images int) ([]study.SetResult, error) {
	if images == 0 {
		return lab.Evaluate(ctx, m)
	}
	c, err := m.Training.Stimuli.Resolved()
	if err != nil {
		return nil, err
	}
	sets := study.Sets(c)
	for i := range sets {
		if sets[i].Stimuli.Split != stimuli.Train {
			sets[i].Stimuli.Size = images
		}
		if sets[i], err = lab.EvaluateOn(ctx, m, sets[i].Name, sets[i].Stimuli); err != nil {
			return nil, err
		}
	}
	return sets, nil
}
