package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

func (a *app) attentionCommand() *cobra.Command {
	var asJSON bool
	var count int
	var to, folder, csv string
	var parts bool
	var view viewing
	var steps during
	cmd := &cobra.Command{
		Use:   "attention MODEL",
		Short: "How local or global each attention head is",
		Long: `attention scores every head by where an object's tokens look (section 3 of the
paper). The score is the share of attention that leaves the object, at its largest over the
objects of an image: 0 is local, a head that reads the object itself, 1 is global. A model
that compares objects first reads each with local heads in its early blocks, and then
compares them with global heads in its later ones: the perceptual and the relational
stage. Beside the score stand the shares that stay within the object, go to the object
it is compared with, and go to the background.

--set scores the heads on other images instead of the paper's 500, on all of them: on
photographs, those of appendix A.3, or on a folder, with a set that sd stimuli export wrote
or images with a metadata.jsonl that says where the objects are (docs/formats.md).

A table names the most local and the most global heads, with 95 % intervals over the images
(bootstrap), another the heads where each measure is largest; the figure shows all of them,
as Figure 2 of the paper does, and --parts same and different images apart, and in RMTS the
sample and the display pair. --csv writes all of that with n and intervals. --html writes a
page to explore instead of the figure: where every head looks on some images, from any patch
or object. The page is one file that needs no network; of a ViT-B it shows 8 images in 5 MB.

--during scores the heads after steps of the model's training instead, from random or
pretrained weights (step 0) on: which heads change, and when does the answer come? No
weights are kept: the training is run again as far as the last of the steps, with the same
images, order and weights, to the bit on one machine. A preset need not have been trained.
The figure has the strongest head of each block at every step, the accuracy, and the heads
that moved the farthest in --measure. Interrupted, the same command goes on where it was.`,
		Example: `  sd attention quick
  sd attention 3fa2 --heads 10 -o heads.pdf
  sd attention quick --parts --csv heads.csv
  sd attention quick --json | jq .local
  sd attention quick --html heads.html --images 16
  sd attention pretrained:clip-b16@112
  sd attention quick --during epochs --csv during.csv -o during.png
  sd attention clip-b16-112 --during 0,10,30,100,200 --images-of-each 100`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if count < 1 {
				return misuse(cmd, "--heads is %d, expected 1 or more", count)
			}
			if err := view.check(cmd); err != nil {
				return err
			}
			if steps.steps != "" {
				if parts || view.file != "" || folder != "" {
					return misuse(cmd, "--during goes with --csv, --json, --heads, --measure and -o: leave --parts, --html and --set away")
				}
				return steps.run(cmd, a, args[0], csv, to, count, asJSON)
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			m, err := lab.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			drawn := cmd.Flags().Changed("output") || (view.file == "" && !asJSON)
			if view.file != "" {
				scored, err := view.write(cmd.Context(), lab, m, args[0], folder)
				if err != nil {
					return err
				}
				if !asJSON {
					fmt.Fprintln(a.out, view.file)
				}
				if !scored && !drawn && !asJSON {
					return nil
				}
			}
			s, err := heads(cmd.Context(), lab, m, folder)
			if err != nil {
				return err
			}
			if csv != "" {
				if err := s.SaveCSV(csv); err != nil {
					return err
				}
			}
			if asJSON {
				s.Bootstrap.Maxima = nil // the resamples are no use to others
				err = a.printJSON(s)
			} else if err = a.printTable(extremes(s, count)); err == nil {
				fmt.Fprintln(a.out)
				err = a.printTable(peaks(s))
			}
			if err != nil || !drawn {
				return err
			}
			f, err := paper.Figure2(s, m.Label(args[0]))
			if parts {
				f, err = paper.PartFigure(s, m.Label(args[0]), 0)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return f.Save(to)
			}
			return a.saveFigure(f, to)
		},
	}
	addJSON(cmd, &asJSON)
	addSet(cmd, &folder)
	a.addTask(cmd)
	cmd.Flags().IntVar(&count, "heads", 3, "number of heads to list at either end")
	cmd.Flags().StringVarP(&to, "output", "o", "heads.png", "file for the figure (with --json or --html: none unless given)")
	cmd.Flags().BoolVar(&parts, "parts", false, "draw same and different images, and in RMTS both pairs, apart")
	cmd.Flags().StringVar(&csv, "csv", "", "file for all scores, with n and 95 % intervals")
	view.add(cmd)
	steps.add(cmd)
	return cmd
}

// heads scores a model's heads on the paper's sample of stimuli, or on all images of a folder.
func heads(ctx context.Context, lab *study.Lab, m *study.Model, folder string) (*attention.Scores, error) {
	if folder == "" {
		return lab.Heads(ctx, m)
	}
	set, err := study.ImportSet(folder, m.Config)
	if err != nil {
		return nil, err
	}
	return study.HeadScores.Of(ctx, lab, m, set, study.HeadSample{})
}

// extremes sets out a model's most local heads, then its most global ones.
func extremes(s *attention.Scores, count int) figure.Table {
	t := figure.Table{Columns: []string{"", "head", "score", "95 %", "within object", "within pair", "background"}}
	if s.Between != nil {
		t.Columns = append(t.Columns, "between pairs")
	}
	order := attention.Highest(s.Local)
	count = min(count, len(order))
	add := func(name string, h attention.Head) {
		interval := fmt.Sprintf("%.3f–%.3f", h.Of(s.Interval.Low.Local), h.Of(s.Interval.High.Local))
		cells := []any{name, h, h.Of(s.Local), interval, h.Of(s.Within), h.Of(s.Pair), h.Of(s.Background)}
		if s.Between != nil {
			cells = append(cells, h.Of(s.Between))
		}
		t.Add(cells...)
	}
	for i := range count {
		add("local", order[len(order)-1-i])
	}
	for i := range count {
		add("global", order[i])
	}
	return t
}

// peaks sets out where the lines of Figure 2 are highest: the stars.
func peaks(s *attention.Scores) figure.Table {
	t := figure.Table{Columns: []string{"", "highest in block", "of head", "share of attention"}}
	for _, line := range s.Lines() {
		if block := line.Peak(0); block >= 0 {
			t.Add(line.Name, block, line.Heads[block], line.Values[block])
		}
	}
	return t
}
