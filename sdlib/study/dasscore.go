package study

import (
	"errors"
	"strconv"

	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// A DASScore is what figures show of a [DASRow]; a CSV file keeps it.
type DASScore struct {
	Task     stimuli.Task
	Objects  stimuli.Objects
	Property stimuli.Property
	Block    int
	Method   das.Method
	Control  das.Control
	finetune.Score
	Base    float64 // the model's accuracy on the pairs without an intervention
	Dims    int     // that are swapped
	Derived bool    // no intervention after this block reaches the answer
}

// DASScores are those of rows.
func DASScores(rows []DASRow) (scores []DASScore) {
	for _, r := range rows {
		scores = append(scores, r.score())
	}
	return scores
}

func (r DASRow) score() DASScore {
	return DASScore{r.Stimuli.Task, r.Stimuli.Objects, r.Property, r.Block, r.Method, r.Control, r.Score(), r.BaseScore().Accuracy(), r.Dims, r.Derived}
}

// ReadDAS reads a file that [WriteDAS] wrote.
func ReadDAS(path string) (scores []DASScore, err error) {
	err = readResults(path, dasColumns, readDASLine(&scores))
	return scores, err
}

// readDASLine reads a line to the end of a list.
func readDASLine(to *[]DASScore) func(cell func(string) string) error {
	return func(cell func(string) string) error {
		s, err := dasScore(cell)
		*to = append(*to, s)
		return err
	}
}

// dasScore reads a line, of which cell gives the columns.
func dasScore(cell func(column string) string) (DASScore, error) {
	s := DASScore{Task: stimuli.Task(cell("task")), Objects: stimuli.Objects(cell("objects")), Property: stimuli.Property(cell("property"))}
	var errs [8]error
	s.Block, errs[0] = strconv.Atoi(cell("block"))
	s.Control, errs[1] = das.ParseControl(cell("control"))
	s.N, errs[2] = strconv.Atoi(cell("n"))
	s.Correct, errs[3] = strconv.Atoi(cell("correct"))
	s.Base, errs[4] = strconv.ParseFloat(cell("base_accuracy"), 64)
	s.Dims, errs[5] = strconv.Atoi(cell("dims"))
	s.Method, errs[6] = das.ParseMethod(cell("method"))
	s.Derived, errs[7] = strconv.ParseBool(cell("derived"))
	return s, errors.Join(append(errs[:], checkScore(cell, "accuracy", s.Score, 1))...)
}
