package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) seedsCommand() *cobra.Command {
	var seeds []uint
	var sets []string
	var images int
	var trained bool
	var to, curves, set string
	presets := slices.Sorted(maps.Keys(study.Presets))
	cmd := &cobra.Command{
		Use:   "seeds PRESET...",
		Short: "Train presets with several seeds, and compare their accuracy",
		Long: `seeds trains presets with several seeds of everything random, the starting weights or the
head, the images and their order, as sd train PRESET --seed N does, where the store does not
have that, and sets their accuracy on fresh images beside each other: what one training
shows may be its seed's. --trained shows what is there without training more. --curves
writes how each training went, the accuracy on validation images after every epoch, and
adds how many images it took to be right in three quarters and in nine tenths of them.
"analogues" stands for the fine-tunings of all pretrained analogues and of their control.
--set asks about all images of a folder instead, or about photographs, as in sd eval.`,
		Example: `  sd seeds quick
  sd seeds clip-b16-112-rmts clip-b16-112-rmts-direct --csv clip-rmts.csv
  sd seeds course-scratch course-contrastive --curves curves.csv
  sd seeds analogues --trained --only all
  sd seeds course-scratch-32 course-contrastive-32 --trained --set emoji-pairs`,
		ValidArgs: append(presets, "analogues"),
		Args: arguments(cobra.MatchAll(cobra.MinimumNArgs(1), func(_ *cobra.Command, args []string) error {
			for _, name := range expanded(args) {
				if _, err := study.Preset(name); err != nil {
					return err
				}
			}
			return nil
		})),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(seeds) == 0 || images < 0 {
				return misuse(cmd, "--seeds has %d seeds, --images is %d: expected one seed or more, and 0 images (the paper's 6400) or more", len(seeds), images)
			}
			if slices.Equal(sets, []string{"all"}) {
				sets = study.SetNames
			}
			args = expanded(args)
			for _, name := range sets {
				if !slices.Contains(study.SetNames, name) {
					return misuse(cmd, "--only: no set is called %q, expected some of %q", name, study.SetNames)
				}
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			var known, all []study.SeedResult
			if _, err := os.Stat(to); to != "" && err == nil {
				if known, err = study.ReadSeeds(to); err != nil {
					return err
				}
			}
			var numbers []uint64
			for _, seed := range seeds {
				numbers = append(numbers, uint64(seed))
			}
			for _, preset := range args {
				if set != "" {
					results, err := lab.SeedsOn(cmd.Context(), preset, numbers, set, trained)
					if err != nil {
						return err
					}
					all = append(all, results...)
					continue
				}
				results, err := lab.Seeds(cmd.Context(), preset, numbers, images, sets, trained, known...)
				if err != nil {
					return err
				}
				all = append(all, results...)
			}
			if to != "" {
				if err := study.SaveSeeds(to, all); err != nil {
					return err
				}
			}
			if err := a.printTable(paper.SeedTable(all)); err != nil || curves == "" {
				return err
			}
			return a.curves(cmd.Context(), lab, args, numbers, trained, curves)
		},
	}
	flags := cmd.Flags()
	flags.UintSliceVar(&seeds, "seeds", []uint{1, 2, 3}, "the seeds")
	flags.StringSliceVar(&sets, "only", []string{"test (IID)"}, "sets to ask about: "+strings.Join(study.SetNames, ", ")+", or all")
	flags.IntVar(&images, "images", 1600, "images of each test set")
	flags.StringVar(&set, "set", "", "folder of images to use instead, of the size that the models see; or photographs")
	flags.BoolVar(&trained, "trained", false, "only the models that the store has")
	flags.StringVar(&curves, "curves", "", "file to go on with: a line for each preset, seed and epoch")
	flags.StringVar(&to, "csv", "", "file to go on with: a line for each preset, seed and set, with n and a 95 % interval")
	cmd.MarkFlagsMutuallyExclusive("set", "only")
	cmd.MarkFlagsMutuallyExclusive("set", "images")
	return cmd
}

// expanded writes out what "analogues" stands for.
func expanded(presets []string) (all []string) {
	for _, name := range presets {
		if name == "analogues" {
			all = append(all, study.AnaloguePresets()...)
			continue
		}
		all = append(all, name)
	}
	return all
}

// curves writes how trainings went to a file, behind what it has already, and shows how long they took to learn.
func (a *app) curves(ctx context.Context, lab *study.Lab, presets []string, seeds []uint64, trained bool, path string) error {
	var known []study.CurvePoint
	if _, err := os.Stat(path); err == nil {
		if known, err = study.ReadCurves(path); err != nil {
			return err
		}
	}
	var more []study.CurvePoint
	for _, preset := range presets {
		points, err := lab.Curves(ctx, preset, seeds, trained, known...)
		if err != nil {
			return err
		}
		for _, p := range points {
			if !slices.ContainsFunc(known, func(k study.CurvePoint) bool { return k.Preset == p.Preset && k.Seed == p.Seed }) {
				more = append(more, p)
			}
		}
	}
	if err := study.SaveCurves(path, more); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	return a.printTable(paper.CurveTable(append(known, more...)))
}
