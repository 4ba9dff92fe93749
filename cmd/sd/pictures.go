package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/emoji"
	"samediff/sdlib/scenes"
	"samediff/sdlib/stimuli"
)

func (a *app) picturesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pictures",
		Short: "Fetch pictures of everyday things, and make a same-different set of them",
		Long: `Pictures of everyday things, emoji, with their names: real pictures that
sd pretrain --emoji makes scenes of, and a same-different set that is neither silhouettes
nor photographs. Nothing else needs them. The objects of the tasks, such as stars and
mushrooms, are left out.`,
	}
	return group(cmd, a.picturesFetchCommand(), a.picturesPairsCommand())
}

func (a *app) picturesFetchCommand() *cobra.Command {
	var o emoji.Options
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Bring the emoji and their names onto this machine",
		Long: `fetch lets npm download two packages, 78 MB: the pictures of
@lobehub/fluent-emoji-3d 1.1.0 and the names of emoji-datasource-twitter 16.0.0, both under
the MIT license (your registries, mirrors and proxies hold, see npm config list; SD_NPM
names another npm). The packages are not installed and nothing in them runs: each is
checked by its SHA-256, the pictures are scaled and kept in $SD_EMOJI, or in a folder of
your cache, and the packages are deleted.`,
		Example: `  sd pictures fetch`,
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !a.quiet {
				o.Say = func(text string) { fmt.Fprintln(a.err, text) }
			}
			dir, err := emoji.Fetch(cmd.Context(), o)
			if err != nil {
				return err
			}
			pack, err := emoji.Open(dir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "pictures  %d\nfolder    %s\n", len(pack.Pictures), dir)
			return err
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder that gets them, where other commands look if $SD_EMOJI names it (default $SD_EMOJI, else one in your cache)")
	return cmd
}

func (a *app) picturesPairsCommand() *cobra.Command {
	p := scenes.Pairs{Geometry: stimuli.Course}
	var to string
	cmd := &cobra.Command{
		Use:   "pairs -o FOLDER",
		Short: "Write a same-different set of emoji",
		Long: `pairs writes images of two emoji, half of them of the same one, where a discrimination
set of the tasks has its objects. The same emoji is never the same picture: each has a
size, an offset, a brightness and noise of its own. Every command that takes --set takes
the folder. Interrupted, even by kill -9, the same command goes on.`,
		Example: `  sd pictures fetch && sd pictures pairs -o emoji-pairs
  sd eval course-contrastive --set emoji-pairs`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return misuse(cmd, "%w", errors.New("-o is missing: expected a folder"))
			}
			pack, err := openEmoji()
			if err != nil {
				return err
			}
			if err := p.Write(cmd.Context(), to, pack); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, to)
			return err
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "folder: a new or empty one, or one with the same set to go on with")
	cmd.Flags().Var(geometryFlag{&p.Geometry}, "geometry", "sizes of the images")
	cmd.Flags().IntVar(&p.Size, "images", 1600, "number of images")
	cmd.Flags().Uint64Var(&p.Seed, "seed", 1, "seed of the images")
	cmd.Flags().IntVar(&p.Held, "held", 20, "take only emoji of the held-out percentage, which pretraining did not show; 0 for all")
	return cmd
}

// openEmoji opens the pack in its default folder.
func openEmoji() (*emoji.Pack, error) {
	dir, err := emoji.DefaultDir()
	if err != nil {
		return nil, err
	}
	return emoji.Open(dir)
}
