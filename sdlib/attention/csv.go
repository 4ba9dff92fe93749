package attention

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
)

var csvColumns = []string{"task", "part", "measure", "block", "head", "n", "value", "low", "high"}

// CSV writes the scores with n, the number of images, and their 95 % intervals: a line for
// each part (all, same, different, and in RMTS sample pair and display pair), measure, block
// and head. Where the head is "max" the line is the largest head of the block.
func (s *Scores) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write(csvColumns)
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }
	for _, p := range s.Parts() {
		row := func(measure string, block int, head string, value, low, high float64) {
			out.Write([]string{string(s.Task), p.Name, measure, strconv.Itoa(block), head, strconv.Itoa(p.Images), number(value), number(low), number(high)})
		}
		low, high := p.Interval.Low.fields(), p.Interval.High.fields()
		for i, field := range p.Measures.fields() {
			if len(*low[i]) != len(*field) || len(*high[i]) != len(*field) {
				return fmt.Errorf("attention: the scores %s have no intervals: expected those of Analyze", measureNames[i])
			}
			for l, heads := range *field {
				for h, v := range heads {
					row(measureNames[i], l, strconv.Itoa(h), v, (*low[i])[l][h], (*high[i])[l][h])
				}
			}
		}
		for i, line := range p.Lines() {
			for l, v := range line.Values {
				row(measureNames[lineMeasures[i]], l, "max", v, line.Low[l], line.High[l])
			}
		}
	}
	out.Flush()
	return out.Error()
}

// SaveCSV writes [Scores.CSV] to a file, aside and renamed; one with other columns stays, and is an error.
func (s *Scores) SaveCSV(path string) error { return disk.ReplaceTable(path, s.CSV) }

// ReadCSV reads what [Scores.CSV] wrote: the scores and their intervals, rounded to six
// decimals. The released code's scores, the shares and the resamples are not in it.
func ReadCSV(r io.Reader) (*Scores, error) {
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	if len(records) < 2 || !slices.Equal(records[0], csvColumns) {
		return nil, fmt.Errorf("attention: the table does not begin with the columns %s and a score: expected one that `sd attention MODEL --csv` wrote", strings.Join(csvColumns, ", "))
	}
	s := &Scores{Task: stimuli.Task(records[1][0])}
	parts := map[string]*Part{}
	for i, record := range records[1:] {
		name, measure, head := record[1], slices.Index(measureNames, record[2]), record[4]
		p := parts[name]
		if p == nil {
			p = new(Part)
			parts[name] = p
		}
		block, errBlock := strconv.Atoi(record[3])
		n, errN := strconv.Atoi(record[5])
		var values [3]float64
		for k := range values {
			if values[k], err = strconv.ParseFloat(record[6+k], 64); err != nil {
				break
			}
		}
		if err := errors.Join(err, errBlock, errN); err != nil || measure < 0 {
			return nil, fmt.Errorf("attention: line %d of the table (%s): expected a part, a measure of %v, a block, a head or max, n and three numbers", i+2, strings.Join(record, ","), measureNames)
		}
		p.Images = n
		to := []*[][]float64{p.Measures.fields()[measure], p.Interval.Low.fields()[measure], p.Interval.High.fields()[measure]}
		if head == "max" { // a line's value is the largest of its heads
			to, block = []*[][]float64{nil, &p.Interval.LineLow, &p.Interval.LineHigh}, slices.Index(lineMeasures, measure)
		}
		for k, m := range to {
			if m == nil {
				continue
			}
			if block < 0 || block > len(*m) {
				return nil, fmt.Errorf("attention: line %d of the table (%s) comes before the blocks in front of it", i+2, strings.Join(record, ","))
			}
			if block == len(*m) {
				*m = append(*m, nil)
			}
			if head != "max" && head != strconv.Itoa(len((*m)[block])) {
				return nil, fmt.Errorf("attention: line %d of the table (%s) is of head %q, expected %d: heads in their order", i+2, strings.Join(record, ","), head, len((*m)[block]))
			}
			(*m)[block] = append((*m)[block], values[k])
		}
	}
	for name, p := range parts {
		for _, line := range p.Lines() {
			if len(line.Low) != len(line.Values) || len(line.High) != len(line.Values) {
				return nil, fmt.Errorf("attention: of the part %s and the line %s the table has %d blocks and %d of their largest heads: expected as many", name, line.Name, len(line.Values), len(line.Low))
			}
		}
	}
	if all := parts["all"]; all != nil {
		s.Images, s.Measures, s.Interval = all.Images, all.Measures, all.Interval
	}
	s.Same, s.Different, s.Sample, s.Display = parts["same"], parts["different"], parts["sample pair"], parts["display pair"]
	return s, nil
}
