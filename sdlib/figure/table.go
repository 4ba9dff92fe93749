package figure

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"samediff/sdlib/internal/disk"
)

// Table is rows of text under column names. Columns whose cells are all numbers
// (or empty) are set flush right. Its methods fail for a table without columns
// and for a row of another length.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// Add appends a row. Strings stand as they are, float64 and float32 with three
// decimals; for other digits format the number yourself. Anything else is printed
// as fmt.Print does.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case float64:
			row[i] = strconv.FormatFloat(v, 'f', 3, 64)
		case float32:
			row[i] = strconv.FormatFloat(float64(v), 'f', 3, 32)
		default:
			row[i] = fmt.Sprint(v)
		}
	}
	t.Rows = append(t.Rows, row)
}

// Err returns what is wrong with the table, nil when it can be written.
func (t Table) Err() error {
	if len(t.Columns) == 0 {
		return fmt.Errorf("figure: table %q: Columns is empty", t.Title)
	}
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("figure: table %q: row %d has %d cells, expected %d, one per column", t.Title, i, len(row), len(t.Columns))
		}
	}
	return nil
}

// numeric reports for every column whether all its cells are numbers.
func (t Table) numeric() []bool {
	numeric := make([]bool, len(t.Columns))
	for c := range t.Columns {
		filled := false
		numeric[c] = true
		for _, row := range t.Rows {
			if row[c] != "" {
				filled = true
				numeric[c] = numeric[c] && isNumber(row[c])
			}
		}
		numeric[c] = numeric[c] && filled
	}
	return numeric
}

// isNumber accepts what tables of results hold: .98, −0.2, 6,400, 97 %, .98 ± .01.
func isNumber(s string) bool {
	s, _, _ = strings.Cut(s, "±")
	s = strings.NewReplacer(minus, "-", ",", "", "%", "", " ", "").Replace(s)
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// Markdown returns the table in GitHub's Markdown, its title in bold above.
// Characters with a meaning there are escaped.
func (t Table) Markdown() (string, error) {
	if err := t.Err(); err != nil {
		return "", err
	}
	var b strings.Builder
	if t.Title != "" {
		fmt.Fprintf(&b, "**%s**\n\n", escapeMarkdown(t.Title))
	}
	row := func(cells []string) {
		for _, cell := range cells {
			b.WriteString("| " + escapeMarkdown(cell) + " ")
		}
		b.WriteString("|\n")
	}
	row(t.Columns)
	for _, right := range t.numeric() {
		if right {
			b.WriteString("| ---: ")
		} else {
			b.WriteString("| --- ")
		}
	}
	b.WriteString("|\n")
	for _, cells := range t.Rows {
		row(cells)
	}
	return b.String(), nil
}

// markdownEscapes covers GitHub's Markdown and the dollar signs that notebooks
// take for mathematics.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "~", `\~`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "\r\n", "<br>", "\n", "<br>", "\r", "<br>")

func escapeMarkdown(s string) string { return markdownEscapes.Replace(s) }

// CSV returns the column names and the rows as comma-separated values (RFC 4180,
// lines ended by a line feed), without the title.
func (t Table) CSV() (string, error) {
	if err := t.Err(); err != nil {
		return "", err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(t.Columns); err != nil {
		return "", err
	}
	if err := w.WriteAll(t.Rows); err != nil { // flushes
		return "", err
	}
	return b.String(), nil
}

// Text returns the table in aligned columns for a terminal.
func (t Table) Text() (string, error) {
	if err := t.Err(); err != nil {
		return "", err
	}
	flat := strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ")
	widths := make([]int, len(t.Columns))
	lines := append([][]string{t.Columns}, t.Rows...)
	for _, cells := range lines {
		for c, cell := range cells {
			widths[c] = max(widths[c], utf8.RuneCountInString(flat.Replace(cell)))
		}
	}
	numeric := t.numeric()
	var b strings.Builder
	if t.Title != "" {
		b.WriteString(flat.Replace(t.Title) + "\n\n")
	}
	for i, cells := range lines {
		var line strings.Builder
		for c, cell := range cells {
			cell = flat.Replace(cell)
			pad := strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell))
			if c > 0 {
				line.WriteString("  ")
			}
			if numeric[c] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if i == 0 {
			for c, width := range widths {
				if c > 0 {
					b.WriteString("  ")
				}
				b.WriteString(strings.Repeat("-", width))
			}
			b.WriteString("\n")
		}
	}
	return b.String(), nil
}

// unbroken is the length in characters up to which HTML keeps a cell on one line, where a
// browser would give its room to a long cell beside it: "figure 24", ".447 (.416–.478)".
const unbroken = 16

// HTML returns the table as an HTML element, its title as the caption, all text
// escaped. Short cells stay on one line.
func (t Table) HTML() (string, error) {
	if err := t.Err(); err != nil {
		return "", err
	}
	numeric := t.numeric()
	var b strings.Builder
	b.WriteString("<table>\n")
	if t.Title != "" {
		fmt.Fprintf(&b, "<caption style=\"text-align: left\"><b>%s</b></caption>\n", escapeHTML(t.Title))
	}
	row := func(tag string, cells []string) {
		b.WriteString("<tr>")
		for c, cell := range cells {
			align := "left"
			if numeric[c] {
				align = "right"
			}
			if tag == "td" && utf8.RuneCountInString(cell) <= unbroken {
				cell = strings.ReplaceAll(cell, " ", "\u00a0")
			}
			fmt.Fprintf(&b, "<%s style=\"text-align: %s\">%s</%s>", tag, align, escapeHTML(cell), tag)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("<thead>\n")
	row("th", t.Columns)
	b.WriteString("</thead>\n<tbody>\n")
	for _, cells := range t.Rows {
		row("td", cells)
	}
	b.WriteString("</tbody>\n</table>\n")
	return b.String(), nil
}

func escapeHTML(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>")
}

// Save writes the table in the form of the path's extension: .md, .csv, .txt or
// .html. The file is written aside and renamed.
func (t Table) Save(path string) error {
	write, known := map[string]func() (string, error){
		".md": t.Markdown, ".csv": t.CSV, ".txt": t.Text, ".html": t.HTML,
	}[strings.ToLower(filepath.Ext(path))]
	if !known {
		return fmt.Errorf("figure: cannot save table %q as %q: the extension is %q, expected .md, .csv, .txt or .html", t.Title, path, filepath.Ext(path))
	}
	s, err := write()
	if err != nil {
		return err
	}
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		err := disk.ReplaceTable(path, func(w io.Writer) error { _, err := io.WriteString(w, s); return err })
		if err != nil {
			return fmt.Errorf("figure: cannot save %q: %w", path, err)
		}
		return nil
	}
	return writeFile(path, []byte(s))
}
