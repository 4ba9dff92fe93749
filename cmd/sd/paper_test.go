package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/paper"
)

// The tables of README.md and docs/paper.md are what the command prints.
func TestPaperInDocuments(t *testing.T) {
	for path, flags := range map[string][]string{"../../README.md": {"--summary", "--markdown"}, "../../docs/paper.md": {"--markdown"}} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		start, end := marks("sd paper " + strings.Join(flags, " "))
		_, after, ok := strings.Cut(string(text), start)
		shown, _, closed := strings.Cut(after, end)
		if !ok || !closed {
			t.Fatalf("%s has no table between %s and %s", path, strings.TrimSpace(start), strings.TrimSpace(end))
		}
		if r := sd(append([]string{"paper"}, flags...)...).want(t, exitOK); r.out != shown {
			t.Errorf("%s has another table than sd paper %s prints: `make paper` writes it anew", path, strings.Join(flags, " "))
		}
	}
}

// --into replaces the table between the marks and nothing else; an item is found whatever its case.
func TestPaperCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	start, end := marks("sd paper --summary")
	if err := os.WriteFile(path, []byte("before\n"+start+"old\n"+end+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sd("paper", "--summary", "--into", path).want(t, exitOK)
	text, err := os.ReadFile(path)
	if want := "before\n" + start + sd("paper", "--summary").out + end + "after\n"; err != nil || string(text) != want {
		t.Errorf("the file (%v) is\n%s\nwant\n%s", err, text, want)
	}
	sd("paper", "--into", path).want(t, exitFailure).says(t, "has no place for the table", "<!-- sd paper -->")

	all := decode[[]paper.Checked](t, sd("paper", "Table 1", "--json").want(t, exitOK))
	if len(all) == 0 || all[0].Item != "table 1" || all[0].Value == "" {
		t.Errorf("--json has %+v", all)
	}
	sd("paper", "figure 40").want(t, exitUsage).says(t, "nothing in the paper is called \"figure 40\"")
	t.Setenv("SD_ROOT", t.TempDir()) // where nothing comes along
	for _, line := range strings.Split(sd("paper", "figure 3").want(t, exitOK).out, "\n") {
		if strings.HasPrefix(line, "figure") && !strings.Contains(line, "not tested") && !strings.Contains(line, "a drawing") {
			t.Errorf("without results: %s", line)
		}
	}
}
