package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/attention"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

func (a *app) figureCommand() *cobra.Command {
	var f itemFlags
	var to string
	var chosen []string
	numbers := paper.Numbers(paper.AFigure)
	cmd := &cobra.Command{
		Use:   "figure NUMBER",
		Short: "Draw a figure of the paper, for the course's models or your own",
		Long: `figure draws a figure of the paper. Figure 1 (section 2) explains the two tasks,
discrimination and relational match-to-sample, with an example of each answer. Figure 2
(section 3) shows where a model's attention heads look: a heat map of how global each
head is, and for each block the strongest attention within an object, between the two
that are compared, and to the background; the peaks come in this order in a model that
works in two stages. Figures 11, 15 and 20 show the same for other models. Figure 21 shows
what the object tokens of one image read from each other with four heads, Figure 22 draws
that over the image; --head and --image choose others. Figure 3 (section 4) shows where a
model keeps shape and color, Figure 3a what one intervention swaps. Figure 4 (section 5)
shows whether a model compares representations that no object has, Figure 4a what these
are; Figures 13, 17, 18 and 29 to 36 show the same for other models. Figure 7 (appendix A)
shows all shapes and colors, Figure 8 more stimuli of both tasks, Figure 9 the photographs
that models are asked about without having seen any, Figure 10 where heads look in them,
Figure 23 the counterfactual pairs that interventions use.

Figures 5, 14, 19 and 37 to 39 (section 5, appendix K.3) show what linear probes read of a
pair's relation after each block, and how often a model's answer flips when their direction
is added, beside what the paper's authors logged; sd probe has the numbers.

Two figures are not in the paper: "knockouts" shows the accuracy without heads, "edges" that
without attention between objects, background and CLS (sd patch asks for parts of them).

A figure of models shows those of the course, with --scale paper the paper's own, and
with --model others: what the store does not have is computed first (sd plan shows what
that is). The format follows the file's name: .png, .svg, .pdf or .jpg.`,
		Example: `  sd figure 1 --geometry course-quick
  sd figure 2 --model quick -o figure2.pdf
  sd figure 21 --model quick --head 1.0,3.2 --image 4
  sd figure 7 -o shapes.svg`,
		ValidArgs: numbers,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("figure", numbers))),
		RunE: func(cmd *cobra.Command, args []string) error {
			item, err := paper.Find(paper.AFigure, args[0])
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("geometry") && (item.Models != nil || args[0] == "7" || args[0] == "9") {
				return misuse(cmd, "--geometry is for figures 1, 8 and 23")
			}
			steps := args[0] == "21" || args[0] == "22"
			if (cmd.Flags().Changed("head") || cmd.Flags().Changed("image")) && !steps {
				return misuse(cmd, "--head and --image are for figures 21 and 22")
			}
			if f.Heads, err = parseHeads("--head", chosen); err != nil {
				return misuse(cmd, "%w", err)
			}
			drawing, err := a.draw(cmd, item, f)
			if err != nil {
				return err
			}
			if to == "" {
				if to = args[0] + ".png"; args[0][0] <= '9' { // a number
					to = "figure" + to
				}
			}
			return a.saveFigure(drawing.Figure, to)
		},
	}
	f.add(cmd)
	a.addTask(cmd)
	cmd.Flags().Var(geometryFlag{&f.Geometry}, "geometry", "sizes of image and objects in figures 1, 8 and 23: "+geometryNames())
	cmd.Flags().StringSliceVar(&chosen, "head", nil, "heads of figures 21 and 22 in place of those that the scores choose, as BLOCK.HEAD: 5.9,6.3")
	cmd.Flags().IntVar(&f.Image, "image", 0, "image of figures 21 and 22, an index of the set that heads are scored on")
	cmd.Flags().StringVarP(&to, "output", "o", "", "file to write (default figure1.png and so on)")
	return cmd
}

// parseHeads reads a flag's heads such as "5.9": block 5, head 9.
func parseHeads(flag string, names []string) ([]attention.Head, error) {
	var heads []attention.Head
	for _, name := range names {
		block, head, _ := strings.Cut(name, ".")
		b, errB := strconv.Atoi(block)
		h, errH := strconv.Atoi(head)
		if errB != nil || errH != nil {
			return nil, fmt.Errorf("%s has %q, expected BLOCK.HEAD, such as 5.9 for head 9 of block 5", flag, name)
		}
		heads = append(heads, attention.Head{Block: b, Head: h})
	}
	return heads, nil
}

// itemFlags are what can be asked of a figure or a table.
type itemFlags struct {
	paper.Request
	models []string
}

func (f *itemFlags) add(cmd *cobra.Command) {
	f.Scale, f.Geometry = study.CourseScale, stimuli.B16
	cmd.Flags().Var(choice[study.Scale]{&f.Scale, study.Scales}, "scale", "whose models: course, paper (ViT-B; for a GPU), or tiny (a rehearsal of tables 1, 7, 8)")
	cmd.Flags().StringSliceVar(&f.models, "model", nil, "models in place of these: presets, models of the course, first digits of an ID, pretrained:CHECKPOINT@PIXELS before fine-tuning, or folders")
}

// request checks the flags for an item, and finds the models that they name.
func (f itemFlags) request(cmd *cobra.Command, lab *study.Lab, item paper.Item) (paper.Request, error) {
	if len(f.models) > 0 && item.Models == nil {
		return f.Request, misuse(cmd, "--model is for figures and tables of models, and %v is none", item)
	}
	for _, name := range f.models {
		s, err := lab.Subject(cmd.Context(), name)
		if err != nil {
			return f.Request, err
		}
		f.Models = append(f.Models, s)
	}
	return f.Request, nil
}

// draw makes an item, after what it needs was computed.
func (a *app) draw(cmd *cobra.Command, item paper.Item, f itemFlags) (paper.Drawing, error) {
	lab, err := a.lab()
	if err != nil {
		return paper.Drawing{}, err
	}
	r, err := f.request(cmd, lab, item)
	if err != nil {
		return paper.Drawing{}, err
	}
	if item.Jobs != nil && !r.Trained {
		if err := work(cmd.Context(), lab, item, r); err != nil {
			return paper.Drawing{}, err
		}
	}
	return item.Draw(cmd.Context(), lab, r)
}

// work computes what an item needs.
func work(ctx context.Context, lab *study.Lab, item paper.Item, r paper.Request) error {
	jobs, err := item.Jobs(ctx, lab, r)
	if err != nil {
		return err
	}
	return lab.Work(ctx, jobs)
}
