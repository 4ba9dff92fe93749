package study

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/pretrain"
)

// A PretrainPoint is how far a pretraining was after an epoch.
type PretrainPoint struct {
	Pretraining string // [Pretraining.Name]
	Seed        uint64
	Model       artifact.ID // at its end; "" while it runs
	Epoch       int         // counted from 1
	Images      int         // that it had shown by then
	Loss        float64     // mean over the epoch
	Guess       float64     // what guessing costs: see [pretrain.Recipe.Guess]
	Correct     float64     // share of names or captions that were right; NaN for objectives without
}

// Name is the objective, with the number of pictures where they repeat, and "emoji" where they show such.
func (p Pretraining) Name() string {
	name := string(p.Recipe.Objective)
	if p.Scenes.Distinct > 0 {
		name += fmt.Sprintf(", %d pictures", p.Scenes.Distinct)
	}
	if p.Scenes.Emoji != "" {
		name += ", emoji"
	}
	return name
}

// Curve is a history of the pretraining in points, of one that has ended or, after any epoch, of one that runs.
func (p Pretraining) Curve(model artifact.ID, history []pretrain.Epoch) (all []PretrainPoint) {
	for _, e := range history {
		guess, _ := p.Guess(e)
		all = append(all, PretrainPoint{p.Name(), p.Recipe.Seed, model, e.Epoch, e.Epoch * p.Recipe.Images, e.Mean("loss"), guess, e.Mean("correct")})
	}
	return all
}

// Learned reports whether the last of a pretraining's points is below what guessing costs.
func Learned(points []PretrainPoint) bool {
	return len(points) > 0 && points[len(points)-1].Loss < points[len(points)-1].Guess
}

// pretrainColumns are the columns of the CSV file of pretrainings.
var pretrainColumns = []string{"pretraining", "seed", "model", "epoch", "images", "loss", "guess", "correct"}

// fields are the cells of a line; correct is empty for objectives that have none.
func (p PretrainPoint) fields() []string {
	number := func(x float64) string {
		if math.IsNaN(x) {
			return ""
		}
		return fmt.Sprintf("%.4f", x)
	}
	return []string{p.Pretraining, strconv.FormatUint(p.Seed, 10), p.Model.Short(), strconv.Itoa(p.Epoch), strconv.Itoa(p.Images), number(p.Loss), number(p.Guess), number(p.Correct)}
}

var pretrainFile = resultFile[PretrainPoint]{pretrainColumns, PretrainPoint.fields, parsePretrainings}

// SavePretrainings writes points as CSV to a file, one line each. Those of other pretrainings that the file has stay in it. The file is
// written aside and renamed.
func SavePretrainings(path string, points []PretrainPoint) error {
	return pretrainFile.add(path, points, func(old, p PretrainPoint) bool { return old.Pretraining == p.Pretraining && old.Seed == p.Seed })
}

// ReadPretrainings reads a file that [SavePretrainings] wrote, with four decimals. A line that could not be a point, or whose epoch is not
// the one after the line before of its pretraining, is an error.
func ReadPretrainings(path string) ([]PretrainPoint, error) { return pretrainFile.read(path) }

// parsePretrainings reads the text of such a file.
func parsePretrainings(text []byte) (all []PretrainPoint, err error) {
	type run struct {
		name string
		seed uint64
	}
	last := map[run]PretrainPoint{}
	err = parseResults(text, pretrainColumns, func(cell func(string) string) error {
		p := PretrainPoint{Pretraining: cell("pretraining"), Model: artifact.ID(cell("model")), Correct: math.NaN()}
		var errs [6]error
		p.Seed, errs[0] = strconv.ParseUint(cell("seed"), 10, 64)
		p.Epoch, errs[1] = strconv.Atoi(cell("epoch"))
		p.Images, errs[2] = strconv.Atoi(cell("images"))
		p.Loss, errs[3] = strconv.ParseFloat(cell("loss"), 64)
		p.Guess, errs[4] = strconv.ParseFloat(cell("guess"), 64)
		if cell("correct") != "" {
			p.Correct, errs[5] = strconv.ParseFloat(cell("correct"), 64)
		}
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		if !shortID.MatchString(cell("model")) || p.Pretraining == "" {
			return fmt.Errorf("the model of %q is %q, expected a pretraining and the first 12 hexadecimal digits of an ID", p.Pretraining, cell("model"))
		}
		if math.IsNaN(p.Loss) || math.IsInf(p.Loss, 0) || math.IsInf(p.Guess, 0) || p.Correct < 0 || p.Correct > 1 {
			return fmt.Errorf("loss %g, guess %g, correct %g: expected finite numbers, and a share of 0 to 1", p.Loss, p.Guess, p.Correct)
		}
		if err := checkCells(cell, pretrainColumns, p.fields()); err != nil {
			return err
		}
		of := run{p.Pretraining, p.Seed}
		before, known := last[of]
		if p.Epoch != before.Epoch+1 || p.Images <= before.Images || known && p.Model != before.Model {
			return fmt.Errorf("epoch %d of %s with seed %d, of model %s, stands behind epoch %d of model %s: expected the next one of the same, after more images",
				p.Epoch, p.Pretraining, p.Seed, p.Model, before.Epoch, before.Model)
		}
		last[of] = p
		all = append(all, p)
		return nil
	})
	return all, err
}
