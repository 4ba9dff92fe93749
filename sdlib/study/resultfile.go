package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
)

// A resultFile is a kind of CSV file with a line for each of some results.
type resultFile[T any] struct {
	columns []string
	fields  func(T) []string // the cells of a line
	parse   func(text []byte) ([]T, error)
}

// text is the content of a file of results.
func (f resultFile[T]) text(results []T) []byte {
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	out.Write(f.columns)
	for _, r := range results {
		out.Write(f.fields(r))
	}
	out.Flush() // a buffer takes all
	return text.Bytes()
}

// save writes a file, aside and renamed. A file with other columns is an error, and stays.
func (f resultFile[T]) save(path string, results []T) error {
	return disk.ReplaceTable(path, func(w io.Writer) error {
		_, err := w.Write(f.text(results))
		return err
	})
}

// add writes results behind those that a file has, of which the ones go that same finds to be about what a new one is about.
func (f resultFile[T]) add(path string, results []T, same func(old, r T) bool) error {
	there, err := f.read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	kept := slices.DeleteFunc(there, func(old T) bool {
		return slices.ContainsFunc(results, func(r T) bool { return same(old, r) })
	})
	return f.save(path, append(kept, results...))
}

// read reads a file.
func (f resultFile[T]) read(path string) ([]T, error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, err
	}
	all, err := f.parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
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

// checkCells returns an error for a cell that is not what its result would be written as.
func checkCells(cell func(column string) string, columns, want []string) error {
	for i, column := range columns {
		if cell(column) != want[i] {
			return fmt.Errorf("%s is %q, expected it as %q", column, cell(column), want[i])
		}
	}
	return nil
}

// checkModel returns an error unless a column has the short ID of a model.
func checkModel(cell func(column string) string, column string) error {
	if !shortID.MatchString(cell(column)) {
		return fmt.Errorf("%s is %q, expected the first 12 hexadecimal digits of an ID", column, cell(column))
	}
	return nil
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
