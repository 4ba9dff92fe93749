package main

import (
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

// tables are the tables of the paper that the command makes, with their titles.
var tables = map[string]string{
	"1": "Table 1: auxiliary losses, 32 set, trained from scratch",
	"7": "Table 7: the losses taken apart, discrimination",
	"8": "Table 8: the losses taken apart, RMTS",
}

func (a *app) tableCommand() *cobra.Command {
	var trained bool
	scale := study.CourseScale
	var to string
	numbers := []string{"1", "7", "8"}
	cmd := &cobra.Command{
		Use:   "table 1|7|8",
		Short: "Make a table of the paper at course scale",
		Long: `table trains and evaluates the models of one of the paper's tables, with three seeds
each, and shows the mean and the standard deviation over them. Table 1 (section 7) asks
what the auxiliary losses do for models trained from scratch, on the 32 set of both tasks;
Tables 7 and 8 (appendix M) take the losses apart, for discrimination and for RMTS. All
rows of a task have the same data, steps and seeds. The model is the course's smallest,
vit.CourseQuick, with 6 blocks for RMTS.

A table takes one to two hours on two CPU cores. What was trained stays in the store, so
an interrupted table goes on where it stopped, and the tables share their rows; --trained
shows what is there without training more. Rows that the file of --csv has already are
taken from it.`,
		Example: `  sd table 1 --csv table1.csv
  sd table 8 --trained`,
		ValidArgs: numbers,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("table", numbers))),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.Atoi(args[0])
			if err != nil {
				return err
			}
			rows, err := study.AblationTable(number, scale)
			if err != nil {
				return err
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			var known []study.AblationResult
			if _, err := os.Stat(to); to != "" && err == nil {
				if known, err = study.ReadAblation(to); err != nil {
					return err
				}
			}
			results, err := lab.Ablate(cmd.Context(), rows, trained, known...)
			if err != nil {
				return err
			}
			if to != "" {
				if err := writeAblation(to, results); err != nil {
					return err
				}
			}
			return a.printTable(paper.LossTable(tables[args[0]], results))
		},
	}
	cmd.Flags().Var(choice[study.Scale]{&scale, []study.Scale{study.CourseScale, study.PaperScale}}, "scale", "how large the models are: course, or paper (ViT-B/16, 200 epochs; for a GPU)")
	cmd.Flags().BoolVar(&trained, "trained", false, "only the models that the store has")
	cmd.Flags().StringVar(&to, "csv", "", "file to go on with: a line for each model and set, with n and a 95 % interval")
	return cmd
}

// writeAblation writes results aside and renames the file.
func writeAblation(path string, results []study.AblationResult) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	if err := study.WriteAblation(f, results); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
