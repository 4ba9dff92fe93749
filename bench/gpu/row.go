package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
)

// columns of results.csv. The parts' shell scripts write the same (run.sh, row).
var columns = []string{"part", "what", "config", "value", "unit", "bound", "ok", "note"}

// What a row says in the column ok. A number without a bound says nothing.
const (
	yes     = "yes"     // within its bound, or works
	no      = "no"      // could run, and failed: the exit status is 1
	missing = "missing" // something it needs is not here: the note says what
	skipped = "skipped" // no time was left
)

// A row is one line of results.csv.
type row struct {
	what, config string // what was looked at, and of which model, precision, batch and engine
	value        string
	unit         string
	bound        string // that the value may not exceed
	ok           string
	note         string
}

// results adds rows to a file, each at once and in one piece: what was found before a
// process is killed stays.
type results struct {
	part string
	file *os.File // nil: rows are printed alone
}

func openResults(path, part string) (*results, error) {
	r := &results{part: part}
	if path == "" {
		return r, nil
	}
	var err error
	r.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	return r, err
}

// add writes a row, and prints it for the log.
func (r *results) add(x row) error {
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	if err := w.Write([]string{r.part, x.what, x.config, x.value, x.unit, x.bound, x.ok, x.note}); err != nil {
		return err
	}
	w.Flush()
	fmt.Print("row: ", line.String())
	if r.file == nil {
		return nil
	}
	_, err := r.file.Write(line.Bytes())
	return err
}

// within is a row whose value may be at most bound. NaN is not.
func (r *results) within(what, config string, value float64, unit string, bound float64, note string) error {
	ok := no
	if value <= bound {
		ok = yes
	}
	return r.add(row{what, config, digits(value), unit, digits(bound), ok, note})
}

// digits prints a number with four significant digits.
func digits(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
