package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
	"samediff/sdlib/study"
)

func (a *app) storeRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rm ID...",
		Short: "Remove results",
		Long: `rm removes results from the store, without asking: the finished one, what an
interrupted computation left of it, and damaged copies. Each ID may be shortened as long
as it is unique. What was made from a removed result stays, and a result that is being
computed is not removed.`,
		Example: `  sd store rm 3fa2`,
		Args:    arguments(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			for _, prefix := range args {
				info, err := s.Find(prefix)
				if err != nil {
					return err
				}
				if err := s.Remove(info.ID); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "removed %s (%s, %s)\n", info.ID.Short(), info.Meta.Step, size(info.Size))
			}
			return nil
		},
	}
	return cmd
}

func (a *app) storeCollectCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove what is kept only to save time, and damaged copies",
		Long: `gc frees space without losing a result: it removes the activations that probes and
interventions read again and again, which are the largest files by far and are computed
anew when they are asked for, and copies that were set aside as damaged. Models,
accuracies and scores stay, and so does what is being computed. --dry-run lists what it
would remove.`,
		Example: `  sd store gc --dry-run
  sd store gc`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, infos, err := a.stored(cmd.Context())
			if err != nil {
				return err
			}
			count, total, verb := 0, int64(0), "removed"
			if dry {
				verb = "would remove"
			}
			for _, i := range infos {
				cache := i.State == artifact.Finished && slices.Contains(study.Caches, i.Meta.Step)
				if aside := i.State == artifact.Damaged && i.Problem == nil; !cache && !aside {
					continue
				}
				if !dry {
					if cache {
						err = s.Remove(i.ID)
					} else {
						err = s.RemoveDamaged(i)
					}
					if err != nil {
						return err
					}
				}
				count, total = count+1, total+i.Size
				fmt.Fprintf(a.out, "%s %s (%s, %s, %s)\n", verb, i.ID.Short(), i.Meta.Step, i.State, size(i.Size))
			}
			_, err = fmt.Fprintf(a.out, "%s %d results, %s\n", verb, count, size(total))
			return err
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "remove nothing, list what would be removed")
	return cmd
}
