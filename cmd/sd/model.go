package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

func (a *app) modelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Models: those of the course, and any in Hugging Face layout",
		Long: `A model is a folder in Hugging Face layout: config.json, preprocessor_config.json and
weights, which transformers reads too. Those of the course lie in models/; pretrained ones
come from the Hugging Face hub, into the cache that Python uses, two of them also from a
Python package (fetch). show prints what a model is made of, convert writes it in another
format or with a new head, pack keeps what fine-tuning changed in it, and trace writes what
it computes inside for images of your own.`,
	}
	return group(cmd, a.modelListCommand(), a.modelShowCommand(), a.modelFetchCommand(), a.modelConvertCommand(), a.modelPackCommand(), a.modelTraceCommand(), a.modelBuildCommand())
}

func (a *app) modelListCommand() *cobra.Command {
	var beside bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the models of the course, with their accuracy",
		Long: `ls lists the models that come with the repository, in models/: trained by one command
each, with their accuracy on fresh images of the objects they learned and, where they
learned 32 combinations of shape and color, on the other 224. Use a name wherever a
MODEL is asked for. Most models at chance come without their weights ("none"): sd model
build NAME trains one, in about as many minutes as the table says. Fine-tuned real models
are kept as differences to what they began from: "needs clip-b16" says what sd model fetch
has to get. --paper sets those beside what the authors' logs say of theirs, on every set,
and lists what survived the packing.`,
		Example: `  sd model ls
  sd model ls --paper
  sd figure 2 --model discrimination-256-quick`,
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if beside {
				return a.realModels()
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			t := figure.Table{Columns: []string{"model", "parameters", "test (IID)", "compositional", "minutes", "weights", "about"}}
			for _, c := range study.CourseModels() {
				accuracy := map[string]string{}
				minutes, weights := "not trained", "none"
				if metrics, err := study.CourseMetrics(c.Name); err == nil {
					minutes = fmt.Sprintf("%.1f", metrics.Seconds/60)
					for _, s := range metrics.Sets {
						accuracy[s.Name] = fmt.Sprintf("%.3f", s.All.Accuracy())
					}
					weights = weightsOf(lab, c, metrics)
				}
				t.Add(c.Name, c.Training.Model.Params(), accuracy["test (IID)"], accuracy["compositional"], minutes, weights, c.About)
			}
			return a.printTable(t)
		},
	}
	cmd.Flags().BoolVar(&beside, "paper", false, "the fine-tuned pretrained models beside the authors' logs")
	return cmd
}

// realModels prints the tables of the fine-tuned pretrained models.
func (a *app) realModels() error {
	all, err := paper.RealModels()
	if err != nil {
		return err
	}
	if err := a.printTable(paper.RealModelTable(all...)); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	return a.printTable(paper.PackingTable(all...))
}

// weightsOf says in a word or two where the weights of a model of the course are.
func weightsOf(lab *study.Lab, c study.CourseModel, known *study.Metrics) string {
	origin := vit.Origin{Weights: known.Weights}
	switch err := lab.CheckCourseModel(c.Name); {
	case err == nil:
		return origin.Label("here")
	case errors.Is(err, study.ErrNoWeights):
		return "none"
	case errors.Is(err, study.ErrNoBase):
		return origin.Label("needs " + c.Training.Base())
	}
	return "damaged"
}

func (a *app) modelBuildCommand() *cobra.Command {
	var names []string
	for _, c := range study.CourseModels() {
		names = append(names, c.Name)
	}
	var to string
	cmd := &cobra.Command{
		Use:   "build NAME",
		Short: "Train a model of the course anew and write its folder",
		Long: `build trains a model of the course (two minutes to half an hour on two CPU cores), if the
store does not have it, and writes its folder: config.json, preprocessor_config.json and
model.safetensors, as transformers reads them, with the weights rounded to float16;
metrics.json with the recipe, seeds and, on every set, the accuracy of the rounded model;
and log.jsonl with a line for each epoch. Of a fine-tuned real model the weights are packed,
see sd model pack.

The models are ` + strings.Join(names, ",\n") + ".",
		Example:   `  sd model build rmts-256-quick`,
		ValidArgs: names,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("model", names))),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			dir := to
			if dir == "" {
				if dir, err = study.CourseModelDir(args[0]); err != nil {
					return err
				}
			}
			metrics, err := lab.BuildCourseModel(cmd.Context(), args[0], dir)
			if err != nil {
				return err
			}
			for _, s := range metrics.Sets {
				low, high := s.All.Interval()
				fmt.Fprintf(a.out, "%-16s %.3f  (%.3f–%.3f, n = %d)\n", s.Name, s.All.Accuracy(), low, high, s.All.N)
			}
			_, err = fmt.Fprintln(a.out, dir)
			return err
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "folder to write (default models/NAME in the repository)")
	return cmd
}
