package attention

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// CSV writes the scores with n, the number of images, and their 95 % intervals: a line for
// each part (all, same, different, and in RMTS sample pair and display pair), measure, block
// and head. Where the head is "max" the line is the largest head of the block.
func (s *Scores) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"task", "part", "measure", "block", "head", "n", "value", "low", "high"})
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
