package figure_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/figure"
)

func ExampleTable() {
	t := figure.Table{Title: "Accuracy", Columns: []string{"set", "n", "accuracy"}}
	t.Add("validation", 6400, 0.985)
	t.Add("new shapes", 6400, 0.9)
	s, err := t.Text()
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(s)
	// Output:
	// Accuracy
	//
	// set            n  accuracy
	// ----------  ----  --------
	// validation  6400     0.985
	// new shapes  6400     0.900
}

// nasty holds everything that has a meaning in one of the forms.
var nasty = figure.Table{
	Title:   "a|b <script>",
	Columns: []string{"name", "x|y"},
	Rows: [][]string{
		{`back\slash | pipe`, "−1,234.5"},
		{"two\nlines", ".98 ± .01"},
		{`<b onclick="x">&amp;`, ""},
		{"`code` *star* _under_ [link](url) $x$", "97 %"},
		{`quote " , comma`, "1e-5"},
	},
}

func TestTableMarkdown(t *testing.T) {
	got, err := nasty.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`**a\|b &lt;script&gt;**`,
		``,
		`| name | x\|y |`,
		`| --- | ---: |`,
		`| back\\slash \| pipe | −1,234.5 |`,
		`| two<br>lines | .98 ± .01 |`,
		`| &lt;b onclick="x"&gt;&amp;amp; |  |`,
		"| \\`code\\` \\*star\\* \\_under\\_ \\[link\\](url) \\$x\\$ | 97 % |",
		`| quote " , comma | 1e-5 |`,
		``,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

func TestTableHTML(t *testing.T) {
	got, err := nasty.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<b>a|b &lt;script&gt;</b>",
		`<td style="text-align: left">two<br>lines</td><td style="text-align: right">.98 ± .01</td>`,
		`&lt;b onclick=&#34;x&#34;&gt;&amp;amp;`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "<script") || strings.Contains(got, "<b onclick") {
		t.Errorf("markup of a cell came through:\n%s", got)
	}
}

func TestTableCSVRoundTrip(t *testing.T) {
	got, err := nasty.CSV()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := append([][]string{nasty.Columns}, nasty.Rows...); !reflect.DeepEqual(rows, want) {
		t.Errorf("read back %q, expected %q", rows, want)
	}
}

func TestTableTextIsOneLinePerRow(t *testing.T) {
	got, err := nasty.Text()
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(got, "\n"); lines != len(nasty.Rows)+4 { // title, blank, head, rule
		t.Errorf("%d lines:\n%s", lines, got)
	}
}

func TestTableErrors(t *testing.T) {
	for want, table := range map[string]figure.Table{
		"Columns is empty":              {Title: "t"},
		"row 1 has 1 cells, expected 2": {Columns: []string{"a", "b"}, Rows: [][]string{{"1", "2"}, {"3"}}},
	} {
		path := filepath.Join(t.TempDir(), "t.csv")
		for name, write := range map[string]func() (string, error){
			"Markdown": table.Markdown, "CSV": table.CSV, "Text": table.Text, "HTML": table.HTML,
			"Save": func() (string, error) { return "", table.Save(path) },
		} {
			if _, err := write(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, expected it to contain %q", name, err, want)
			}
		}
	}
}

func TestTableSave(t *testing.T) {
	dir := t.TempDir()
	for ext, start := range map[string]string{".md": "**a", ".csv": "name,", ".txt": "a|b", ".html": "<table>"} {
		path := filepath.Join(dir, "t"+ext)
		if err := nasty.Save(path); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), start) {
			t.Errorf("%s starts with %.8q (%v), expected %q", ext, data, err, start)
		}
	}
	if err := nasty.Save(filepath.Join(dir, "t.xlsx")); err == nil || !strings.Contains(err.Error(), ".xlsx") {
		t.Errorf("error is %v, expected one that names the extension", err)
	}
}
