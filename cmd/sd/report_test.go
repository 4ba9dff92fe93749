package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/report"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// A model whose images fit none of the paper's stimuli, and that has other classes: its page says what was left out and why; of images
// of one's own it shows where the heads look.
func TestReportOfForeignModel(t *testing.T) {
	c := vit.CourseQuick
	c.Image, c.Patch, c.Width, c.Blocks, c.Heads, c.MLP, c.Classes = 32, 8, 8, 1, 2, 16, 3
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, page, store := t.TempDir(), filepath.Join(t.TempDir(), "page.html"), t.TempDir()
	if err := m.Save(model); err != nil {
		t.Fatal(err)
	}
	r := sd("report", model, "-o", page, "--backend", "go", "--store", store).want(t, exitOK)
	if r.out != page+": chapters 0, left out 8\n" || strings.Count(r.errors, "sd: chapter ") != 8 {
		t.Errorf("the command says %q and\n%s", r.out, r.errors)
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "fit no geometry") || !strings.Contains(string(text), "expected 2") {
		t.Errorf("the page (%v) does not say why:\n%s", err, text)
	}
	// A backbone has no answer of its own.
	sd("report", filepath.Join(testdata, "clip-whole"), "-q", "-o", page, "--backend", "go", "--store", store).want(t, exitOK)
	if text, err = os.ReadFile(page); err != nil || !strings.Contains(string(text), "the model has no answer of its own (") {
		t.Errorf("the page of a backbone (%v):\n%s", err, text)
	}

	// An older page stays until the new one has as much; a file of somebody else stays in any case.
	unfinished := report.Page{Subject: report.Subject{Name: model, Model: &study.Model{Model: m}}, Sizes: report.Quick(c), Left: 5}
	if err := unfinished.Save(page); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(page); err != nil || string(now) != string(text) {
		t.Errorf("a page of a few chapters took the place of a whole one (%v):\n%s", err, now)
	}
	part := filepath.Join(t.TempDir(), "part.html")
	for _, left := range []int{5, 4, 0} {
		unfinished.Left = left
		if err := unfinished.Save(part); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(part)
		if err != nil || strings.Contains(string(now), "chapters to come: ") != (left > 0) || left > 0 && !strings.Contains(string(now), fmt.Sprintf("chapters to come: %d.", left)) {
			t.Errorf("with %d chapters to come the page (%v) is\n%s", left, err, now)
		}
	}
	theirs := filepath.Join(t.TempDir(), "thesis.html")
	if err := os.WriteFile(theirs, []byte("<title>Thesis</title>"), 0o644); err != nil {
		t.Fatal(err)
	}
	sd("report", model, "-o", theirs, "--backend", "go", "--store", store).want(t, exitFailure).says(t, theirs, "no report")

	sd("report", model, "--task", "rmts", "-o", page, "--store", store).want(t, exitFailure).says(t, "--task", "fit no geometry")
	sd("report", model, "-o", filepath.Join(page, "below.html"), "--store", store).want(t, exitFailure).says(t, page)
	sd("report", "no/such/model", "--store", store).want(t, exitFailure).says(t, "no/such/model")
	sd("report", "--store", store).want(t, exitUsage)
}
