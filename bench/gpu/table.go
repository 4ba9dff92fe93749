package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/figure"
)

// printTable prints what all parts found: speeds beside PyTorch's, then everything else, with
// what failed last. It fails if a row says no.
func printTable(to io.Writer, path string, markdown bool) error {
	rows, err := readRows(path)
	if err != nil {
		return err
	}
	speeds, others := speedTable(rows), figure.Table{Columns: columns}
	slices.SortStableFunc(rows, func(a, b []string) int { return rank(a[6]) - rank(b[6]) })
	counts := map[string]int{}
	for _, r := range rows {
		counts[r[6]]++
		if r[6] != "" || !isSpeed(r) {
			others.Rows = append(others.Rows, r)
		}
	}
	others.Rows = gather(others.Rows)
	for _, t := range []figure.Table{others, speeds} {
		if len(t.Rows) == 0 {
			continue
		}
		if !markdown {
			fmt.Fprintln(to, plain(t))
			continue
		}
		text, err := t.Markdown()
		if err != nil {
			return err
		}
		fmt.Fprintln(to, text)
	}
	if !markdown {
		fmt.Fprintf(to, "%d within bounds or working, %d failed, %d for lack of something, %d for lack of time\n", counts[yes], counts[no], counts[missing], counts[skipped])
	}
	if counts[no] > 0 {
		return fmt.Errorf("%d of %d checks failed: column ok is %q", counts[no], len(rows), no)
	}
	return nil
}

// gather puts many lines of one kind that are all within one bound into one, with the largest of their values.
func gather(rows [][]string) (out [][]string) {
	const few = 3
	kind := func(r []string) string { return strings.Join([]string{r[0], r[1], r[5], r[6]}, "\x00") }
	all := map[string][][]string{}
	for _, r := range rows {
		all[kind(r)] = append(all[kind(r)], r)
	}
	done := map[string]bool{}
	for _, r := range rows {
		same := all[kind(r)]
		if r[6] != yes || r[5] == "" || len(same) <= few {
			out = append(out, r)
			continue
		}
		if done[kind(r)] {
			continue
		}
		done[kind(r)] = true
		largest := slices.MaxFunc(same, func(a, b []string) int {
			x, _ := strconv.ParseFloat(a[3], 64)
			y, _ := strconv.ParseFloat(b[3], 64)
			return cmp.Compare(x, y)
		})
		one := slices.Clone(largest)
		one[2], one[7] = fmt.Sprintf("%d configurations", len(same)), "largest: "+largest[2]+", "+largest[7]
		out = append(out, one)
	}
	return out
}

// rank puts what failed last, where the end of a long output shows it.
func rank(ok string) int { return slices.Index([]string{"", yes, skipped, missing, no}, ok) }

func isSpeed(r []string) bool {
	return slices.Contains([]string{trainingRate, forwardRate, compileTime, memoryUse, productRate}, r[1])
}

// readRows reads results.csv. A line that was cut off when its writer was killed is left out.
func readRows(path string) (rows [][]string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		fields, err := csv.NewReader(strings.NewReader(line)).Read()
		if err == nil && len(fields) == len(columns) && !slices.Equal(fields, columns) {
			rows = append(rows, fields)
		}
	}
	if len(rows) == 0 {
		return nil, errors.New(path + " has no results")
	}
	return rows, nil
}

// speedTable has a row for each model, precision, batch and pass, with all engines beside each other.
func speedTable(rows [][]string) figure.Table {
	t := figure.Table{Columns: []string{"model", "precision", "batch", "pass", "library, images/s", "PyTorch", "compiled", "ratio", "to compiled", "share of bf16 rate", "memory, MiB", "PyTorch's"}}
	type key struct{ config, what, engine string }
	value, note := map[key]float64{}, map[key]string{}
	var configs []string // in the order in which they were measured
	for _, r := range rows {
		parts := strings.Split(r[2], "/")
		if !isSpeed(r) || len(parts) != 4 {
			continue
		}
		config, engine := strings.Join(parts[:3], "/"), parts[3]
		x, err := strconv.ParseFloat(r[3], 64)
		if err != nil {
			continue
		}
		k := key{config, r[1], engine}
		value[k], note[k] = x, r[7]
		if !slices.Contains(configs, config) {
			configs = append(configs, config)
		}
	}
	cell := func(k key) string {
		if x, ok := value[k]; ok {
			return strconv.FormatFloat(x, 'g', 4, 64)
		}
		return "–"
	}
	ratio := func(a, b key) string {
		if value[a] > 0 && value[b] > 0 {
			return fmt.Sprintf("%.2f", value[a]/value[b])
		}
		return "–"
	}
	for _, config := range configs {
		parts := strings.Split(config, "/")
		passes := []string{trainingRate, forwardRate}
		if parts[0] == product {
			passes = []string{productRate}
		}
		for _, pass := range passes {
			of := func(engine string) key { return key{config, pass, engine} }
			share, _, _ := strings.Cut(note[of(ours)], " of")
			memory, theirs := "", ""
			if pass == trainingRate {
				memory, theirs = cell(key{config, memoryUse, ours}), cell(key{config, memoryUse, eager})
			}
			name := pass
			if pass == productRate {
				name = "TFLOP/s"
			}
			t.Rows = append(t.Rows, []string{parts[0], parts[1], parts[2], name, cell(of(ours)), cell(of(eager)), cell(of(compiled)),
				ratio(of(ours), of(eager)), ratio(of(ours), of(compiled)), share, memory, theirs})
		}
	}
	return t
}

// plain sets a table in columns of spaces; long notes are cut.
func plain(t figure.Table) string {
	const widest = 110
	width := make([]int, len(t.Columns))
	all := append([][]string{t.Columns}, t.Rows...)
	for _, r := range all {
		for i, cell := range r {
			width[i] = min(max(width[i], len([]rune(cell))), widest)
		}
	}
	var b strings.Builder
	for _, r := range all {
		for i, cell := range r {
			letters := []rune(cell)
			if len(letters) > widest {
				letters = append(letters[:widest-1], '…')
			}
			b.WriteString(string(letters))
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-len(letters)+2))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
