package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/study"
)

// madeUp are results of five models that nobody measured, for tests of what is drawn of such files.
const madeUp = "testdata/generalization-made-up.csv"

// generalize reads what its file has, and with --stored leaves out what the store lacks.
func TestGeneralize(t *testing.T) {
	dir := t.TempDir()
	table, drawing := filepath.Join(dir, "models.csv"), filepath.Join(dir, "figure.svg")
	text, err := os.ReadFile(madeUp)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(table, text, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"generalize", "--stored", "--store", dir, "--backend", "none: nothing is computed"}
	r := sd(append(args, "--csv", table, "-o", drawing)...).want(t, exitOK)
	for _, want := range []string{
		"course-contrastive-32", ".790 (.764–.814)", "no, at chance", // Wilson's interval of 790 of 1,000, in Python
		"discrimination  new combinations  all ", "that learned the task  4", drawing,
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the output lacks %q:\n%s", want, r.out)
		}
	}
	if left := strings.Count(r.errors, "is left out: the store lacks 15 of 15 results"); left != 5 { // those of RMTS: 6 blocks and 2 properties, 3 sets
		t.Errorf("%d models are left out, expected 5:\n%s", left, r.errors)
	}
	if again := string(read(t, dir, "models.csv")); again != string(text) {
		t.Errorf("the file has changed to\n%s", again)
	}
	r = sd(append(args, "course-masked-32", "--csv", table, "--json")...).want(t, exitOK)
	if all := decode[[]study.Generalization](t, r); len(all) != 5 || all[2].Shape.Correct != 790 || r.errors != "" {
		t.Errorf("%+v\n%s", all, r.errors)
	}

	r = sd(append(args, "course-masked-32", "--seeds", "2")...).want(t, exitFailure)
	if !strings.Contains(r.errors, "course-masked-32, seed 2 is left out") || !strings.Contains(r.errors, "sd plan figure 6") {
		t.Errorf("without results:\n%s", r.errors)
	}
	sd(append(args, "course-masked")...).want(t, exitFailure).says(t, "course-masked learned from 256 combinations")
	sd(append(args, "--test", "0")...).want(t, exitUsage).says(t, "--test is 0")
	if err := os.WriteFile(table, text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	sd(append(args, "--csv", table)...).want(t, exitFailure).says(t, "models.csv: record on line 6: wrong number of fields")
}
