package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/similarity"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

func (a *app) similarityCommand() *cobra.Command {
	measure, at := similarity.CKA, similarity.CLS
	var checkpoint, folder, csvFile, to string
	var images int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "similarity MODEL [OTHER]",
		Short: "How alike the representations of blocks and models are",
		Long: `similarity compares what a model's residual stream holds of the same images after each
block with what another model's holds, or with its own at other blocks. Linear CKA is 1
where one representation is the other turned and scaled; cka-debiased corrects it for few
images; rsa compares which images are alike in either, by rank.

With --checkpoint the other model is a pretrained checkpoint as it is before fine-tuning, at
the size of the first model's images: what has the training changed, from which block on?`,
		Example: `  sd similarity rmts-256-quick
  sd similarity discrimination-256-course rmts-256-course --at objects -o cka.png
  sd similarity path/to/clip-b16-112 --checkpoint clip-b16 --measure rsa`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && checkpoint != "" {
				return misuse(cmd, "either another model or --checkpoint")
			}
			if images < 2 {
				return misuse(cmd, "--images is %d, expected 2 or more", images)
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			first := study.Subject{Name: args[0]}
			m, err := lab.Model(ctx, first)
			if err != nil {
				return err
			}
			other, name := m, args[0]
			switch {
			case checkpoint != "":
				name = checkpoint
				other, err = lab.Pretrained(ctx, checkpoint, m)
			case len(args) == 2:
				name = args[1]
				other, err = lab.Find(ctx, name)
			}
			if err != nil {
				return err
			}
			var set *stimuli.Set
			if folder != "" {
				set, err = study.ImportSet(folder, m.Config)
			} else if c, e := lab.Stimuli(ctx, first); e != nil {
				err = e
			} else {
				set, err = study.LinearSet(c)
			}
			if err != nil {
				return err
			}
			sample := study.HeadSample{PerClass: images, Seed: 1}
			x, err := lab.Representations(ctx, m, set, sample, at)
			if err != nil {
				return err
			}
			y, err := lab.Representations(ctx, other, set, sample, at)
			if err != nil {
				return err
			}
			grid, err := similarity.Compare(measure, x, y)
			if err != nil {
				return err
			}
			if csvFile != "" {
				if err := gridNumbers(measure, at, x, y, grid).Save(csvFile); err != nil {
					return err
				}
			}
			if asJSON {
				err = a.printJSON(map[string]any{"models": []any{m.ID, other.ID}, "measure": measure, "at": at, "images": x[0].N, "similarity": grid})
			} else {
				err = a.printTable(gridTable(fmt.Sprintf("%s at %s, %d images: %s (rows), %s (columns)", measure, at, x[0].N, m.Label(args[0]), other.Label(name)), x, y, grid))
			}
			if err != nil || to == "" {
				return err
			}
			f, err := paper.SimilarityFigure(paper.SimilarityPanel{Title: fmt.Sprintf("%s at %s", measure, at), Rows: m.Label(args[0]), Columns: other.Label(name), Values: grid, Embedding: at != similarity.CLS})
			if err != nil {
				return err
			}
			if asJSON {
				return f.Save(to)
			}
			return a.saveFigure(f, to)
		},
	}
	f := cmd.Flags()
	f.Var(choice[similarity.Measure]{&measure, similarity.Measures}, "measure", join(similarity.Measures))
	f.Var(choice[similarity.Reading]{&at, similarity.Readings}, "at", "tokens that represent an image: "+join(similarity.Readings))
	f.StringVar(&checkpoint, "checkpoint", "", "compare with a pretrained checkpoint such as clip-b16")
	f.IntVar(&images, "images", 250, "images of each label")
	addSet(cmd, &folder)
	a.addTask(cmd)
	addJSON(cmd, &asJSON)
	f.StringVar(&csvFile, "csv", "", "file for all numbers")
	f.StringVarP(&to, "output", "o", "", "file for a figure")
	return cmd
}

func gridTable(title string, x, y []similarity.Representation, grid [][]float64) figure.Table {
	t := figure.Table{Title: title, Columns: []string{""}}
	for _, r := range y {
		t.Columns = append(t.Columns, strings.TrimSuffix(r.Name, "/resid_post"))
	}
	for i, row := range grid {
		cells := []any{x[i].Name}
		for _, v := range row {
			cells = append(cells, v)
		}
		t.Add(cells...)
	}
	return t
}

// gridNumbers are all numbers of a comparison, a row each.
func gridNumbers(measure similarity.Measure, at similarity.Reading, x, y []similarity.Representation, grid [][]float64) figure.Table {
	t := figure.Table{Columns: []string{"measure", "at", "images", "row", "column", "similarity"}}
	for i, row := range grid {
		for j, v := range row {
			t.Add(measure, at, x[i].N, x[i].Name, y[j].Name, strconv.FormatFloat(v, 'f', 6, 64))
		}
	}
	return t
}
