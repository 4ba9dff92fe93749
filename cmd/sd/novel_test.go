package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// novel searches and asks once, and shows what the store has the second time.
func TestNovel(t *testing.T) {
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
	recipe := filepath.Join(dir, "recipe.json")
	text := `{"pairs": 8, "steps": 4, "batch": 4, "lr": 0.01, "mask_lr": 0.1, "sparsity": 0, "temperature": {"from": 1, "to": 0.05}}`
	if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"novel", model, "--task", "discrimination", "--recipe", recipe, "--property", "color", "--test", "16", "--made", "8", "--novelty", "added,random", "--backend", "go", "--store", dir}
	r := sd(append(args, "--csv", filepath.Join(dir, "novel.csv"))...).want(t, exitOK)
	lines := strings.Split(strings.TrimSpace(string(read(t, dir, "novel.csv"))), "\n")
	if len(lines) != 5 || strings.Count(r.out, "derived") != 2 || strings.Count(r.out, "random") != 2 {
		t.Errorf("want two blocks, of which the last is derived, in two ways each; got\n%s\n%s", r.out, strings.Join(lines, "\n"))
	}
	r = sd(append(args, "--json")...).want(t, exitOK)
	if rows := decode[[]study.NovelRow](t, r); r.errors != "" || len(rows) != 4 || rows[0].Score().N != 16 || rows[1].Novel.Novelty != "random" || !rows[2].Derived {
		t.Errorf("again: %+v\n%s", rows, r.errors)
	}

	sd(append(args[:2:2], "--novelty", "mixed")...).want(t, exitUsage).says(t, `no novelty "mixed", expected one of added, interpolated, sampled, random`)
	sd(append(args[:2:2], "--property", "size")...).want(t, exitUsage).says(t, "expected shape, color or both")
	sd(append(args, "--made", "7")...).want(t, exitFailure).says(t, "7 counterfactual pairs: expected a multiple of 2")
	sd(append(args, "--blocks", "2")...).want(t, exitFailure).says(t, "there is no block 2: expected 0 to 1")
}
