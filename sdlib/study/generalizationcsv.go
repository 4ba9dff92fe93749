package study

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// generalizationColumns are the columns of the CSV file of Figure 6: a line for each model and seed. Behind each pair of counts
// stands the share that they give.
var generalizationColumns = []string{"model", "weights", "pretraining", "task", "seed", "recipe",
	"shape_block", "shape_n", "shape_correct", "shape", "color_block", "color_n", "color_correct", "color", "disentanglement",
	"iid_n", "iid_correct", "iid", "compositional_n", "compositional_correct", "compositional", "ood_n", "ood_correct", "ood", "at_chance"}

// fields are the cells of a line.
func (g Generalization) fields() []string {
	number := func(x float64) string { return fmt.Sprintf("%.4f", x) }
	counts := func(s finetune.Score) []string {
		return []string{strconv.Itoa(s.N), strconv.Itoa(s.Correct), number(s.Accuracy())}
	}
	return slices.Concat(
		[]string{g.Name, g.Weights.Short(), g.Pretraining, string(g.Task), strconv.FormatUint(g.Seed, 10), g.Recipe},
		[]string{strconv.Itoa(g.Shape.Block)}, counts(g.Shape.Score),
		[]string{strconv.Itoa(g.Color.Block)}, counts(g.Color.Score), []string{number(g.Disentangled())},
		counts(g.Fresh), counts(g.Combined), counts(g.Novel), []string{strconv.FormatBool(g.AtChance())})
}

var generalizationFile = resultFile[Generalization]{generalizationColumns, Generalization.fields, parseGeneralizations}

// SaveGeneralizations writes models as CSV to a file, one line each. The file is written aside and renamed.
func SaveGeneralizations(path string, all []Generalization) error {
	return generalizationFile.save(path, all)
}

// ReadGeneralizations reads a file that [SaveGeneralizations] wrote. A line that could not be a result is an error with its number:
// counts that are none, shares that do not follow from them, a model and seed that another line has.
func ReadGeneralizations(path string) ([]Generalization, error) { return generalizationFile.read(path) }

// parseGeneralizations reads the text of such a file.
func parseGeneralizations(text []byte) (all []Generalization, err error) {
	type training struct {
		name string
		seed uint64
	}
	models, lines := pairing[training]{}, map[training]int{}
	err = parseResults(text, generalizationColumns, func(cell func(string) string) error {
		g, err := generalizationOf(cell)
		if err != nil {
			return err
		}
		if err := checkCells(cell, generalizationColumns, g.fields()); err != nil {
			return err
		}
		of, row := training{g.Name, g.Seed}, len(all)+1
		if before := lines[of]; before > 0 {
			return fmt.Errorf("%s with seed %d is row %d, too: delete one of them", g.Name, g.Seed, before)
		}
		if other := models.line(of, g.Weights, row); other > 0 {
			return fmt.Errorf("the weights %s of %s with seed %d are those of another model in row %d", g.Weights, g.Name, g.Seed, other)
		}
		lines[of] = row
		all = append(all, g)
		return nil
	})
	return all, err
}

// generalizationOf reads a line, of which cell gives the columns.
func generalizationOf(cell func(column string) string) (Generalization, error) {
	g := Generalization{Name: cell("model"), Weights: artifact.ID(cell("weights")), Pretraining: cell("pretraining"), Task: stimuli.Task(cell("task")), Recipe: cell("recipe")}
	var errs []error
	whole := func(column string) int {
		n, err := strconv.Atoi(cell(column))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", column, err))
		}
		return n
	}
	counts := func(what string) finetune.Score {
		s := finetune.Score{N: whole(what + "_n"), Correct: whole(what + "_correct")}
		if s.N < 1 || s.Correct < 0 || s.Correct > s.N {
			errs = append(errs, fmt.Errorf("%s: %d of %d are counted, expected 0 to n of n, n at least 1", what, s.Correct, s.N))
		}
		return s
	}
	g.Shape, g.Color = Peak{whole("shape_block"), counts("shape")}, Peak{whole("color_block"), counts("color")}
	g.Fresh, g.Combined, g.Novel = counts("iid"), counts("compositional"), counts("ood")
	var err error
	if g.Seed, err = strconv.ParseUint(cell("seed"), 10, 64); err != nil {
		errs = append(errs, fmt.Errorf("seed: %w", err))
	}
	switch {
	case g.Name == "" || g.Pretraining == "" || g.Recipe == "":
		errs = append(errs, errors.New("model, pretraining and recipe have names, none of them is empty"))
	case g.Task != stimuli.Discrimination && g.Task != stimuli.RMTS:
		errs = append(errs, fmt.Errorf("no task %q, expected %s or %s", g.Task, stimuli.Discrimination, stimuli.RMTS))
	case !shortID.MatchString(cell("weights")):
		errs = append(errs, fmt.Errorf("the weights are %q, expected the first 12 hexadecimal digits of an ID", cell("weights")))
	case g.Shape.Block < 0 || g.Color.Block < 0:
		errs = append(errs, fmt.Errorf("best after block %d and %d, expected 0 or more", g.Shape.Block, g.Color.Block))
	}
	return g, errors.Join(errs...)
}

// MergeGeneralizations returns the models of a list with those of another in it: one of the same name and seed takes the place of
// the other, the rest comes behind.
func MergeGeneralizations(all, more []Generalization) []Generalization {
	merged := slices.Clone(all)
	for _, g := range more {
		if i := slices.IndexFunc(merged, func(m Generalization) bool { return m.Name == g.Name && m.Seed == g.Seed }); i >= 0 {
			merged[i] = g
		} else {
			merged = append(merged, g)
		}
	}
	return merged
}
