package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/pretrain"
	"samediff/sdlib/study"
)

func (a *app) pretrainCommand() *cobra.Command {
	var f pretrainFlags
	var asJSON bool
	var to string
	names := make([]string, len(pretrain.Objectives))
	for i, o := range pretrain.Objectives {
		names[i] = string(o)
	}
	cmd := &cobra.Command{
		Use:   "pretrain OBJECTIVE",
		Short: "Pretrain a small model on scenes, or read it from the store",
		Long: `pretrain makes an analogue of one of the paper's pretrained models: a small vision
transformer that has seen pictures before it learns a task. The objectives are those of the
literature: supervised (name what is there: ImageNet's ViT), contrastive (find a picture's
caption among others: CLIP), masked (draw the patches that are left out: MAE) and distilled
(agree with a moving average of oneself on other views: DINO). The pictures are scenes of
random outlines, textures and grounds, drawn as they are needed; the objects of the tasks
are not among them.

Each takes about a quarter of an hour on one core. The loss is shown beside what guessing
costs: only below that does the model know something. Each flag changes one field of the
preset. A pretraining is named by all of its fields: the same command again reads the model
from the store, and one that was interrupted, by ctrl-c or kill -9, goes on where it stopped
and ends with the same weights. sd train course-OBJECTIVE fine-tunes the presets' models,
and sd train course --start FOLDER any.`,
		Example: `  sd pretrain contrastive
  sd train course-contrastive        # pretrains, too, if need be
  sd pretrain supervised --distinct 2048   # the same few pictures in every epoch
  sd pretrain masked --seed 2 --epochs 6
  sd pictures fetch && sd pretrain supervised --emoji`,
		ValidArgs: names,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("objective", names))),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			p := f.apply(cmd, study.Analogues[pretrain.Objective(args[0])])
			if f.emoji {
				pack, err := openEmoji()
				if err != nil {
					return err
				}
				p.Scenes.Emoji = pack.Identity()
			}
			m, err := lab.Pretrain(cmd.Context(), p)
			if err != nil {
				return err
			}
			if to != "" {
				if err := study.SavePretrainings(to, m.Pretraining.Curve(m.ID, m.History)); err != nil {
					return err
				}
			}
			if asJSON {
				return a.printJSON(map[string]any{"id": m.ID, "folder": m.Dir, "pretraining": m.Pretraining, "history": m.History})
			}
			last := m.History[len(m.History)-1]
			fmt.Fprintf(a.out, "model     %s\n", m.ID.Short())
			fmt.Fprintf(a.out, "measured  %s\n", last)
			guess, what := m.Pretraining.Guess(last)
			fmt.Fprintf(a.out, "guessing  %.3f: the loss of %s\n", guess, what)
			_, err = fmt.Fprintf(a.out, "folder    %s\n", m.Dir)
			return err
		},
	}
	f.add(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().StringVar(&to, "csv", "", "file for how it went: a line for each epoch, beside those of other pretrainings")
	return cmd
}

// pretrainFlags hold the fields of a pretraining that the command line can change.
type pretrainFlags struct {
	study.Pretraining
	seed  uint64
	emoji bool
}

func (f *pretrainFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	// A flag's default is the preset's field, whichever that is.
	flags.Uint64Var(&f.seed, "seed", 0, "seed of everything random: starting weights, scenes, their order and parts")
	flags.IntVar(&f.Recipe.Epochs, "epochs", 0, "passes")
	flags.IntVar(&f.Recipe.Images, "images", 0, "scenes of an epoch, new ones in each")
	flags.IntVar(&f.Scenes.Distinct, "distinct", 0, "how many different scenes there are, in all epochs together; 0 for no end")
	flags.IntVar(&f.Recipe.Batch, "batch", 0, "scenes per step")
	flags.Float64Var(&f.Recipe.LR, "lr", 0, "learning rate at its highest")
	flags.IntVar(&f.Recipe.Warmup, "warmup", 0, "steps over which the learning rate rises")
	flags.IntVar(&f.Model.Blocks, "blocks", 0, "blocks of the model")
	flags.BoolVar(&f.emoji, "emoji", false, "scenes of emoji in place of random outlines: sd pictures fetch brings them")
}

// apply returns the preset with the fields changed whose flags were given.
func (f *pretrainFlags) apply(cmd *cobra.Command, p study.Pretraining) study.Pretraining {
	for _, change := range []struct {
		flag  string
		apply func()
	}{
		{"seed", func() { p = p.WithSeed(f.seed) }},
		{"epochs", func() { p.Recipe.Epochs = f.Recipe.Epochs }},
		{"images", func() { p.Recipe.Images = f.Recipe.Images }},
		{"distinct", func() { p.Scenes.Distinct = f.Scenes.Distinct }},
		{"batch", func() { p.Recipe.Batch = f.Recipe.Batch }},
		{"lr", func() { p.Recipe.LR = f.Recipe.LR }},
		{"warmup", func() { p.Recipe.Warmup = f.Recipe.Warmup }},
		{"blocks", func() { p.Model.Blocks = f.Model.Blocks }},
	} {
		if cmd.Flags().Changed(change.flag) {
			change.apply()
		}
	}
	return p
}
