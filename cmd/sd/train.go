package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"samediff/sdlib/finetune"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

func (a *app) trainCommand() *cobra.Command {
	var f trainFlags
	var asJSON bool
	var parallel int
	presets := slices.Sorted(maps.Keys(study.Presets))
	cmd := &cobra.Command{
		Use:   "train [PRESET]",
		Short: "Train a model, or read it from the store",
		Long: `train makes a vision transformer that answers "same" or "different" about pictures
of two objects (section 2 of the paper). It starts from random weights and
minimizes the cross-entropy of the answer with AdamW. --losses adds the auxiliary losses
of section 7. disentangle: linear probes, trained jointly, read an object's shape from
one half of the residual stream and its color from the other, so the model learns to
keep the two apart. pipeline: chosen heads are rewarded for attending within an object
(wo), then within a pair (wp), then between the pairs of RMTS (bp). relation, which the
paper lacks: a linear probe reads from a pair's tokens whether its objects are the same;
without it small models do not learn RMTS.

A preset is a starting point: "quick" (the default; discrimination, one token per object,
two to three minutes on two cores), "course" (four tokens per object, ten minutes) or
"rmts" (relational match-to-sample, three to five minutes).
"clip-b16-112" fine-tunes CLIP at half the resolution in a quarter of an hour on two cores,
"clip-b16-112-rmts" goes on from there; "clip-b16-minutes" is at the paper's 224 pixels and
takes half an hour. sd model fetch gets their weights. The others are the paper's:
"clip-b16" and its like start from weights of the Hugging Face hub, "scratch-b16" from
random ones, and train for 200 epochs on images of 224 pixels, which takes a GPU; -rmts and
-32 behind the name choose the task and the 32 set. --start begins from a folder with any
model that sd model show can read. Each flag changes one field of the preset.

A training is named by all of its fields: the same command again reads the model from
the store, and a training that was interrupted, by ctrl-c or kill -9, goes on where it
stopped and ends with the same weights. --parallel splits each batch over several GPUs: the
same training up to rounding, so its name is the same.`,
		Example: `  sd train quick
  sd train quick --losses none       # the task loss alone
  sd train course --seed 2 --epochs 30
  sd train dinov2-b14 --task rmts --epochs 30
  sd train course --start path/to/model
  sd train quick --same-in color     # another relation than the paper's
  sd train rmts --losses disentangle+pipeline --objects 32
  sd train quick --recipe my.json`,
		ValidArgs: presets,
		Args: arguments(cobra.MatchAll(cobra.MaximumNArgs(1), func(_ *cobra.Command, args []string) error {
			for _, name := range args {
				if _, err := study.Preset(name); err != nil {
					return err
				}
			}
			return nil
		})),
		RunE: func(cmd *cobra.Command, args []string) error {
			preset := "quick"
			if len(args) == 1 {
				preset = args[0]
			}
			lab, err := a.lab(func(o *study.Options) { o.Devices = parallel })
			if err != nil {
				return err
			}
			t, err := f.apply(cmd, study.Presets[preset])
			if err != nil {
				return err
			}
			m, err := lab.Train(cmd.Context(), t)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]any{"id": m.ID, "stored": m.Trained, "folder": m.Dir, "training": m.Training, "history": m.History})
			}
			last := m.History[len(m.History)-1]
			fmt.Fprintf(a.out, "model     %s\n", m.Label(m.ID.Short()))
			fmt.Fprintf(a.out, "accuracy  %.3f on training images", last.Train)
			if last.Val >= 0 {
				fmt.Fprintf(a.out, ", %.3f on validation images", last.Val)
			}
			_, err = fmt.Fprintf(a.out, "\nfolder    %s\n", m.Dir)
			return err
		},
	}
	f.add(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().IntVar(&parallel, "parallel", 1, "GPUs of this machine that each batch is split over, in equal parts")
	return cmd
}

// trainFlags hold the fields of a training that the command line can change.
type trainFlags struct {
	study.Training
	seed   uint64
	losses string
	recipe string
	best   bool
}

