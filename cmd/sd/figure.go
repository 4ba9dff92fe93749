package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// figures are the figures of the paper that the command draws.
var figures = []string{"1", "2", "7", "8", "23"}

func (a *app) figureCommand() *cobra.Command {
	geometry := stimuli.B16
	var model, to string
	cmd := &cobra.Command{
		Use:   "figure " + strings.Join(figures, "|"),
		Short: "Draw a figure of the paper, for a model of your own",
		Long: `figure draws a figure of the paper. Figure 1 (section 2) explains the two tasks,
discrimination and relational match-to-sample, with an example of each answer. Figure 2
(section 3) shows where a model's attention heads look: a heat map of how global each
head is, and for each block the strongest attention within an object, between the two
that are compared, and to the background; the peaks come in this order in a model that
works in two stages. Figure 7 (appendix A) shows all shapes and colors, Figure 8 more
stimuli of both tasks, Figure 23 the counterfactual pairs that interventions use.

Figure 2 needs a model: its heads are scored first, if the store does not have that.
The format follows the file's name: .png, .svg, .pdf or .jpg.`,
		Example: `  sd figure 1 --geometry course-quick
  sd figure 2 --model quick -o figure2.pdf
  sd figure 7 -o shapes.svg`,
		ValidArgs: figures,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("figure", figures))),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("geometry") && !slices.Contains([]string{"1", "8", "23"}, args[0]) {
				return misuse(cmd, "--geometry is for figures 1, 8 and 23")
			}
			if cmd.Flags().Changed("model") && args[0] != "2" {
				return misuse(cmd, "--model is for figure 2")
			}
			f, err := a.paperFigure(cmd.Context(), args[0], geometry, model)
			if err != nil {
				return err
			}
			if to == "" {
				to = "figure" + args[0] + ".png"
			}
			return a.saveFigure(f, to)
		},
	}
	cmd.Flags().Var(geometryFlag{&geometry}, "geometry", "sizes of image and objects in figures 1, 8 and 23: "+geometryNames())
	cmd.Flags().StringVar(&model, "model", "quick", "the model of figure 2: a preset, first digits of an ID, or a folder")
	cmd.Flags().StringVarP(&to, "output", "o", "", "file to write (default figure1.png and so on)")
	return cmd
}

func (a *app) paperFigure(ctx context.Context, number string, g stimuli.Geometry, model string) (*figure.Figure, error) {
	switch number {
	case "1":
		return paper.Figure1(g)
	case "7":
		return paper.Figure7()
	case "8":
		return paper.Figure8(g)
	case "23":
		return paper.Figure23(g)
	}
	lab, err := a.lab()
	if err != nil {
		return nil, err
	}
	m, err := lab.Find(ctx, model)
	if err != nil {
		return nil, err
	}
	s, err := lab.Heads(ctx, m)
	if err != nil {
		return nil, err
	}
	return paper.Figure2(s, title(model, m))
}

// title names a model above a figure.
func title(name string, m *study.Model) string {
	if _, preset := study.Presets[name]; preset {
		return fmt.Sprintf("Model %q", name)
	}
	return "Model " + m.ID.Short()
}
