package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
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

// checkScore returns an error for counts that nothing could have, with fewer than a number of answers, and where the share and its
// interval in the same line do not follow from them.
func checkScore(cell func(column string) string, share string, s finetune.Score, least int) error {
	if s.N < least || s.Correct < 0 || s.Correct > s.N {
		return fmt.Errorf("%d of %d are counted, expected 0 to n of n, n at least %d", s.Correct, s.N, least)
	}
	low, high := s.Interval()
	for i, x := range []float64{s.Accuracy(), low, high} {
		column := []string{share, "low", "high"}[i]
		if want := fmt.Sprintf("%.4f", x); cell(column) != want {
			return fmt.Errorf("%s is %s, but %d of %d gives %s", column, cell(column), s.Correct, s.N, want)
		}
	}
	return nil
}

// readResults reads a CSV file with these columns, line by line.
func readResults(path string, columns []string, line func(cell func(column string) string) error) error {
	text, err := disk.ReadText(path)
	if err == nil {
		err = parseResults(text, columns, line)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// parseResults reads the text of such a file.
func parseResults(text []byte, columns []string, line func(cell func(column string) string) error) error {
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord = len(columns)
	header, err := in.Read()
	if err != nil && err != io.EOF && !errors.Is(err, csv.ErrFieldCount) {
		return err
	}
	if !slices.Equal(header, columns) {
		return fmt.Errorf("expected the columns %v: sd das, sd novel, sd probe, sd seeds and sd generalize write such files with --csv", columns)
	}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err // it names the line
		}
		at, _ := in.FieldPos(0)
		if err := line(func(column string) string { return record[slices.Index(columns, column)] }); err != nil {
			return fmt.Errorf("line %d: %w", at, err)
		}
	}
}
