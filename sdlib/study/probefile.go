package study

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"

	"samediff/sdlib/finetune"
	"samediff/sdlib/probe"
)

// ReadLinear reads a file that [WriteLinear] wrote, as far as figures need it: what probes get
// right, with the parts of the test, and of each intervention one cell that counts all pairs.
// Its pairs and kinds overlap and do not give back the cells that were counted. A file with lines
// of several weights, or with factors in several units, is an error: they do not compare.
func ReadLinear(path string) (p Probed, effects []probe.Effect, err error) {
	err = readResults(path, linearColumns, readLinearLine(&p, &effects))
	return p, effects, err
}

// readLinearLine reads a line, and adds it to what the lines before it said.
func readLinearLine(p *Probed, effects *[]probe.Effect) func(cell func(string) string) error {
	weights, unit := "", ""
	return func(cell func(string) string) error {
		var score finetune.Score
		var errs [3]error
		block, err := strconv.Atoi(cell("block"))
		score.N, errs[0] = strconv.Atoi(cell("n"))
		score.Correct, errs[1] = strconv.Atoi(cell("count"))
		if err := errors.Join(append(errs[:], err)...); err != nil {
			return err
		}
		if err := checkScore(cell, "share", score, 0); err != nil {
			return err
		}
		what, part := cell("what"), cell("part")
		if was, is := cmp.Or(weights, cell("weights")), cell("weights"); is != was {
			return fmt.Errorf("it is of the weights %s, those before of %s: expected one model in a file", is, was)
		}
		if was, is := cmp.Or(unit, cell("unit")), cmp.Or(cell("unit"), unit); is != was {
			return fmt.Errorf("its factors are in %s, those before in %s: expected one unit in a file", is, was)
		}
		weights, unit = cell("weights"), cmp.Or(unit, cell("unit"))
		switch what {
		case "train":
			p.Items = score.N
			p.Rows = append(p.Rows, ProbedRow{Block: block, Train: score})
		case "test":
			if len(p.Rows) == 0 || p.Rows[len(p.Rows)-1].Block != block {
				return fmt.Errorf("a test of block %d without the line of its training before it", block)
			}
			test := &p.Rows[len(p.Rows)-1].Test
			switch {
			case part == "all":
				*test = probe.Scores{All: score, Parts: map[string]finetune.Score{}}
			case test.Parts == nil:
				return fmt.Errorf("the part %q of a test without the line of all items before it", part)
			default:
				test.Parts[part] = score
			}
		case "intervention", "own answers":
			if part != "all" {
				return nil
			}
			e := probe.Effect{Block: block, Direction: probe.Direction(cell("direction")), Cells: []probe.Cell{{Other: -1, N: score.N, Opposite: score.Correct}}}
			if e.Direction != "" {
				e.Alpha, errs[0] = strconv.ParseFloat(cell("alpha"), 64)
			}
			e.Derived, errs[1] = strconv.ParseBool(cell("derived"))
			*effects = append(*effects, e)
			return errors.Join(errs[:]...)
		default:
			return fmt.Errorf("%q is neither a probe nor an intervention: expected train, test, intervention or own answers", what)
		}
		return nil
	}
}