func (f *trainFlags) add(cmd *cobra.Command) {
	f.Training = study.Quick
	flags := cmd.Flags()
	// A flag's default is the preset's field, whichever that is, so help shows none.
	flags.Uint64Var(&f.seed, "seed", 0, "seed of everything random: starting weights, images, their order; of a training before this one too")
	flags.Uint64Var(&f.ModelSeed, "model-seed", 0, "seed of the starting weights alone")
	flags.Uint64Var(&f.Stimuli.Seed, "stimuli-seed", 0, "seed of the images alone")
	flags.IntVar(&f.Stimuli.Size, "images", 0, "number of training images")
	flags.IntVar(&f.Val, "val", 0, "number of validation images, looked at after each epoch; 0 for none")
	flags.IntVar(&f.Recipe.Epochs, "epochs", 0, "passes over the training images")
	flags.IntVar(&f.Recipe.Batch, "batch", 0, "images per step")
	flags.Float64Var(&f.Recipe.LR, "lr", 0, "learning rate at its highest")
	flags.IntVar(&f.Recipe.Warmup, "warmup", 0, "steps over which the learning rate rises")
	flags.StringVar(&f.losses, "losses", "", "auxiliary losses: none, or disentangle, pipeline (or its parts wo, wp, bp), relation, with a plus between them")
	flags.IntVar(&f.Recipe.Disentangle.After, "after", 0, "block whose output the disentanglement loss reads, from 0")
	flags.IntVar(&f.Recipe.Relation.After, "relation-after", 0, "block whose output the relation loss reads, from 0")
	flags.BoolVar(&f.Recipe.Fresh, "fresh", false, "new images for every epoch")
	flags.BoolVar(&f.best, "best", false, "keep the weights of the best epoch by validation accuracy, not the last")
	flags.IntVar(&f.Model.Blocks, "blocks", 0, "blocks of the model")
	flags.StringVar(&f.Start, "start", "", "folder with a model to start from, which gets a new head; with --geometry where its images are not the preset's")
	flags.StringVar(&f.recipe, "recipe", "", "JSON file with a whole recipe, which the other flags change; --json prints one under training.recipe")
	addStimuli(cmd, &f.Stimuli)
	for _, name := range []string{"geometry", "task", "objects"} {
		flags.Lookup(name).DefValue = ""
	}
}

// apply returns the preset with the fields changed whose flags were given.
func (f *trainFlags) apply(cmd *cobra.Command, t study.Training) (study.Training, error) {
	if f.recipe != "" {
		var err error
		if t.Recipe, err = finetune.ReadRecipe(f.recipe); err != nil {
			return t, err
		}
	}
	for _, change := range []struct {
		flag  string
		apply func()
	}{
		{"seed", func() { t = t.WithSeed(f.seed) }},
		{"model-seed", func() { t.ModelSeed = f.ModelSeed }},
		{"stimuli-seed", func() { t.Stimuli.Seed = f.Stimuli.Seed }},
		{"images", func() { t.Stimuli.Size = f.Stimuli.Size }},
		{"val", func() { t.Val = f.Val }},
		{"epochs", func() { t.Recipe.Epochs = f.Recipe.Epochs }},
		{"batch", func() { t.Recipe.Batch = f.Recipe.Batch }},
		{"lr", func() { t.Recipe.LR = f.Recipe.LR }},
		{"warmup", func() { t.Recipe.Warmup = f.Recipe.Warmup }},
		{"after", func() { t.Recipe.Disentangle.After = f.Recipe.Disentangle.After }},
		{"relation-after", func() { t.Recipe.Relation.After = f.Recipe.Relation.After }},
		{"fresh", func() { t.Recipe.Fresh = f.Recipe.Fresh }},
		{"blocks", func() { t.Model.Blocks = f.Model.Blocks }},
		{"task", func() { t.Stimuli.Task = f.Stimuli.Task }},
		{"same-in", func() { t.Stimuli.Factors.Relation = f.Stimuli.Factors.Relation }},
		{"objects", func() { t.Stimuli.Objects = f.Stimuli.Objects }},
		{"geometry", func() { // the preset's model, with as many tokens as the images need
			t.Stimuli.Geometry = f.Stimuli.Geometry
			t.Model.Image, t.Model.Patch = f.Stimuli.Geometry.Image, f.Stimuli.Geometry.Patch
		}},
	} {
		if cmd.Flags().Changed(change.flag) {
			change.apply()
		}
	}
	if f.Start != "" {
		if cmd.Flags().Changed("blocks") {
			return t, misuse(cmd, "--blocks: the model that --start names says how many it has")
		}
		t.Start, t.Source, t.Model = f.Start, "", vit.Config{} // the folder says what the model is
	}
	if cmd.Flags().Changed("best") {
		t.Recipe.Keep = finetune.Last
		if f.best {
			t.Recipe.Keep = finetune.Best
		}
	}
	if cmd.Flags().Changed("losses") {
		losses, err := study.ParseLosses(f.losses, t.Stimuli.Task)
		if err != nil {
			return t, misuse(cmd, "%w", err)
		}
		t = losses.Apply(t)
	}
	return t, nil
}
