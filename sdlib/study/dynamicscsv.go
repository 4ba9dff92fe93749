package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
)

// CSV writes a line for each step, block and head: the first digits of the hash of the weights, how many of n images are
// answered rightly, and each measure over them with its 95 % interval. Where the head is "max" the measures are those of the
// largest head of the block, which the lines of Figure 2 show. Between, behind the others, is RMTS's.
func (d Dynamics) CSV(w io.Writer) error {
	if len(d) == 0 {
		return errors.New("the dynamics of a training have no steps: expected those of Lab.Dynamics")
	}
	measures := attention.MeasureNames(d[0].Answer.Scores.Task)
	out := csv.NewWriter(w)
	out.Write(dynamicsColumns(measures))
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
	for _, m := range d {
		s := m.Answer.Scores
		lines := map[string]attention.Line{}
		for i, line := range s.Lines() {
			lines[measures[i+1]] = line // in front of them stands local, which has no line
		}
		for l, heads := range s.Local {
			for h := range len(heads) + 1 {
				at, head := attention.Head{Block: l, Head: h}, strconv.Itoa(h)
				if h == len(heads) {
					head = "max"
				}
				row := []string{strconv.Itoa(m.Step), m.Model.Short(), strconv.Itoa(m.Answer.Right.Correct), strconv.Itoa(m.Answer.Right.N), strconv.Itoa(l), head}
				for _, name := range measures {
					switch line, ok := lines[name]; {
					case head != "max":
						row = append(row, number(at.Of(s.Named(name))), number(at.Of(s.Interval.Low.Named(name))), number(at.Of(s.Interval.High.Named(name))))
					case ok:
						row = append(row, number(line.Values[l]), number(line.Low[l]), number(line.High[l]))
					default:
						row = append(row, "", "", "")
					}
				}
				out.Write(row)
			}
		}
	}
	out.Flush()
	return out.Error()
}

func dynamicsColumns(measures []string) []string {
	columns := []string{"step", "model", "right", "n", "block", "head"}
	for _, name := range measures {
		columns = append(columns, name, name+"_low", name+"_high")
	}
	return columns
}

// Save writes the CSV to a file, aside and renamed.
func (d Dynamics) Save(path string) error { return disk.ReplaceTable(path, d.CSV) }

// ReadDynamics reads a file that [Dynamics.Save] wrote, rounded to four decimals. The scores are the measures over all
// images and their intervals; a model's hash is its first digits.
func ReadDynamics(path string) (Dynamics, error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, err
	}
	d, err := parseDynamics(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// parseDynamics reads the text of such a file.
func parseDynamics(text []byte) (Dynamics, error) {
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	task := stimuli.Discrimination
	if len(records) > 0 && slices.Equal(records[0], dynamicsColumns(attention.MeasureNames(stimuli.RMTS))) {
		task = stimuli.RMTS
	}
	measures := attention.MeasureNames(task)
	if len(records) < 2 || !slices.Equal(records[0], dynamicsColumns(measures)) {
		return nil, fmt.Errorf("it does not begin with the columns %s and a head: expected a table that `sd attention MODEL --during` wrote",
			strings.Join(dynamicsColumns(measures), ", "))
	}
	var d Dynamics
	for i, record := range records[1:] {
		if err := d.read(record, task, measures); err != nil {
			return nil, fmt.Errorf("line %d (%s): %w", i+2, strings.Join(record, ","), err)
		}
	}
	for _, m := range d {
		if err := m.Answer.like(d[0].Answer, measures); err != nil {
			return nil, fmt.Errorf("step %d: %w: the table is cut, or lines are missing", m.Step, err)
		}
	}
	return d, nil
}

// like returns an error if scores have other blocks and heads than those of the first step, or a block without its largest head.
func (s Snapshot) like(first Snapshot, measures []string) error {
	for k, name := range measures {
		want, got := first.Scores.Measures.Named(name), s.Scores.Measures.Named(name)
		if len(got) == 0 || len(got) != len(want) {
			return fmt.Errorf("%d blocks of %s, expected %d as at the first step, 1 or more", len(got), name, len(want))
		}
		for l := range got {
			if len(got[l]) == 0 || len(got[l]) != len(want[l]) {
				return fmt.Errorf("block %d has %d heads of %s, expected %d as at the first step, 1 or more", l, len(got[l]), name, len(want[l]))
			}
		}
		lows := s.Scores.Interval.LineLow
		if k > 0 && (len(lows) < k || len(lows[k-1]) != len(got)) {
			return fmt.Errorf("%d blocks of %s, and not as many lines of their largest heads", len(got), name)
		}
	}
	return nil
}

// read adds one line of the table.
func (d *Dynamics) read(record []string, task stimuli.Task, measures []string) error {
	var whole [4]int // step, right, n, block
	var errs []error
	for i, column := range []int{0, 2, 3, 4} {
		var err error
		whole[i], err = strconv.Atoi(record[column])
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	step, block := whole[0], whole[3]
	if right := (finetune.Score{Correct: whole[1], N: whole[2]}); step < 0 || right.N < 1 || right.Correct < 0 || right.Correct > right.N {
		return fmt.Errorf("%d of %d images right at step %d: expected a count of images, and steps from 0", right.Correct, right.N, step)
	}
	if n := len(*d); n == 0 || (*d)[n-1].Step != step {
		*d = append(*d, Moment[Snapshot]{Step: step, Model: artifact.ID(record[1]), Answer: Snapshot{Scores: &attention.Scores{Task: task, Images: whole[2]}}})
	}
	m := &(*d)[len(*d)-1]
	if m.Answer.Right.N == 0 {
		m.Answer.Right.Correct, m.Answer.Right.N = whole[1], whole[2]
	}
	switch {
	case m.Answer.Right.Correct != whole[1] || m.Answer.Right.N != whole[2] || string(m.Model) != record[1]:
		return fmt.Errorf("another model or another count than in the line before, of the same step: expected %s and %d of %d", m.Model, m.Answer.Right.Correct, m.Answer.Right.N)
	case len(*d) > 1 && step < (*d)[len(*d)-2].Step:
		return fmt.Errorf("step %d comes after step %d: expected steps in their order", step, (*d)[len(*d)-2].Step)
	}
	s := m.Answer.Scores
	for k, name := range measures {
		cells := record[6+3*k : 9+3*k]
		if record[5] == "max" && k == 0 {
			continue
		}
		var values [3]float64
		for j, cell := range cells {
			var err error
			if values[j], err = strconv.ParseFloat(cell, 64); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if math.IsNaN(values[j]) || math.IsInf(values[j], 0) {
				return fmt.Errorf("%s is %s: expected a number", name, cell)
			}
		}
		if record[5] == "max" { // the largest head is found again; its interval is not
			for j, lines := range []*[][]float64{&s.Interval.LineLow, &s.Interval.LineHigh} {
				for len(*lines) < len(measures)-1 {
					*lines = append(*lines, nil)
				}
				(*lines)[k-1] = append((*lines)[k-1], values[1+j])
			}
			continue
		}
		for j, of := range []*attention.Measures{&s.Measures, &s.Interval.Low, &s.Interval.High} {
			if err := of.Append(name, block, values[j]); err != nil {
				return err
			}
		}
	}
	return nil
}
