package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// das searches once, and shows what the store has the second time.
func TestDAS(t *testing.T) {
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 8, 2, 2, 16
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir, model := t.TempDir(), t.TempDir()
	if err := m.Save(model); err != nil {
		t.Fatal(err)
	}
	recipe, table := filepath.Join(dir, "recipe.json"), filepath.Join(dir, "das.csv")
	text := `{"pairs": 8, "steps": 4, "batch": 4, "lr": 0.01, "mask_lr": 0.1, "sparsity": 0.001, "temperature": {"from": 1, "to": 0.05}}`
	if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"das", model, "--task", "discrimination", "--recipe", recipe, "--property", "color", "--test", "16", "--control", "none,wrong-object", "--backend", "go", "--store", dir}
	r := sd(append(args, "--csv", table)...).want(t, exitOK)
	lines := strings.Split(strings.TrimSpace(string(read(t, dir, "das.csv"))), "\n")
	if len(lines) != 5 || strings.Count(r.out, "derived") != 2 || strings.Count(r.out, "wrong-object") != 2 {
		t.Errorf("want two blocks, of which the last is derived, with a control of each; got\n%s\n%s", r.out, strings.Join(lines, "\n"))
	}
	r = sd(append(args, "--json")...).want(t, exitOK)
	if rows := decode[[]study.DASRow](t, r); r.errors != "" || len(rows) != 4 || rows[0].Score().N != 16 || rows[0].Block != 0 || !rows[1].Derived {
		t.Errorf("again: %+v\n%s", rows, r.errors)
	}

	for want, more := range map[string][]string{
		"--property is \"size\", expected shape, color or both":      {"--property", "size"},
		"--blocks is \"3-1\", expected numbers and ranges":           {"--blocks", "3-1"},
		"no control \"any\", expected one of none, wrong-object":     {"--control", "any"},
		"which is none of course, cpu, cpu-long, paper, and no file": {"--recipe", "quick"},
	} {
		sd(append(args[:2:2], more...)...).want(t, exitUsage).says(t, want)
	}
	sd(append(args, "--blocks", "2")...).want(t, exitFailure).says(t, "there is no block 2: expected 0 to 1")
	if err := os.WriteFile(recipe, []byte(`{"pair": 8}`), 0o600); err != nil {
		t.Fatal(err)
	}
	sd(args...).want(t, exitUsage).says(t, `unknown field "pair"`)
}
