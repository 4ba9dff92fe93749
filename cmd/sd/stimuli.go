package main

import (
	"fmt"
	"image"
	"io"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

func (a *app) stimuliCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stimuli",
		Short: "Look at, count and export the images that models learn from",
		Long: `Stimuli are pictures of colored silhouettes on white (section 2 and appendix A of
the paper). In discrimination there are two objects, and the label says whether shape
and color are both the same; in relational match-to-sample (rmts) there are two pairs,
and the label says whether the pairs show the same relation. Every image is a pure
function of its set and number, so nothing has to be downloaded or kept: a set is drawn
when it is needed, always with the same bytes.`,
	}
	return group(cmd, a.stimuliShowCommand(), a.stimuliStatsCommand(), a.stimuliExportCommand())
}

// setFlags are the flags that name a set.
func setFlags(cmd *cobra.Command) *stimuli.Config {
	c := &stimuli.Config{Task: stimuli.Discrimination, Geometry: stimuli.CourseQuick, Objects: stimuli.All256, Split: stimuli.Train}
	addStimuli(cmd, c)
	cmd.Flags().Var(choice[stimuli.Split]{&c.Split, splits}, "split", "which part: "+join(splits))
	cmd.Flags().IntVar(&c.Size, "images", stimuli.DefaultSize, "number of images in the set")
	cmd.Flags().Uint64Var(&c.Seed, "seed", 1, "seed of the images")
	return c
}

func (a *app) stimuliShowCommand() *cobra.Command {
	var c *stimuli.Config
	var count, columns int
	var to string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Draw a sheet of a set's first images",
		Long: `show writes a sheet of a set's first images, with what is right about each below
it: "same", or in what the two objects differ. Pixels are enlarged without smoothing, so
that the noise on the objects (section 2, appendix A) and the jitter inside their cells can
be seen. The format follows the file's name: .png, .svg, .pdf or .jpg.`,
		Example: `  sd stimuli show
  sd stimuli show --task rmts --geometry b16 --count 8 -o rmts.png
  sd stimuli show --objects ood-shape-color`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := stimuli.Open(*c)
			if err != nil {
				return err
			}
			if count < 1 || count > set.Len() {
				return misuse(cmd, "--count is %d, expected 1 to %d, the size of the set", count, set.Len())
			}
			grid := figure.ImageGrid{Columns: columns}
			for i := range count {
				grid.Images = append(grid.Images, image.Image(set.Image(i)))
				grid.Captions = append(grid.Captions, caption(set.Stimulus(i)))
			}
			return a.saveFigure(grid.Figure(), to)
		},
	}
	c = setFlags(cmd)
	cmd.Flags().IntVar(&count, "count", 16, "number of images to show")
	cmd.Flags().IntVar(&columns, "columns", 0, "images per row (default: as many as fit on a page)")
	cmd.Flags().StringVarP(&to, "output", "o", "stimuli.png", "file to write")
	return cmd
}

// caption says what is right about a stimulus.
func caption(s stimuli.Stimulus) string {
	names := [2]string{"different", "same"}
	switch {
	case len(s.Pairs) == 2:
		return fmt.Sprintf("%s (%s, %s)", names[s.Label], names[s.Pairs[0].Label], names[s.Pairs[1].Label])
	case s.Label == 0 && s.Kind == stimuli.Both:
		return "different"
	case s.Label == 0:
		return fmt.Sprintf("different (%s)", s.Kind)
	}
	return names[s.Label]
}

func (a *app) stimuliStatsCommand() *cobra.Command {
	var c *stimuli.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count what is in a set",
		Long: `stats counts a set's labels, how its pairs differ, and how often each object and
each pair occurs. A set is balanced where a model could cheat otherwise: half of the labels
are "same", and every object occurs about equally often (section 2 and appendix A of the
paper). The counts are those of the plan; no image is drawn.`,
		Example: `  sd stimuli stats
  sd stimuli stats --objects 32 --split test
  sd stimuli stats --task rmts --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			set, err := stimuli.Open(*c)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]any{"config": set.Config(), "stats": set.Stats()})
			}
			_, err = io.WriteString(a.out, set.Stats().String())
			return err
		},
	}
	c = setFlags(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) stimuliExportCommand() *cobra.Command {
	var c *stimuli.Config
	var property stimuli.Property
	var size int
	cmd := &cobra.Command{
		Use:   "export FOLDER",
		Short: "Write a set as PNG files and metadata, for Python and others",
		Long: `export writes a set (section 2 and appendix A of the paper) to a new folder in
Hugging Face's ImageFolder form: 000000.png and so on, and metadata.jsonl with a line per
image: label, and for each object shape, color, box in pixels, patch indices and role.
Python reads it with datasets.load_dataset("imagefolder", data_dir=FOLDER). set.json, which
is written last, keeps the configuration, so that the set can be read back unchanged.

With --counterfactual it writes pairs of images for interventions instead (section 4,
appendices G and H): a base image, a counterfactual one, and which object's property is to
be carried over where. docs/formats.md describes every field.`,
		Example: `  sd stimuli export stimuli/quick-train
  sd stimuli export stimuli/quick-color --counterfactual color --pairs 200
  sd stimuli export stimuli/b16-ood --geometry b16 --objects ood-shape --split test`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if property != "" {
				pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: *c, Property: property, Size: size})
				if err != nil {
					return err
				}
				if err := pairs.Export(cmd.Context(), args[0]); err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.out, "%d pairs of images in %s\n", pairs.Len(), args[0])
				return err
			}
			set, err := stimuli.Open(*c)
			if err != nil {
				return err
			}
			if err := set.Export(cmd.Context(), args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%d images in %s\n", set.Len(), args[0])
			return err
		},
	}
	c = setFlags(cmd)
	properties := []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty}
	cmd.Flags().Var(choice[stimuli.Property]{&property, properties}, "counterfactual", "write counterfactual pairs of the set for this property: "+join(properties))
	cmd.Flags().IntVar(&size, "pairs", stimuli.DefaultCounterfactuals, "number of counterfactual pairs")
	return cmd
}
