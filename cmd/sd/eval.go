package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
	"samediff/sdlib/paper"
	"samediff/sdlib/photographs"
	"samediff/sdlib/study"
)

func (a *app) evalCommand() *cobra.Command {
	var asJSON bool
	var images int
	var only []string
	var folder string
	var vary bool
	cmd := &cobra.Command{
		Use:   "eval MODEL",
		Short: "A model's accuracy on every set",
		Long: `eval asks a model about each set of the paper's Tables 2 to 6: the images it was
trained on, fresh images of the same objects, and objects with shapes or colors it has
never seen (out of distribution, OOD). A model that has learned the relation, and not
its examples, stays accurate there. Each accuracy comes with Wilson's 95 % interval, and
with the accuracy on pairs that are the same, differ in shape only, in color only, or in
both: averages hide that the pairs which differ in one property are the hard ones.

MODEL is a preset (trained first if need be), a model of the course, the first digits of an
ID, or a folder with config.json and model.safetensors; a folder does not say what its model
learned from, so "train" is then the presets' training set of that geometry, and of the task
that --task names. --set asks about other images instead: photographs, two objects on a
table as in the paper's appendix A.3, or a folder, with a set that sd stimuli export wrote
or images of your own with a metadata.jsonl of their labels (docs/formats.md). --vary
asks about fresh images in which one thing differs that the paper keeps fixed: places off
the patch grid, each object with a size, angle, contrast or texture of its own, noise behind
them, more objects.`,
		Example: `  sd eval quick
  sd eval 3fa2 --images 1000
  sd eval 3fa2 --only "test (IID)"
  sd eval path/to/model --json
  sd eval quick --vary --images 1600
  sd eval quick --set photographs
  sd eval quick --set my-images`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if folder != "" && (images != 0 || only != nil) {
				return misuse(cmd, "--set asks about all images of a folder: leave --images and --only away")
			}
			if vary && (only != nil || folder != "") {
				return misuse(cmd, "--vary asks about sets of its own: leave --only and --set away")
			}
			for _, name := range only {
				if !slices.Contains(study.SetNames, name) {
					return misuse(cmd, "--only: no set is called %q, expected some of %q", name, study.SetNames)
				}
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			m, err := lab.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var sets []study.SetResult
			if vary {
				sets, err = lab.EvaluateVaried(cmd.Context(), m, images)
			} else {
				sets, err = evaluate(cmd.Context(), lab, m, images, only, folder)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(evaluation{m.ID, m.Origin.String(), sets})
			}
			t := paper.BehaviorTable(sets)
			t.Title += " of " + m.Label(args[0])
			return a.printTable(t)
		},
	}
	addJSON(cmd, &asJSON)
	addSet(cmd, &folder)
	a.addTask(cmd)
	cmd.Flags().StringSliceVar(&only, "only", nil, "sets to ask about: "+strings.Join(study.SetNames, ", "))
	cmd.Flags().BoolVar(&vary, "vary", false, "ask about images in which something varies that the paper keeps fixed")
	cmd.Flags().IntVar(&images, "images", 0, "images of each test set (default as in the paper, 6400)")
	return cmd
}

// evaluation is what eval --json prints.
type evaluation struct {
	Model   artifact.ID       `json:"model"`
	Weights string            `json:"weights,omitempty"` // what was done to them
	Sets    []study.SetResult `json:"sets"`
}

// evaluate asks a model about every set, or only some, or about the images of a folder. images,
// where not 0, is the size of the sets that it was not trained on.
func evaluate(ctx context.Context, lab *study.Lab, m *study.Model, images int, only []string, folder string) ([]study.SetResult, error) {
	if folder == "" {
		return lab.EvaluateSize(ctx, m, images, only...)
	}
	set, err := study.ImportSet(folder, m.Config)
	if err != nil {
		return nil, err
	}
	r, err := lab.EvaluateOn(ctx, m, filepath.Base(folder), set)
	return []study.SetResult{r}, err
}

// addSet gives a command the flag --set.
func addSet(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "set", "", "folder of images to use instead, of the size that the model sees; or "+photographs.Name)
}
