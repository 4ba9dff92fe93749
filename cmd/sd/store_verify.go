package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
)

// verdict is what verify says about one result.
type verdict struct {
	ID      artifact.ID `json:"id"`
	Step    string      `json:"step"`
	OK      bool        `json:"ok"`
	Problem string      `json:"problem,omitempty"`
}

func (a *app) storeVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [ID...]",
		Short: "Read results in full and compare their checksums",
		Long: `verify reads every file of the results with these IDs, or of all finished results,
and compares it with the SHA-256 recorded when it was made. A damaged result is set aside,
so that the next one to ask for it computes it again. The exit status is 1 if any was
damaged.`,
		Example: `  sd store verify
  sd store verify 3fa2`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			infos, err := chosen(cmd.Context(), s, args)
			if err != nil {
				return err
			}
			verdicts, damaged := []verdict{}, 0
			for _, i := range infos {
				v := verdict{ID: i.ID, Step: i.Meta.Step, OK: true}
				err := s.Verify(cmd.Context(), i.ID)
				if damage := (*artifact.DamageError)(nil); errors.As(err, &damage) {
					v.OK, v.Problem = false, oneLine(err)
					damaged++
				} else if err != nil {
					return err
				}
				verdicts = append(verdicts, v)
			}
			if err := a.printVerdicts(verdicts, asJSON); err != nil {
				return err
			}
			if damaged > 0 {
				return fmt.Errorf("%d of %d results are damaged", damaged, len(verdicts))
			}
			return nil
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printVerdicts(verdicts []verdict, asJSON bool) error {
	if asJSON {
		return a.printJSON(verdicts)
	}
	for _, v := range verdicts {
		line := "ok       " + v.ID.Short() + "  " + v.Step
		if !v.OK {
			line = "damaged  " + v.ID.Short() + "  " + v.Problem
		}
		fmt.Fprintln(a.out, line)
	}
	return nil
}
