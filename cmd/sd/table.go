package main

import (
	"os"

	"github.com/spf13/cobra"

	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) tableCommand() *cobra.Command {
	var f itemFlags
	var to string
	numbers := paper.Numbers(paper.ATable)
	cmd := &cobra.Command{
		Use:   "table NUMBER",
		Short: "Make a table of the paper",
		Long: `table makes a table of the paper from models, which are trained and evaluated where the
store does not have that. Tables 2 to 5 set the models beside each other, for each task on
all 256 combinations of shape and color and on 32 of them, with the pictures that they saw
before; Table 6 has one kind of model on both tasks and sets. Below stand the accuracies
that the paper's authors logged. Without --model these tables are read from what comes with
the repository, real models, analogues and small ones from scratch: nothing is computed.

Tables 1, 7 and 8 are about auxiliary losses, with three seeds for each row, and show the
mean and the standard deviation over them. Table 1 (section 7) asks what the losses do for
models trained from scratch, on the 32 set of both tasks; Tables 7 and 8 (appendix M) take
them apart, for discrimination and for RMTS. All rows of a task have the same data, steps
and seeds; the model is the course's smallest, vit.CourseQuick, with 6 blocks for RMTS.
Such a table takes one to two hours on two CPU cores. What was trained stays in the store,
so an interrupted table goes on where it stopped, and the tables share their rows. Rows
that the file of --csv has already are taken from it, and all of its rows stay in it.

Some tables have names. Table stages says in which block the attention within objects,
within pairs, between pairs and to the background is strongest (section 3), and how many
of the bootstrap resamples of the images agree; table statements compares that with what
the paper says of CLIP and DINOv2. Tables photographs and photograph-stages have accuracies
and stages in photographs, which no model here was trained on (appendix A.3).

--trained shows what is there without training more; sd plan shows what that would take.`,
		Example: `  sd table 1 --csv table1.csv
  sd table 3
  sd table 8 --trained
  sd table stages --model quick,course --csv stages.csv
  sd table statements --model discrimination-256-clip-b16-112
  sd table photographs --model quick,course`,
		ValidArgs: numbers,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("table", numbers))),
		RunE: func(cmd *cobra.Command, args []string) error {
			item, err := paper.Find(paper.ATable, args[0])
			if err != nil {
				return err
			}
			losses := item.Models == nil
			if _, err := os.Stat(to); losses && to != "" && err == nil {
				if f.Known, err = study.ReadAblation(to); err != nil {
					return err
				}
			}
			drawing, err := a.draw(cmd, item, f)
			if err != nil {
				return err
			}
			switch {
			case to != "" && losses:
				err = study.SaveAblation(to, drawing.Losses)
			case to != "":
				err = drawing.Table.Save(to)
			}
			if err != nil {
				return err
			}
			return a.printTable(*drawing.Table)
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	cmd.Flags().BoolVar(&f.Trained, "trained", false, "only the models that the store has")
	cmd.Flags().StringVar(&to, "csv", "", "file for the table; for tables 1, 7 and 8 also to go on with: a line for each model and set, with n and a 95 % interval")
	return cmd
}
